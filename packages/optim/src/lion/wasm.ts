import { sizeOf, wasmKernel, type WasmKernel, type WasmPlan } from '@evenkeel/core';
import binary from './lion.wasm.ts';
import type { LionAttributes } from './attributes.ts';

export const lionWasm = (): WasmKernel<LionAttributes> =>
  wasmKernel({
    binary,
    plan: ({ inputs, attrs: { learningRate, beta1, beta2, weightDecay } }): WasmPlan => {
      const tensors = ['value', 'gradient', 'momentum', 'scale', 'nextValue', 'nextMomentum'];
      const constants = [beta1, 1 - beta1, beta2, 1 - beta2, learningRate, 1 - learningRate * weightDecay];
      return { calls: [{ export: 'lion', args: [...tensors, sizeOf(inputs['value']!.shape), ...constants] }] };
    },
  });
