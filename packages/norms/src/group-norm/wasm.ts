import { wasmKernel, type WasmKernel } from '@evenkeel/core';
import { activationCode } from '../activation.ts';
import { asSlabs } from '../axes.ts';
import { asColumns } from '../wasm-columns.ts';
import { parameters } from '../wasm-parameters.ts';
import binary from './group-norm.wasm.ts';
import type { GroupNormOptions } from './op.ts';

type Attributes = Required<GroupNormOptions>;

export const groupNormWasm = (): WasmKernel<Attributes> =>
  wasmKernel({
    binary,
    plan: (call) => {
      const { numGroups, epsilon, activation } = call.attrs;
      const { samples, positions, channels } = asSlabs(call.inputs['x']!.shape);
      const { copies, room } = asColumns(positions, channels);
      const { args, scratch, fills } = parameters(call, channels, { gamma: 1, beta: 0 });
      return {
        scratch: { ...scratch, scratch: 7 * room },
        calls: [
          ...fills,
          {
            export: 'forward',
            args: ['x', ...args, 'y', 'scratch', samples, positions, channels, numGroups, copies, epsilon, activationCode(activation)],
          },
        ],
      };
    },
  });

export const groupNormGradWasm = (): WasmKernel<Attributes> =>
  wasmKernel({
    binary,
    plan: (call) => {
      const { numGroups, epsilon, activation } = call.attrs;
      const { samples, positions, channels } = asSlabs(call.inputs['x']!.shape);
      const { copies, room } = asColumns(positions, channels);
      const { args, scratch, fills } = parameters(call, channels, { gamma: 1, beta: 0 });
      const outputs = ['dx', 'dgamma', 'dbeta'];
      const sizes = [samples, positions, channels, numGroups, copies];
      return {
        scratch: { ...scratch, scratch: 8 * room + 16 * channels },
        calls: [
          ...fills,
          {
            export: 'gradient',
            args: ['x', 'dy', ...args, ...outputs, 'scratch', ...sizes, epsilon, activationCode(activation)],
          },
        ],
      };
    },
  });
