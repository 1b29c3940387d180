import { wasmKernel, type WasmKernel } from '@evenkeel/core';
import { asChannels } from '../axes.ts';
import binary from './channel-mean-max.wasm.ts';

function kernel(name: string, before: readonly string[], after: string): WasmKernel<object> {
  return wasmKernel({
    binary,
    plan: ({ inputs }) => {
      const { rows, channels } = asChannels(inputs['x']!.shape);
      return { calls: [{ export: name, args: [...before, after, rows, channels] }] };
    },
  });
}

export const channelMeanMaxWasm = (): WasmKernel<object> => kernel('forward', ['x'], 'y');
export const channelMeanMaxGradWasm = (): WasmKernel<object> => kernel('gradient', ['x', 'dy'], 'dx');
