import { add, mul, sub, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp } from '@evenkeel/core';
import { checkTensors, gated, likeValue, scaled, scaleSpec } from '../gate.ts';
import { owner } from '../owner.ts';
import { checkSGD, sgdDefaults, sgdFactors, type SGDAttributes } from './attributes.ts';
import { sgdWWasm } from './wasm.ts';
import { sgdWWgsl } from './wgsl.ts';

/** The velocity after this step, and the step itself before its rate. */
export function sgdStep(gradient: Tensor, velocity: Tensor, attrs: SGDAttributes) {
  const { momentum, gain, ahead, now } = sgdFactors(attrs);
  const next = add(mul(velocity, momentum), mul(gradient, gain));
  return { velocity: next, step: now === 0 ? next : add(mul(next, ahead), gradient) };
}

export const sgdInputs = { value: '...', gradient: '...', velocity: '...', scale: scaleSpec } as const;
export const sgdOutputs = { nextValue: likeValue, nextVelocity: likeValue };

/**
 * A step of SGDW (Loshchilov and Hutter 2019): stochastic gradient descent with momentum and decoupled weight decay,
 * value - learningRate (step + weightDecay value). A `scale` multiplies the gradient; where it is not finite, nothing changes.
 */
export const SGDWStep = /* @__PURE__ */ defineOp({
  name: 'SGDWStep',
  owner,
  inputs: sgdInputs,
  attrs: sgdDefaults,
  check: ({ value, gradient, velocity, scale }, attrs) => {
    checkTensors('SGDWStep', value, { gradient, velocity }, scale);
    checkSGD('SGDWStep', attrs);
  },
  outputs: sgdOutputs,
  reference: ({ value, gradient, velocity, scale }, attrs) => {
    const { learningRate, weightDecay } = attrs;
    const next = sgdStep(scaled(gradient, scale), velocity, attrs);
    return {
      nextValue: gated(scale, sub(mul(value, 1 - learningRate * weightDecay), mul(next.step, learningRate)), value),
      nextVelocity: gated(scale, next.velocity, velocity),
    };
  },
  gradient: () => ({}),
  kernels: () => [sgdWWgsl(), sgdWWasm()],
});
