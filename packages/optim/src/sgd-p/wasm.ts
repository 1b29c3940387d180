import { wasmKernel, type WasmKernel, type WasmPlan } from '@evenkeel/core';
import { channelLayout } from '../projection/layout.ts';
import { projectionConstants, sumsBytes } from '../projection/wasm.ts';
import { sgdConstants } from '../sgd-w/wasm.ts';
import { sgdPDecay, type SGDPAttributes } from './attributes.ts';
import binary from './sgd-p.wasm.ts';

export const sgdPWasm = (): WasmKernel<SGDPAttributes> =>
  wasmKernel({
    binary,
    plan: ({ inputs, attrs }): WasmPlan => {
      const layout = channelLayout('SGDPStep', inputs['value']!.shape, attrs.channelAxes);
      const tensors = ['value', 'gradient', 'velocity', 'scale', 'nextValue', 'nextVelocity', 'view', 'sums'];
      return {
        scratch: { sums: sumsBytes(layout) },
        calls: [
          {
            export: 'sgdP',
            args: [
              ...tensors,
              layout.outer,
              layout.channels,
              layout.inner,
              ...sgdConstants(attrs),
              attrs.projectMomentumBuffer && !attrs.nesterov ? 1 : 0,
              attrs.learningRate,
              sgdPDecay(attrs),
              ...projectionConstants(attrs),
            ],
          },
        ],
      };
    },
  });
