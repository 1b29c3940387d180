import { sizeOf, wasmKernel, type WasmKernel } from '@evenkeel/core';
import binary from './hello-norm.wasm.ts';

interface Attributes {
  epsilon: number;
}

/** A tensor [..., n] as rows of n. */
function rowsOf(shape: readonly number[]): { rows: number; width: number } {
  const width = shape.at(-1)!;
  return { rows: sizeOf(shape) / width, width };
}

// #region kernel
export const helloNormWasm = (): WasmKernel<Attributes> =>
  wasmKernel({
    binary,
    plan: ({ inputs, attrs: { epsilon } }) => {
      const { rows, width } = rowsOf(inputs['x']!.shape);
      return { calls: [{ export: 'forward', args: ['x', 'gamma', 'y', rows, width, epsilon] }] };
    },
  });
// #endregion kernel

// #region gradient
export const helloNormGradWasm = (): WasmKernel<Attributes> =>
  wasmKernel({
    binary,
    plan: ({ inputs, attrs: { epsilon } }) => {
      const { rows, width } = rowsOf(inputs['x']!.shape);
      return {
        scratch: { totals: 8 * width },
        calls: [{ export: 'gradient', args: ['x', 'gamma', 'dy', 'dx', 'dgamma', 'totals', rows, width, epsilon] }],
      };
    },
  });
// #endregion gradient
