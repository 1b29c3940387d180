import type { Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import {
  EvenkeelError,
  isEvenkeelError,
  type Kernel,
  type KernelCall,
  type KernelRunner,
  type WasmInvocation,
  type WasmKernel,
} from '@evenkeel/core';
import { compileModule, exportsOf, isSupported, type Exports } from './instances.ts';
import { allocate, locate, release } from './memory.ts';
import { memoryOf, type Heap } from './tfjs.ts';

/** SIMD: what the engine has, or switched off by the app, which then gets no kernels at all. */
export type Simd = 'present' | 'absent' | 'off';

/** Runs `WasmKernel`s in place on the heap of tfjs' 'wasm' backend. */
export function wasmRunner(simd: Simd): KernelRunner {
  return {
    backend: 'wasm',
    kind: 'wasm',
    refuses(kernel, call) {
      if (kernel.kind !== 'wasm') return `not a wasm kernel but ${kernel.kind}`;
      if (simd === 'off') return 'SIMD kernels are switched off by wasm({ simd: false })';
      if (simd === 'absent' && !isSupported(kernel)) return 'the kernel needs WASM SIMD, which this engine lacks';
      return kernel.supports?.(call);
    },
    run: (op, kernel, inputs, call, backend) => run(op, kernel as WasmKernel, inputs, call, backend as Heap),
    compile: async (op: string, kernel: Kernel) => void compileModule(op, kernel as WasmKernel, false),
  };
}

/** Views are never made: they die when the heap grows, which any allocation below may cause. Addresses stay. */
function run(op: string, kernel: WasmKernel, inputs: Record<string, Tensor>, call: KernelCall, heap: Heap): TensorInfo[] {
  const memory = memoryOf(op, heap);
  const exports = exportsOf(op, kernel, memory);
  const outputs: TensorInfo[] = [];
  const scratch: TensorInfo[] = [];
  try {
    const plan = kernel.plan(call);
    const addresses: Record<string, number> = {};
    for (const name in call.inputs) {
      const input = inputs[name];
      addresses[name] = input === undefined ? 0 : locate(op, heap, name, input);
    }
    for (const name in call.outputs) {
      const { shape, dtype } = call.outputs[name]!;
      addresses[name] = allocate(op, heap, name, shape, dtype, outputs);
    }
    for (const name in plan.scratch) {
      addresses[name] = allocate(op, heap, name, [Math.ceil(plan.scratch[name]! / 4)], 'int32', scratch);
    }
    const { buffer } = memory;
    for (const invocation of plan.calls) invoke(op, exports, invocation, addresses);
    if (memory.buffer !== buffer) throw new Error('it grew the memory, which belongs to tfjs; restart the backend');
  } catch (error) {
    release(heap, outputs);
    release(heap, scratch);
    if (isEvenkeelError(error)) throw error;
    throw new EvenkeelError('KERNEL', `the WASM kernel failed: ${(error as Error).message}`, { op, cause: error });
  }
  release(heap, scratch);
  return outputs;
}

function invoke(op: string, exports: Exports, invocation: WasmInvocation, addresses: Record<string, number>): void {
  const run = exports[invocation.export];
  if (typeof run !== 'function') {
    throw new EvenkeelError('KERNEL', `the WASM module has no function ${invocation.export}; it has ${Object.keys(exports).join(', ')}`, {
      op,
    });
  }
  const args: number[] = [];
  for (const arg of invocation.args) args.push(typeof arg === 'number' ? arg : (addresses[arg] ?? 0));
  run.apply(undefined, args);
}
