import { add, div, mean, mul, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp } from '@evenkeel/core';
import { countTrailing, leadingAxes, trailingAxes } from '../axes.ts';
import { checkReduced, checkShape } from '../checks.ts';
import { aboveFloor, checkL1, denominator, deviate, deviationFactor, type L1NormOptions } from '../l1.ts';
import { owner } from '../owner.ts';
import { l1LayerNormGradWasm, l1LayerNormWasm } from './wasm.ts';
import { l1LayerNormGradWgsl, l1LayerNormWgsl } from './wgsl.ts';

export interface L1LayerNormOptions extends L1NormOptions {
  /** The trailing axes that share a mean and a deviation. Default [-1]. */
  axes?: number[];
}

/**
 * dx = (g - mean(g) - (s - mean(s)) mean(g xhat)) / denominator with g = dy gamma and s = sign(x - mean), times sqrt(pi / 2) with
 * `gaussianScale`; dgamma = sum over rows of dy xhat; dbeta = sum over rows of dy.
 */
export const L1LayerNormGrad = /* @__PURE__ */ defineOp({
  name: 'L1LayerNormGrad',
  owner,
  inputs: { x: '...', dy: '...', gamma: { shape: '...', optional: true } },
  attrs: { axes: [-1], epsilon: 1e-5, gaussianScale: false, gradFloor: 0 },
  check: ({ x, dy, gamma }, { axes }) => {
    checkShape('L1LayerNormGrad', 'dy', dy, x.shape, 'as x');
    const normalized = x.shape.slice(x.rank - countTrailing('L1LayerNormGrad', x, axes));
    checkShape('L1LayerNormGrad', 'gamma', gamma, normalized, 'the normalized axes of x');
  },
  outputs: {
    dx: ({ x }) => ({ shape: x.shape, dtype: 'float32' }),
    dgamma: ({ x }, { axes }) => ({ shape: x.shape.slice(x.rank - axes.length), dtype: 'float32' }),
    dbeta: ({ x }, { axes }) => ({ shape: x.shape.slice(x.rank - axes.length), dtype: 'float32' }),
  },
  reference: ({ x, dy, gamma }, attrs) => {
    const over = trailingAxes(x, attrs.axes.length);
    const rows = leadingAxes(x, attrs.axes.length);
    const { centred, signs, deviation } = deviate(x, over, true);
    const divisor = denominator(deviation, attrs);
    const xhat = div(centred, divisor);
    const g = gamma ? mul(dy, gamma) : dy;
    const along = mul(mean(mul(g, xhat), over, true), deviationFactor(attrs.gaussianScale));
    const through = sub(sub(g, mean(g, over, true)), mul(sub(signs, mean(signs, over, true)), along));
    const dx = div(through, divisor);
    return {
      dx: mul(dx, aboveFloor(deviation, attrs.gradFloor)),
      dgamma: sum(mul(dy, xhat), rows),
      dbeta: sum(dy, rows),
    };
  },
  kernels: () => [l1LayerNormGradWgsl(), l1LayerNormGradWasm()],
});

export const L1LayerNorm = /* @__PURE__ */ defineOp({
  name: 'L1LayerNorm',
  owner,
  inputs: { x: '...', gamma: { shape: '...', optional: true }, beta: { shape: '...', optional: true } },
  attrs: { axes: [-1], epsilon: 1e-5, gaussianScale: false, gradFloor: 0 },
  check: ({ x, gamma, beta }, attrs) => {
    checkL1('L1LayerNorm', attrs);
    const count = countTrailing('L1LayerNorm', x, attrs.axes);
    checkReduced('L1LayerNorm', x, trailingAxes(x, count));
    const normalized = x.shape.slice(x.rank - count);
    checkShape('L1LayerNorm', 'gamma', gamma, normalized, 'the normalized axes of x');
    checkShape('L1LayerNorm', 'beta', beta, normalized, 'the normalized axes of x');
  },
  reference: ({ x, gamma, beta }, attrs) => {
    const { centred, deviation } = deviate(x, trailingAxes(x, attrs.axes.length), true);
    const xhat = div(centred, denominator(deviation, attrs));
    const scaled = gamma ? mul(xhat, gamma) : xhat;
    return beta ? add(scaled, beta) : scaled;
  },
  gradient: (dy, { x, gamma }, attrs) => {
    const { dx, dgamma, dbeta } = L1LayerNormGrad({ x, dy, gamma }, attrs);
    return { x: dx, gamma: dgamma, beta: dbeta };
  },
  kernels: () => [l1LayerNormWgsl(), l1LayerNormWasm()],
});

/**
 * Layer normalization by the mean absolute deviation: y = gamma (x - mean) / (mean |x - mean| + epsilon) + beta over trailing axes. No
 * square and no root, so that numbers as large as 1e30 are no danger.
 *
 * @param x - [..., n] float32
 * @param gamma - the shape of the normalized axes; left out: 1
 * @param beta - the shape of the normalized axes; left out: 0
 * @returns a new tensor of x's shape. A constant row becomes beta, and so does everything when a single element is normalized; the
 * gradient of a constant row is (dy - mean(dy)) / epsilon, or 0 with a `gradFloor`. NaN stays in its row. Mean 1e4 with deviation 1 is right to 5e-3.
 * @throws EvenkeelError SHAPE when gamma or beta do not fit or a normalized axis is empty, DTYPE for other than float32,
 * INVALID_ARGUMENT for axes that are not trailing and contiguous, epsilon <= 0 or gradFloor < 0
 *
 * Source: the norm of Guo et al. 2024, "Towards Accurate and Efficient Sub-8-Bit Integer Training"; where epsilon stands, and the gradient
 * at x = mean (sign 0), are ours.
 *
 * @example
 * const y = l1LayerNorm(tf.tensor2d([[1, 3, 8]])); // [[-1.125, -0.375, 1.5]]
 */
export function l1LayerNorm(x: Tensor, gamma?: Tensor, beta?: Tensor, options?: L1LayerNormOptions): Tensor {
  return L1LayerNorm({ x, gamma, beta }, options);
}
