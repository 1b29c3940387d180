import { wgslKernel, type WgslKernel } from '@evenkeel/core';
import { gate } from '../wgsl/gate.ts';
import { updateDispatch } from '../wgsl/update.ts';
import step from './lion.wgsl.ts';
import type { LionAttributes } from './attributes.ts';

export const lionWgsl = (): WgslKernel<LionAttributes> =>
  wgslKernel({
    shaders: { step: { code: `${step}${gate}` } },
    plan: ({ inputs, attrs: { learningRate, beta1, beta2, weightDecay } }) => ({
      dispatches: [
        updateDispatch(inputs, {
          beta1,
          gain1: 1 - beta1,
          beta2,
          gain2: 1 - beta2,
          rate: learningRate,
          keep: 1 - learningRate * weightDecay,
        }),
      ],
    }),
  });
