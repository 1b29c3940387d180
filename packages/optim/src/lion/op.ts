import { add, mul, sign, sub } from '@tensorflow/tfjs-core';
import { defineOp } from '@evenkeel/core';
import { checkTensors, gated, likeValue, scaled, scaleSpec } from '../gate.ts';
import { owner } from '../owner.ts';
import { checkLion, lionDefaults } from './attributes.ts';
import { lionWasm } from './wasm.ts';
import { lionWgsl } from './wgsl.ts';

/**
 * A step of Lion (Chen et al. 2023): value - learningRate (sign(beta1 momentum + (1 - beta1) gradient) + weightDecay value), then
 * momentum = beta2 momentum + (1 - beta2) gradient. A `scale` multiplies the gradient; where it is not finite, nothing changes.
 */
export const LionStep = /* @__PURE__ */ defineOp({
  name: 'LionStep',
  owner,
  inputs: { value: '...', gradient: '...', momentum: '...', scale: scaleSpec },
  attrs: lionDefaults,
  check: ({ value, gradient, momentum, scale }, attrs) => {
    checkTensors('LionStep', value, { gradient, momentum }, scale);
    checkLion('LionStep', attrs);
  },
  outputs: { nextValue: likeValue, nextMomentum: likeValue },
  reference: ({ value, gradient, momentum, scale }, { learningRate, beta1, beta2, weightDecay }) => {
    const g = scaled(gradient, scale);
    const step = sign(add(mul(momentum, beta1), mul(g, 1 - beta1)));
    return {
      nextValue: gated(scale, sub(mul(value, 1 - learningRate * weightDecay), mul(step, learningRate)), value),
      nextMomentum: gated(scale, add(mul(momentum, beta2), mul(g, 1 - beta2)), momentum),
    };
  },
  gradient: () => ({}),
  kernels: () => [lionWgsl(), lionWasm()],
});
