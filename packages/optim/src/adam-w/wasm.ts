import { sizeOf, wasmKernel, type WasmKernel, type WasmPlan } from '@evenkeel/core';
import binary from './adam-w.wasm.ts';
import { adamFactors, type AdamAttributes } from './attributes.ts';

/** Adam's constants in the order in which kernels take them. */
export function adamConstants(attrs: AdamAttributes): number[] {
  const { beta1, gain1, beta2, gain2, ahead, now, spread, epsilon } = adamFactors(attrs);
  return [beta1, gain1, beta2, gain2, ahead, now, spread, epsilon];
}

export const adamWWasm = (): WasmKernel<AdamAttributes> =>
  wasmKernel({
    binary,
    plan: ({ inputs, attrs }): WasmPlan => ({
      calls: [
        {
          export: 'adamW',
          args: [
            'value',
            'gradient',
            'first',
            'second',
            'scale',
            'nextValue',
            'nextFirst',
            'nextSecond',
            sizeOf(inputs['value']!.shape),
            ...adamConstants(attrs),
            adamFactors(attrs).rate,
            1 - attrs.learningRate * attrs.weightDecay,
          ],
        },
      ],
    }),
  });
