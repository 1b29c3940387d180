import { add, div, mean, mul, sqrt, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp } from '@evenkeel/core';
import { leadingAxes } from '../axes.ts';
import { checkEpsilon, checkReduced, checkShape } from '../checks.ts';
import { owner } from '../owner.ts';
import { rmsNormGradWasm, rmsNormWasm } from './wasm.ts';
import { rmsNormGradWgsl, rmsNormWgsl } from './wgsl.ts';

export interface RMSNormOptions {
  /** Added to the mean square, inside the root. Default 1e-6. */
  epsilon?: number;
}

/** dx = r (g - xhat mean(g xhat)) with g = dy gamma, xhat = x r; dgamma = sum over rows of dy xhat. */
export const RMSNormGrad = /* @__PURE__ */ defineOp({
  name: 'RMSNormGrad',
  owner,
  inputs: { x: '...,n', dy: '...,n', gamma: { shape: 'n', optional: true } },
  attrs: { epsilon: 1e-6 },
  check: ({ x, dy }) => checkShape('RMSNormGrad', 'dy', dy, x.shape, 'as x'),
  outputs: {
    dx: ({ x }) => x,
    dgamma: ({ x }) => ({ shape: x.shape.slice(-1), dtype: 'float32' }),
  },
  reference: ({ x, dy, gamma }, { epsilon }) => {
    const r = div(1, sqrt(add(mean(square(x), -1, true), epsilon)));
    const xhat = mul(x, r);
    const g = gamma ? mul(dy, gamma) : dy;
    return {
      dx: mul(r, sub(g, mul(xhat, mean(mul(g, xhat), -1, true)))),
      dgamma: sum(mul(dy, xhat), leadingAxes(x, 1)),
    };
  },
  kernels: () => [rmsNormGradWgsl(), rmsNormGradWasm()],
});

export const RMSNorm = /* @__PURE__ */ defineOp({
  name: 'RMSNorm',
  owner,
  inputs: { x: '...,n', gamma: { shape: 'n', optional: true } },
  attrs: { epsilon: 1e-6 },
  check: ({ x }, { epsilon }) => {
    checkEpsilon('RMSNorm', epsilon);
    checkReduced('RMSNorm', x, [x.rank - 1]);
  },
  reference: ({ x, gamma }, { epsilon }) => {
    const y = div(x, sqrt(add(mean(square(x), -1, true), epsilon)));
    return gamma ? mul(y, gamma) : y;
  },
  gradient: (dy, { x, gamma }, attrs) => {
    const { dx, dgamma } = RMSNormGrad({ x, dy, gamma }, attrs);
    return { x: dx, gamma: dgamma };
  },
  kernels: () => [rmsNormWgsl(), rmsNormWasm()],
});

/**
 * Root-mean-square normalization over the last axis: y = gamma x / sqrt(mean(x^2) + epsilon).
 *
 * @param x - [..., n] float32
 * @param gamma - [n]; left out: 1
 * @returns a new tensor of x's shape
 * @throws EvenkeelError SHAPE when gamma is not [n] or n = 0, DTYPE for other than float32, INVALID_ARGUMENT for epsilon <= 0
 *
 * Source: Zhang, Sennrich 2019, "Root Mean Square Layer Normalization", equation 4.
 *
 * @example
 * const y = rmsNorm(tf.tensor2d([[3, 4]])); // [[0.849, 1.131]]
 */
export function rmsNorm(x: Tensor, gamma?: Tensor, options?: RMSNormOptions): Tensor {
  return RMSNorm({ x, gamma }, options);
}
