import { wasmKernel, type KernelCall, type WasmKernel, type WasmPlan } from '@evenkeel/core';
import { asSlabs } from '../axes.ts';
import { asColumns } from '../wasm-columns.ts';
import { parameters } from '../wasm-parameters.ts';
import type { EvoNormBAttributes } from './b-attributes.ts';
import binary from './evo-norm-b.wasm.ts';

interface Layout {
  /** Arrays of columns in the scratch memory. */
  readonly rooms: number;
  /** Float64 for each channel. */
  readonly totals: number;
  /** Float32 for each sample and channel. */
  readonly own: number;
}

function kernel(
  name: string,
  neutral: Readonly<Record<string, number>>,
  before: readonly (string | number)[],
  after: readonly (string | number)[],
  { rooms, totals, own }: Layout,
): WasmKernel<EvoNormBAttributes> {
  return wasmKernel({
    binary,
    plan: (call: KernelCall<EvoNormBAttributes>): WasmPlan => {
      const { variant, epsilon } = call.attrs;
      const { samples, positions, channels } = asSlabs(call.inputs['x']!.shape);
      const { copies, room } = asColumns(positions, channels);
      const { args, scratch, fills } = parameters(call, channels, neutral);
      const sizes = [samples, positions, channels, copies, epsilon, Number(variant[1])];
      return {
        scratch: { ...scratch, scratch: rooms * room + channels * (8 * totals + 4 * own * samples) },
        calls: [...fills, { export: name, args: [...before, ...args, ...after, 'scratch', ...sizes] }],
      };
    },
  });
}

const gradients: Layout = { rooms: 22, totals: 5, own: 3 };

export const evoNormBWasm = (): WasmKernel<EvoNormBAttributes> =>
  kernel('forward', { gamma: 1, beta: 0, v: 1 }, ['x'], ['y', 'variance'], { rooms: 9, totals: 2, own: 1 });

export const evoNormBInferenceWasm = (): WasmKernel<EvoNormBAttributes> =>
  kernel('inference', { gamma: 1, beta: 0, v: 1 }, ['x', 'variance'], ['y'], { rooms: 9, totals: 1, own: 0 });

export const evoNormBGradWasm = (): WasmKernel<EvoNormBAttributes> =>
  kernel('gradient', { gamma: 1, v: 1 }, ['x', 'dy', 'variance', 'dvariance'], ['dx', 'dgamma', 'dbeta', 'dv', 0], gradients);

export const evoNormBInferenceGradWasm = (): WasmKernel<EvoNormBAttributes> =>
  kernel('gradient', { gamma: 1, v: 1 }, ['x', 'dy', 'variance', 0], ['dx', 'dgamma', 'dbeta', 'dv', 'dvariance'], gradients);
