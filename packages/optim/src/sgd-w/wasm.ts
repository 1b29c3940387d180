import { sizeOf, wasmKernel, type WasmKernel, type WasmPlan } from '@evenkeel/core';
import { sgdFactors, type SGDAttributes } from './attributes.ts';
import binary from './sgd-w.wasm.ts';

/** SGD's constants in the order in which kernels take them. */
export function sgdConstants(attrs: SGDAttributes): number[] {
  const { momentum, gain, ahead, now } = sgdFactors(attrs);
  return [momentum, gain, ahead, now];
}

export const sgdWWasm = (): WasmKernel<SGDAttributes> =>
  wasmKernel({
    binary,
    plan: ({ inputs, attrs }): WasmPlan => {
      const { learningRate, weightDecay } = attrs;
      const tensors = ['value', 'gradient', 'velocity', 'scale', 'nextValue', 'nextVelocity'];
      const constants = [...sgdConstants(attrs), learningRate, 1 - learningRate * weightDecay];
      return { calls: [{ export: 'sgdW', args: [...tensors, sizeOf(inputs['value']!.shape), ...constants] }] };
    },
  });
