import {
  abs,
  add,
  cast,
  div,
  exp,
  lessEqual,
  log,
  matMul,
  maximum,
  min,
  mul,
  neg,
  reshape,
  stack,
  sub,
  sum,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { defineOp, expect } from '@evenkeel/core';
import { owner } from '../owner.ts';
import type { MarginSumsOptions } from './solver.ts';
import { marginSumsWasm } from './wasm.ts';
import { marginSumsWgsl } from './wgsl.ts';

const column = (v: Tensor): Tensor => reshape(v, [-1, 1]);
const flat = (m: Tensor): Tensor => reshape(m, [-1]);

export const MarginSums = /* @__PURE__ */ defineOp({
  name: 'MarginSums',
  owner,
  inputs: { x: 'n,d', y: 'n', theta: 'd' },
  attrs: { weights: 'logistic' } as Required<MarginSumsOptions>,
  check: ({ x }, { weights }) => {
    expect(weights === 'logistic' || weights === 'misclassified', 'MarginSums', 'weights', "'logistic' or 'misclassified'", weights);
    expect(x.size > 0, 'MarginSums', 'x', 'at least one sample and one feature', x, 'SHAPE');
  },
  outputs: {
    direction: ({ theta }) => ({ shape: theta.shape, dtype: 'float32' }),
    statistics: () => ({ shape: [4], dtype: 'float32' }),
  },
  reference: ({ x, y, theta }, { weights }) => {
    const margins = mul(y, flat(matMul(x, column(theta))));
    const least = min(margins);
    const decay = exp(neg(abs(margins)));
    const wrong = cast(lessEqual(margins, 0), 'float32');
    // Divided by exp(-max(0, least)), so that the largest weight is between 1/2 and 1, and all of them cannot vanish.
    const logistic = div(exp(sub(maximum(least, 0), maximum(margins, 0))), add(decay, 1));
    const each = weights === 'logistic' ? logistic : wrong;
    const losses = add(maximum(neg(margins), 0), log(add(decay, 1)));
    return {
      direction: flat(matMul(reshape(mul(each, y), [1, -1]), x)),
      statistics: stack([least, sum(each), sum(wrong), sum(losses)]),
    };
  },
  kernels: () => [marginSumsWgsl(), marginSumsWasm()],
});

/**
 * What one step of training a linear classifier needs to know of the data, in one pass over it. With the margins m = y (x . theta):
 *
 * - `direction`, sum of w y x over the samples
 * - `statistics`, four numbers: the least margin, the sum of w, how many margins are 0 or less, the sum of log(1 + exp(-m))
 *
 * Logistic weights are 1 / (1 + exp(m)), divided by exp(-max(0, least margin)): `direction` over the sum of w is then the weighted mean of
 * the samples at any scale of theta, where the weights themselves would have vanished in float32 at margins of 103. It is not to be
 * differentiated: three of the statistics have kinks or steps.
 *
 * @param x - [samples, features] float32, finite
 * @param y - [samples] float32, 1 or -1
 * @param theta - [features] float32
 * @throws EvenkeelError SHAPE for shapes that disagree or no samples, DTYPE for other than float32, INVALID_ARGUMENT for unknown weights
 *
 * Source: Tyurin 2024, "From Logistic Regression to the Perceptron Algorithm: Exploring Gradient Descent with Large Step Sizes".
 *
 * @example
 * const { direction, statistics } = marginSums(x, y, theta);
 * const [, total] = await statistics.data();
 * const next = tf.add(theta, tf.mul(direction, 100 / total!)); // a step of normalized gradient descent
 */
export function marginSums(x: Tensor, y: Tensor, theta: Tensor, options?: MarginSumsOptions): { direction: Tensor; statistics: Tensor } {
  return MarginSums({ x, y, theta }, options);
}
