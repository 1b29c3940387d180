import { wgslKernel, type WgslKernel } from '@evenkeel/core';
import adam from '../adam-w/adam.wgsl.ts';
import { adamFactors } from '../adam-w/attributes.ts';
import { projectedPlan, projectedShaders } from '../projection/wgsl.ts';
import step from './adam-p-step.wgsl.ts';
import parts from './adam-p-sums.wgsl.ts';
import type { AdamPAttributes } from './attributes.ts';

export const adamPWgsl = (): WgslKernel<AdamPAttributes> =>
  wgslKernel({
    shaders: projectedShaders(parts, step, adam),
    plan: (call) => {
      const { rate, ...factors } = adamFactors(call.attrs);
      return projectedPlan('AdamPStep', call, factors, { rate, decay: call.attrs.learningRate * call.attrs.weightDecay });
    },
  });
