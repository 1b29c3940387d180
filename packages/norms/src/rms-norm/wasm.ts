import { wasmKernel, type WasmKernel } from '@evenkeel/core';
import { activationCode } from '../activation.ts';
import { asRows } from '../axes.ts';
import { parameters } from '../wasm-parameters.ts';
import binary from './rms-norm.wasm.ts';
import type { RMSNormOptions } from './op.ts';

type Attributes = Required<RMSNormOptions>;

export const rmsNormWasm = (): WasmKernel<Attributes> =>
  wasmKernel({
    binary,
    plan: (call) => {
      const { epsilon, activation } = call.attrs;
      const { rows, width } = asRows(call.inputs['x']!.shape, 1);
      const { args, scratch, fills } = parameters(call, width, { gamma: 1 });
      return {
        scratch,
        calls: [...fills, { export: 'forward', args: ['x', ...args, 'y', rows, width, epsilon, activationCode(activation)] }],
      };
    },
  });

export const addRmsNormWasm = (): WasmKernel<Attributes> =>
  wasmKernel({
    binary,
    plan: (call) => {
      const { epsilon, activation } = call.attrs;
      const { rows, width } = asRows(call.inputs['x']!.shape, 1);
      const { args, scratch, fills } = parameters(call, width, { gamma: 1 });
      return {
        scratch,
        calls: [
          ...fills,
          { export: 'addForward', args: ['x', 'residual', ...args, 'y', 'sum', rows, width, epsilon, activationCode(activation)] },
        ],
      };
    },
  });

export const rmsNormGradWasm = (): WasmKernel<Attributes> =>
  wasmKernel({
    binary,
    plan: (call) => {
      const { epsilon, activation } = call.attrs;
      const { rows, width } = asRows(call.inputs['x']!.shape, 1);
      const { args, scratch, fills } = parameters(call, width, { gamma: 1 });
      return {
        scratch: { ...scratch, totals: 8 * width },
        calls: [
          ...fills,
          {
            export: 'gradient',
            args: ['x', 'dy', ...args, 'dsum', 'dx', 'dgamma', 'totals', rows, width, epsilon, activationCode(activation)],
          },
        ],
      };
    },
  });
