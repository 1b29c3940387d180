import { wasmKernel, type WasmKernel } from '@evenkeel/core';
import binary from './margin-sums.wasm.ts';
import type { MarginSumsOptions } from './solver.ts';

/** Reads the samples once: a row is in the L1 cache between its margin and its part of the direction. */
export const marginSumsWasm = (): WasmKernel<Required<MarginSumsOptions>> =>
  wasmKernel({
    binary,
    plan: ({ inputs, attrs: { weights } }) => {
      const [rows, width] = inputs['x']!.shape as [number, number];
      const args = ['x', 'y', 'theta', 'direction', 'statistics', 'totals', rows, width, weights === 'misclassified' ? 1 : 0];
      return { scratch: { totals: 8 * width }, calls: [{ export: 'marginSums', args }] };
    },
  });
