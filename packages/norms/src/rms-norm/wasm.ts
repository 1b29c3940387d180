import { wasmKernel, type WasmKernel } from '@evenkeel/core';
import { asRows } from '../axes.ts';
import { parameters } from '../wasm-parameters.ts';
import binary from './rms-norm.wasm.ts';

interface Attributes {
  epsilon: number;
}

export const rmsNormWasm = (): WasmKernel<Attributes> =>
  wasmKernel({
    binary,
    plan: (call) => {
      const { rows, width } = asRows(call.inputs['x']!.shape, 1);
      const { args, scratch, fills } = parameters(call, width, { gamma: 1 });
      return { scratch, calls: [...fills, { export: 'forward', args: ['x', ...args, 'y', rows, width, call.attrs.epsilon] }] };
    },
  });

export const rmsNormGradWasm = (): WasmKernel<Attributes> =>
  wasmKernel({
    binary,
    plan: (call) => {
      const { rows, width } = asRows(call.inputs['x']!.shape, 1);
      const { args, scratch, fills } = parameters(call, width, { gamma: 1 });
      return {
        scratch: { ...scratch, totals: 8 * width },
        calls: [...fills, { export: 'gradient', args: ['x', 'dy', ...args, 'dx', 'dgamma', 'totals', rows, width, call.attrs.epsilon] }],
      };
    },
  });
