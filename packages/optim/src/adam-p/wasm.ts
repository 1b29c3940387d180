import { wasmKernel, type WasmKernel, type WasmPlan } from '@evenkeel/core';
import { adamFactors } from '../adam-w/attributes.ts';
import { adamConstants } from '../adam-w/wasm.ts';
import { channelLayout } from '../projection/layout.ts';
import { projectionConstants, sumsBytes } from '../projection/wasm.ts';
import binary from './adam-p.wasm.ts';
import type { AdamPAttributes } from './attributes.ts';

export const adamPWasm = (): WasmKernel<AdamPAttributes> =>
  wasmKernel({
    binary,
    plan: ({ inputs, attrs }): WasmPlan => {
      const layout = channelLayout('AdamPStep', inputs['value']!.shape, attrs.channelAxes);
      const tensors = ['value', 'gradient', 'first', 'second', 'scale', 'nextValue', 'nextFirst', 'nextSecond', 'view', 'sums'];
      return {
        scratch: { sums: sumsBytes(layout) },
        calls: [
          {
            export: 'adamP',
            args: [
              ...tensors,
              layout.outer,
              layout.channels,
              layout.inner,
              ...adamConstants(attrs),
              adamFactors(attrs).rate,
              attrs.learningRate * attrs.weightDecay,
              ...projectionConstants(attrs),
            ],
          },
        ],
      };
    },
  });
