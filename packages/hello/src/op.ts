import { add, div, mean, mul, sqrt, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp, expect } from '@evenkeel/core';
import { owner } from './owner.ts';
import { helloNormGradWasm, helloNormWasm } from './wasm.ts';
import { helloNormGradWgsl, helloNormWgsl } from './wgsl.ts';

export interface HelloNormOptions {
  /** Added to the mean square, inside the root. Default 1e-6. */
  epsilon?: number;
}

// #region gradient
/** dx = r (g - xhat mean(g xhat)) with g = dy gamma, r = 1 / sqrt(mean(x^2) + epsilon), xhat = x r; dgamma = sum over rows of dy xhat. */
export const HelloNormGrad = /* @__PURE__ */ defineOp({
  name: 'HelloNormGrad',
  owner,
  inputs: { x: '...,n', gamma: 'n', dy: '...,n' },
  attrs: { epsilon: 1e-6 },
  check: ({ x, dy }) => {
    expect(x.shape.join() === dy.shape.join(), 'HelloNormGrad', 'dy', `the shape of x, [${x.shape.join(', ')}]`, dy.shape);
  },
  outputs: { dx: ({ x }) => x, dgamma: ({ gamma }) => gamma },
  reference: ({ x, gamma, dy }, { epsilon }) => {
    const r = div(1, sqrt(add(mean(square(x), -1, true), epsilon)));
    const xhat = mul(x, r);
    const g = mul(dy, gamma);
    return {
      dx: mul(r, sub(g, mul(xhat, mean(mul(g, xhat), -1, true)))),
      dgamma: sum(
        mul(dy, xhat),
        x.shape.slice(1).map((_, axis) => axis),
      ),
    };
  },
  kernels: () => [helloNormGradWgsl(), helloNormGradWasm()],
});
// #endregion gradient

// #region op
export const HelloNorm = /* @__PURE__ */ defineOp({
  name: 'HelloNorm',
  owner,
  inputs: { x: '...,n', gamma: 'n' },
  attrs: { epsilon: 1e-6 },
  check: ({ x }, { epsilon }) => {
    expect(x.shape.at(-1) !== 0, 'HelloNorm', 'x', 'at least one element along its last axis', x.shape);
    expect(Number.isFinite(epsilon) && epsilon > 0, 'HelloNorm', 'epsilon', 'a finite number > 0', epsilon);
  },
  reference: ({ x, gamma }, { epsilon }) => mul(div(x, sqrt(add(mean(square(x), -1, true), epsilon))), gamma),
  // #region gradient-and-kernels
  gradient: (dy, { x, gamma }, attrs) => {
    const { dx, dgamma } = HelloNormGrad({ x, gamma, dy }, attrs);
    return { x: dx, gamma: dgamma };
  },
  kernels: () => [helloNormWgsl(), helloNormWasm()],
  // #endregion gradient-and-kernels
});
// #endregion op

/**
 * Root-mean-square normalization over the last axis: y = gamma x / sqrt(mean(x^2) + epsilon).
 *
 * @param x - [..., n] float32
 * @param gamma - [n]
 * @returns a new tensor of x's shape
 * @throws EvenkeelError SHAPE when gamma is not [n], DTYPE for other than float32, INVALID_ARGUMENT for n = 0 or epsilon <= 0
 *
 * Source: Zhang, Sennrich 2019, "Root Mean Square Layer Normalization", equation 4.
 *
 * @example
 * const y = helloNorm(tf.tensor2d([[3, 4]]), tf.ones([2])); // [[0.849, 1.131]]
 */
export function helloNorm(x: Tensor, gamma: Tensor, options?: HelloNormOptions): Tensor {
  return HelloNorm({ x, gamma }, options);
}
