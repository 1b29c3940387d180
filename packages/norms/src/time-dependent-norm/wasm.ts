import { wasmKernel, type TensorSpec, type WasmKernel } from '@evenkeel/core';
import { asRows } from '../axes.ts';
import { parameters } from '../wasm-parameters.ts';
import binary from './conditional-norm.wasm.ts';

interface Attributes {
  kind: string;
  epsilon: number;
}

/** Bytes from a sample's row of a parameter to the next one's: 0 where one row is for all. */
const stride = (parameter: TensorSpec | undefined, width: number): number => (parameter && parameter.shape[0]! > 1 ? 4 * width : 0);

export const conditionalNormWasm = (): WasmKernel<Attributes> =>
  wasmKernel({
    binary,
    plan: (call) => {
      const { kind, epsilon } = call.attrs;
      const { gamma, beta } = call.inputs;
      const { rows, width } = asRows(call.inputs['x']!.shape, 1);
      const { args, scratch, fills } = parameters(call, width, { gamma: 1, beta: 0 });
      const groups = Math.max(gamma?.shape[0] ?? 1, beta?.shape[0] ?? 1);
      const sizes = [groups, rows / groups, width, stride(gamma, width), stride(beta, width), epsilon];
      return { scratch, calls: [...fills, { export: kind, args: ['x', ...args, 'y', ...sizes] }] };
    },
  });

export const conditionalNormGradWasm = (): WasmKernel<Attributes & { samples: number }> =>
  wasmKernel({
    binary,
    plan: (call) => {
      const { kind, epsilon, samples } = call.attrs;
      const { rows, width } = asRows(call.inputs['x']!.shape, 1);
      const { args, scratch, fills } = parameters(call, width, { gamma: 1 });
      const sizes = [samples, rows / samples, width, stride(call.inputs['gamma'], width), epsilon];
      return {
        scratch: { ...scratch, totals: 16 * width },
        calls: [...fills, { export: `${kind}Backward`, args: ['x', 'dy', ...args, 'dx', 'dgamma', 'dbeta', 'totals', ...sizes] }],
      };
    },
  });
