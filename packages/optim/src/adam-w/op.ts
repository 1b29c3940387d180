import { add, div, mul, sqrt, square, sub, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp } from '@evenkeel/core';
import { checkTensors, gated, likeValue, scaled, scaleSpec } from '../gate.ts';
import { owner } from '../owner.ts';
import { adamDefaults, adamFactors, checkAdam, type AdamAttributes } from './attributes.ts';
import { adamWWasm } from './wasm.ts';
import { adamWWgsl } from './wgsl.ts';

/** The moments after this step, and the step itself before its rate. */
export function adamStep(gradient: Tensor, first: Tensor, second: Tensor, attrs: AdamAttributes) {
  const { beta1, gain1, beta2, gain2, ahead, now, spread, epsilon } = adamFactors(attrs);
  const nextFirst = add(mul(first, beta1), mul(gradient, gain1));
  const nextSecond = add(mul(second, beta2), mul(square(gradient), gain2));
  const numerator = now === 0 ? nextFirst : add(mul(nextFirst, ahead), mul(gradient, now));
  return { first: nextFirst, second: nextSecond, step: div(numerator, add(mul(sqrt(nextSecond), spread), epsilon)) };
}

export const adamInputs = { value: '...', gradient: '...', first: '...', second: '...', scale: scaleSpec } as const;
export const adamOutputs = { nextValue: likeValue, nextFirst: likeValue, nextSecond: likeValue };

/**
 * A step of AdamW (Loshchilov and Hutter 2019): Adam with decoupled weight decay, value - rate step - learningRate weightDecay value. A `scale`
 * multiplies the gradient; where it is not finite, nothing changes.
 */
export const AdamWStep = /* @__PURE__ */ defineOp({
  name: 'AdamWStep',
  owner,
  inputs: adamInputs,
  attrs: adamDefaults,
  check: ({ value, gradient, first, second, scale }, attrs) => {
    checkTensors('AdamWStep', value, { gradient, first, second }, scale);
    checkAdam('AdamWStep', attrs);
  },
  outputs: adamOutputs,
  reference: ({ value, gradient, first, second, scale }, attrs) => {
    const next = adamStep(scaled(gradient, scale), first, second, attrs);
    const kept = mul(value, 1 - attrs.learningRate * attrs.weightDecay);
    return {
      nextValue: gated(scale, sub(kept, mul(next.step, adamFactors(attrs).rate)), value),
      nextFirst: gated(scale, next.first, first),
      nextSecond: gated(scale, next.second, second),
    };
  },
  gradient: () => ({}),
  kernels: () => [adamWWgsl(), adamWWasm()],
});
