import { wasmKernel, type WasmKernel } from '@evenkeel/core';
import { asRows } from '../axes.ts';
import { deviationFactor } from '../l1.ts';
import { parameters } from '../wasm-parameters.ts';
import binary from './l1-layer-norm.wasm.ts';

interface Attributes {
  axes: number[];
  epsilon: number;
  gaussianScale: boolean;
  gradFloor: number;
}

export const l1LayerNormWasm = (): WasmKernel<Attributes> =>
  wasmKernel({
    binary,
    plan: (call) => {
      const { axes, epsilon, gaussianScale } = call.attrs;
      const { rows, width } = asRows(call.inputs['x']!.shape, axes.length);
      const { args, scratch, fills } = parameters(call, width, { gamma: 1, beta: 0 });
      return {
        scratch,
        calls: [...fills, { export: 'forward', args: ['x', ...args, 'y', rows, width, deviationFactor(gaussianScale), epsilon] }],
      };
    },
  });

export const l1LayerNormGradWasm = (): WasmKernel<Attributes> =>
  wasmKernel({
    binary,
    plan: (call) => {
      const { axes, epsilon, gaussianScale, gradFloor } = call.attrs;
      const { rows, width } = asRows(call.inputs['x']!.shape, axes.length);
      const { args, scratch, fills } = parameters(call, width, { gamma: 1 });
      const sizes = [rows, width, deviationFactor(gaussianScale), epsilon, gradFloor];
      return {
        scratch: { ...scratch, totals: 16 * width },
        calls: [...fills, { export: 'gradient', args: ['x', 'dy', ...args, 'dx', 'dgamma', 'dbeta', 'totals', ...sizes] }],
      };
    },
  });
