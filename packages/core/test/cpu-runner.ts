// Runs plain functions as kernels on tfjs' 'cpu' backend: the runner of a third party, good or bad.
import type { TensorInfo, TypedArray } from '@tensorflow/tfjs-core';
import type { KernelRunner, Plugin } from '../src/index.ts';

/** What a kernel may do there. */
export interface Storage {
  write(values: TypedArray, shape: readonly number[], dtype: 'float32'): object;
}

/** A plugin that serves every op that has WASM kernels by `run`. */
export function cpuRunner(
  run: (inputs: Parameters<KernelRunner['run']>[2], storage: Storage) => TensorInfo[],
  more: Partial<KernelRunner> = {},
): Plugin {
  const runner: KernelRunner = {
    backend: 'cpu',
    kind: 'wasm',
    refuses: () => undefined,
    run: (_op, _kernel, inputs, _call, backend) => run(inputs, backend as Storage),
    ...more,
  };
  const provider = {
    name: 'cpu',
    priority: 0,
    runner,
    probe: () => Promise.resolve({ available: true, preferred: true, detail: 'plain JavaScript, with a runner' }),
    register: () => Promise.resolve(),
  };
  return { name: '@test/cpu-runner', version: '1.0.0', backends: [provider] };
}
