import { wasmKernel, type WasmKernel } from '@evenkeel/core';
import { activationCode } from '../activation.ts';
import { asRows } from '../axes.ts';
import { parameters } from '../wasm-parameters.ts';
import binary from './layer-norm.wasm.ts';
import type { LayerNormOptions } from './op.ts';

type Attributes = Required<LayerNormOptions>;

export const layerNormWasm = (): WasmKernel<Attributes> =>
  wasmKernel({
    binary,
    plan: (call) => {
      const { axes, epsilon, activation } = call.attrs;
      const { rows, width } = asRows(call.inputs['x']!.shape, axes.length);
      const { args, scratch, fills } = parameters(call, width, { gamma: 1, beta: 0 });
      return {
        scratch,
        calls: [...fills, { export: 'forward', args: ['x', ...args, 'y', rows, width, epsilon, activationCode(activation)] }],
      };
    },
  });

export const addLayerNormWasm = (): WasmKernel<Attributes> =>
  wasmKernel({
    binary,
    plan: (call) => {
      const { axes, epsilon, activation } = call.attrs;
      const { rows, width } = asRows(call.inputs['x']!.shape, axes.length);
      const { args, scratch, fills } = parameters(call, width, { gamma: 1, beta: 0 });
      return {
        scratch,
        calls: [
          ...fills,
          { export: 'addForward', args: ['x', 'residual', ...args, 'y', 'sum', rows, width, epsilon, activationCode(activation)] },
        ],
      };
    },
  });

export const layerNormGradWasm = (): WasmKernel<Attributes> =>
  wasmKernel({
    binary,
    plan: (call) => {
      const { axes, epsilon, activation } = call.attrs;
      const { rows, width } = asRows(call.inputs['x']!.shape, axes.length);
      const { args, scratch, fills } = parameters(call, width, { gamma: 1, beta: 0 });
      return {
        scratch: { ...scratch, totals: 16 * width },
        calls: [
          ...fills,
          {
            export: 'gradient',
            args: ['x', 'dy', ...args, 'dsum', 'dx', 'dgamma', 'dbeta', 'totals', rows, width, epsilon, activationCode(activation)],
          },
        ],
      };
    },
  });
