import { wasmKernel, type KernelCall, type WasmKernel, type WasmPlan } from '@evenkeel/core';
import { asChannels } from '../axes.ts';
import { deviationFactor } from '../l1.ts';
import { asColumns } from '../wasm-columns.ts';
import { parameters } from '../wasm-parameters.ts';
import binary from './l1-batch-norm.wasm.ts';

interface Attributes {
  epsilon: number;
  gaussianScale: boolean;
  gradFloor: number;
}

/** A kernel whose export takes `before`, gamma (and beta), `after`, and the sizes. `rooms`: arrays of columns in its scratch memory. */
function kernel(
  name: string,
  neutral: Readonly<Record<string, number>>,
  before: readonly string[],
  after: readonly string[],
  rooms: number,
): WasmKernel<Attributes> {
  return wasmKernel({
    binary,
    plan: (call: KernelCall<Attributes>): WasmPlan => {
      const { epsilon, gaussianScale, gradFloor } = call.attrs;
      const { rows, channels } = asChannels(call.inputs['x']!.shape);
      const { copies, room } = asColumns(rows, channels);
      const { args, scratch, fills } = parameters(call, channels, neutral);
      const sizes = [rows, channels, copies, deviationFactor(gaussianScale), epsilon, gradFloor];
      return {
        scratch: { ...scratch, scratch: rooms * room },
        calls: [...fills, { export: name, args: [...before, ...args, ...after, 'scratch', ...sizes] }],
      };
    },
  });
}

export const l1BatchNormWasm = (): WasmKernel<Attributes> => kernel('forward', { gamma: 1, beta: 0 }, ['x'], ['y', 'mean', 'deviation'], 5);

export const l1BatchNormGradWasm = (): WasmKernel<Attributes> =>
  kernel('gradient', { gamma: 1 }, ['x', 'dy', 'mean', 'deviation', 'dmean', 'ddeviation'], ['dx', 'dgamma', 'dbeta'], 10);
