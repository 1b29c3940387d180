import { wasmKernel, type KernelCall, type WasmKernel, type WasmPlan } from '@evenkeel/core';
import { asChannels } from '../axes.ts';
import { asColumns } from '../wasm-columns.ts';
import { deviationOf, type WeightStandardizationAttributes } from './variants.ts';
import binary from './weight-standardization.wasm.ts';

function kernel(name: string, tensors: readonly string[]): WasmKernel<WeightStandardizationAttributes> {
  return wasmKernel({
    binary,
    plan: ({ inputs, attrs: { variant, epsilon } }: KernelCall<WeightStandardizationAttributes>): WasmPlan => {
      const { rows, channels } = asChannels(inputs['kernel']!.shape);
      const { copies, room } = asColumns(rows, channels);
      const { less, insideRoot } = deviationOf(variant);
      return {
        scratch: { scratch: 9 * room },
        calls: [{ export: name, args: [...tensors, 'scratch', rows, channels, copies, rows - less, Number(insideRoot), epsilon] }],
      };
    },
  });
}

export const weightStandardizationWasm = (): WasmKernel<WeightStandardizationAttributes> => kernel('forward', ['kernel', 'y']);

export const weightStandardizationGradWasm = (): WasmKernel<WeightStandardizationAttributes> => kernel('gradient', ['kernel', 'dy', 'y']);
