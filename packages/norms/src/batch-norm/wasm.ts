import { wasmKernel, type KernelCall, type WasmKernel, type WasmPlan } from '@evenkeel/core';
import { asChannels } from '../axes.ts';
import { asColumns } from '../wasm-columns.ts';
import { parameters } from '../wasm-parameters.ts';
import binary from './batch-norm.wasm.ts';

interface Attributes {
  epsilon: number;
}

/** A kernel whose export takes `before`, gamma (and beta), `after`, and the sizes. `rooms`: arrays of columns in its scratch memory. */
function kernel(
  name: string,
  neutral: Readonly<Record<string, number>>,
  before: readonly string[],
  after: readonly string[],
  rooms: number,
  more: readonly number[] = [],
): WasmKernel<Attributes> {
  return wasmKernel({
    binary,
    plan: (call: KernelCall<Attributes>): WasmPlan => {
      const { rows, channels } = asChannels(call.inputs['x']!.shape);
      const { copies, room } = asColumns(rows, channels);
      const { args, scratch, fills } = parameters(call, channels, neutral);
      return {
        scratch: { ...scratch, scratch: rooms * room },
        calls: [
          ...fills,
          { export: name, args: [...before, ...args, ...after, 'scratch', rows, channels, copies, call.attrs.epsilon, ...more] },
        ],
      };
    },
  });
}

export const batchNormWasm = (): WasmKernel<Attributes> => kernel('forward', { gamma: 1, beta: 0 }, ['x'], ['y', 'mean', 'variance'], 7);

export const batchNormInferenceWasm = (): WasmKernel<Attributes> =>
  kernel('inference', { gamma: 1, beta: 0 }, ['x', 'mean', 'variance'], ['y'], 3);

export const batchNormGradWasm = (): WasmKernel<Attributes> =>
  kernel('gradient', { gamma: 1 }, ['x', 'dy', 'mean', 'variance', 'dmean', 'dvariance'], ['dx', 'dgamma', 'dbeta'], 8, [0]);

/** The same, but for statistics that are constant: there is no dmean and no dvariance. */
export const batchNormInferenceGradWasm = (): WasmKernel<Attributes> =>
  kernel('gradient', { gamma: 1 }, ['x', 'dy', 'mean', 'variance', 'dmean', 'dvariance'], ['dx', 'dgamma', 'dbeta'], 8, [1]);
