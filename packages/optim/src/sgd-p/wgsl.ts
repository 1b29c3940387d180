import { wgslKernel, type WgslKernel } from '@evenkeel/core';
import { projectedPlan, projectedShaders } from '../projection/wgsl.ts';
import { sgdFactors } from '../sgd-w/attributes.ts';
import sgd from '../sgd-w/sgd.wgsl.ts';
import { sgdPDecay, type SGDPAttributes } from './attributes.ts';
import step from './sgd-p-step.wgsl.ts';
import parts from './sgd-p-sums.wgsl.ts';

export const sgdPWgsl = (): WgslKernel<SGDPAttributes> =>
  wgslKernel({
    shaders: projectedShaders(parts, step, sgd),
    plan: (call) => {
      const { attrs } = call;
      return projectedPlan('SGDPStep', call, sgdFactors(attrs), {
        rate: attrs.learningRate,
        decay: sgdPDecay(attrs),
        project_velocity: attrs.projectMomentumBuffer && !attrs.nesterov ? 1 : 0,
      });
    },
  });
