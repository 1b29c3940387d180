import { wgslKernel, type WgslKernel } from '@evenkeel/core';
import { gate } from '../wgsl/gate.ts';
import { updateDispatch } from '../wgsl/update.ts';
import { sgdFactors, type SGDAttributes } from './attributes.ts';
import step from './sgd-w.wgsl.ts';
import sgd from './sgd.wgsl.ts';

export const sgdWWgsl = (): WgslKernel<SGDAttributes> =>
  wgslKernel({
    shaders: { step: { code: `${step}${sgd}${gate}` } },
    plan: ({ inputs, attrs }) => {
      const { learningRate, weightDecay } = attrs;
      return { dispatches: [updateDispatch(inputs, { ...sgdFactors(attrs), rate: learningRate, keep: 1 - learningRate * weightDecay })] };
    },
  });
