import { wasmKernel, type KernelCall, type WasmKernel, type WasmPlan } from '@evenkeel/core';
import { asSlabs } from '../axes.ts';
import { asColumns } from '../wasm-columns.ts';
import { parameters } from '../wasm-parameters.ts';
import binary from './evo-norm-s.wasm.ts';

interface Attributes {
  numGroups: number;
  epsilon: number;
  centred: boolean;
}

/** `rooms`: arrays of columns in the scratch memory, beside which there are `totals` float64 a channel. */
function kernel(
  name: string,
  neutral: Readonly<Record<string, number>>,
  before: readonly string[],
  after: readonly string[],
  rooms: number,
  totals: number,
): WasmKernel<Attributes> {
  return wasmKernel({
    binary,
    plan: (call: KernelCall<Attributes>): WasmPlan => {
      const { numGroups, epsilon, centred } = call.attrs;
      const { samples, positions, channels } = asSlabs(call.inputs['x']!.shape);
      const { copies, room } = asColumns(positions, channels);
      const { args, scratch, fills } = parameters(call, channels, neutral);
      const sizes = [samples, positions, channels, numGroups, copies, epsilon, centred ? 1 : 0];
      return {
        scratch: { ...scratch, scratch: rooms * room + 8 * totals * channels },
        calls: [...fills, { export: name, args: [...before, ...args, ...after, 'scratch', ...sizes] }],
      };
    },
  });
}

export const evoNormSWasm = (): WasmKernel<Attributes> => kernel('forward', { gamma: 1, beta: 0, v: 1 }, ['x'], ['y'], 8, 0);

export const evoNormSGradWasm = (): WasmKernel<Attributes> =>
  kernel('gradient', { gamma: 1, v: 1 }, ['x', 'dy'], ['dx', 'dgamma', 'dbeta', 'dv'], 13, 3);
