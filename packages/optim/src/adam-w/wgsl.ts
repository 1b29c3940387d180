import { wgslKernel, type WgslKernel } from '@evenkeel/core';
import { gate } from '../wgsl/gate.ts';
import { updateDispatch } from '../wgsl/update.ts';
import step from './adam-w.wgsl.ts';
import adam from './adam.wgsl.ts';
import { adamFactors, type AdamAttributes } from './attributes.ts';

export const adamWWgsl = (): WgslKernel<AdamAttributes> =>
  wgslKernel({
    shaders: { step: { code: `${step}${adam}${gate}` } },
    plan: ({ inputs, attrs }) => ({
      dispatches: [updateDispatch(inputs, { ...adamFactors(attrs), keep: 1 - attrs.learningRate * attrs.weightDecay })],
    }),
  });
