import { wasmKernel, type WasmKernel } from '@evenkeel/core';
import { asSlabs } from '../axes.ts';
import { asColumns } from '../wasm-columns.ts';
import { parameters } from '../wasm-parameters.ts';
import binary from './unmix-tns.wasm.ts';

export interface UnMixNormAttributes {
  epsilon: number;
  temperature: number;
  momentum: number;
  exactMixtureVariance: boolean;
}

export interface UnMixNormGradAttributes {
  components: number;
  epsilon: number;
}

export const unMixNormWasm = (): WasmKernel<UnMixNormAttributes> =>
  wasmKernel({
    binary,
    plan: (call) => {
      const { epsilon, temperature, momentum, exactMixtureVariance } = call.attrs;
      const { samples, positions, channels } = asSlabs(call.inputs['x']!.shape);
      const components = call.inputs['means']!.shape[0]!;
      const { copies, room } = asColumns(positions, channels);
      const { args, scratch, fills } = parameters(call, channels, { gamma: 1, beta: 0 });
      const outputs = ['y', 'meansStep', 'variancesStep', 'assignment', 'statistics', 'skipped'];
      const sizes = [samples, positions, channels, copies, components];
      const numbers = [epsilon, temperature, 1 - momentum, Number(exactMixtureVariance)];
      return {
        scratch: { ...scratch, scratch: 8 * room + 16 * components },
        calls: [...fills, { export: 'forward', args: ['x', 'means', 'variances', ...args, ...outputs, 'scratch', ...sizes, ...numbers] }],
      };
    },
  });

export const unMixNormGradWasm = (): WasmKernel<UnMixNormGradAttributes> =>
  wasmKernel({
    binary,
    plan: (call) => {
      const { components, epsilon } = call.attrs;
      const { samples, positions, channels } = asSlabs(call.inputs['x']!.shape);
      const { copies, room } = asColumns(positions, channels);
      const { args, scratch, fills } = parameters(call, channels, { gamma: 1 });
      const sizes = [samples, positions, channels, copies, components];
      return {
        scratch: { ...scratch, scratch: 8 * room + 16 * channels },
        calls: [
          ...fills,
          { export: 'gradient', args: ['x', 'dy', 'statistics', ...args, 'dx', 'dgamma', 'dbeta', 'scratch', ...sizes, epsilon] },
        ],
      };
    },
  });
