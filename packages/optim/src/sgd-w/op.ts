import { add, mul, sub, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp, expect } from '@evenkeel/core';
import { checkDecay, checkRate, checkShare, checkTensors, gated, likeValue, scaled, scaleSpec } from '../gate.ts';
import { owner } from '../owner.ts';
import { sgdWWasm } from './wasm.ts';
import { sgdWWgsl } from './wgsl.ts';

/** Attributes of a step of SGD with momentum. */
export interface SGDAttributes {
  learningRate: number;
  momentum: number;
  /** What of the gradient does not go into the velocity. */
  dampening: number;
  weightDecay: number;
  nesterov: boolean;
}

export const sgdDefaults: SGDAttributes = { learningRate: 0.01, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false };

export function checkSGD(op: string, { learningRate, momentum, dampening, weightDecay, nesterov }: SGDAttributes): void {
  checkRate(op, learningRate);
  checkShare(op, 'momentum', momentum);
  expect(dampening >= 0 && dampening <= 1, op, 'dampening', 'a number in [0, 1]', dampening);
  checkDecay(op, weightDecay);
  expect(!nesterov || momentum > 0, op, 'momentum', 'a number in (0, 1) with nesterov', momentum);
}

/** The factors that kernels want: the step is ahead velocity + now gradient. */
export const sgdFactors = ({ momentum, dampening, nesterov }: SGDAttributes) => ({
  momentum,
  gain: 1 - dampening,
  ahead: nesterov ? momentum : 1,
  now: nesterov ? 1 : 0,
});

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
