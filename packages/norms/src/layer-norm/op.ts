import { add, div, mean, mul, sqrt, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp } from '@evenkeel/core';
import { countTrailing, leadingAxes, trailingAxes } from '../axes.ts';
import { checkEpsilon, checkReduced, checkShape } from '../checks.ts';
import { owner } from '../owner.ts';
import { addLayerNormWasm, layerNormGradWasm, layerNormWasm } from './wasm.ts';
import { addLayerNormWgsl, layerNormGradWgsl, layerNormWgsl } from './wgsl.ts';

export interface LayerNormOptions {
  /** The trailing axes that share a mean and a variance. Default [-1]. */
  axes?: number[];
  /** Added to the variance, inside the root. Default 1e-5, as in PyTorch; Keras and tfjs-layers have 1e-3. */
  epsilon?: number;
}

/** mean and 1 / sqrt(var + epsilon) over `axes`, kept as axes of length 1. */
export function standardize(x: Tensor, axes: number[], epsilon: number): { xhat: Tensor; r: Tensor } {
  const centred = sub(x, mean(x, axes, true));
  const r = div(1, sqrt(add(mean(square(centred), axes, true), epsilon)));
  return { xhat: mul(centred, r), r };
}

/**
 * dx = r (g - mean(g) - xhat mean(g xhat)) + dsum with g = dy gamma; dgamma = sum over rows of dy xhat; dbeta = sum over rows of dy.
 * `dsum` is a gradient that reaches x on a way past the norm.
 */
export const LayerNormGrad = /* @__PURE__ */ defineOp({
  name: 'LayerNormGrad',
  owner,
  inputs: { x: '...', dy: '...', gamma: { shape: '...', optional: true }, dsum: { shape: '...', optional: true } },
  attrs: { axes: [-1], epsilon: 1e-5 },
  check: ({ x, dy, gamma, dsum }, { axes }) => {
    const normalized = x.shape.slice(x.rank - countTrailing('LayerNormGrad', x, axes));
    checkShape('LayerNormGrad', 'dy', dy, x.shape, 'as x');
    checkShape('LayerNormGrad', 'gamma', gamma, normalized, 'the normalized axes of x');
    checkShape('LayerNormGrad', 'dsum', dsum, x.shape, 'as x');
  },
  outputs: {
    dx: ({ x }) => ({ shape: x.shape, dtype: 'float32' }),
    dgamma: ({ x }, { axes }) => ({ shape: x.shape.slice(x.rank - axes.length), dtype: 'float32' }),
    dbeta: ({ x }, { axes }) => ({ shape: x.shape.slice(x.rank - axes.length), dtype: 'float32' }),
  },
  reference: ({ x, dy, gamma, dsum }, { axes, epsilon }) => {
    const over = trailingAxes(x, axes.length);
    const rows = leadingAxes(x, axes.length);
    const { xhat, r } = standardize(x, over, epsilon);
    const g = gamma ? mul(dy, gamma) : dy;
    const dx = mul(r, sub(sub(g, mean(g, over, true)), mul(xhat, mean(mul(g, xhat), over, true))));
    return { dx: dsum ? add(dx, dsum) : dx, dgamma: sum(mul(dy, xhat), rows), dbeta: sum(dy, rows) };
  },
  kernels: () => [layerNormGradWgsl(), layerNormGradWasm()],
});

function checkLayerNorm(
  op: string,
  x: Tensor,
  gamma: Tensor | undefined,
  beta: Tensor | undefined,
  { axes, epsilon }: Required<LayerNormOptions>,
): void {
  checkEpsilon(op, epsilon);
  const count = countTrailing(op, x, axes);
  checkReduced(op, x, trailingAxes(x, count));
  const normalized = x.shape.slice(x.rank - count);
  checkShape(op, 'gamma', gamma, normalized, 'the normalized axes of x');
  checkShape(op, 'beta', beta, normalized, 'the normalized axes of x');
}

function composed(x: Tensor, gamma: Tensor | undefined, beta: Tensor | undefined, { axes, epsilon }: Required<LayerNormOptions>): Tensor {
  const { xhat } = standardize(x, trailingAxes(x, axes.length), epsilon);
  const scaled = gamma ? mul(xhat, gamma) : xhat;
  return beta ? add(scaled, beta) : scaled;
}

export const LayerNorm = /* @__PURE__ */ defineOp({
  name: 'LayerNorm',
  owner,
  inputs: { x: '...', gamma: { shape: '...', optional: true }, beta: { shape: '...', optional: true } },
  attrs: { axes: [-1], epsilon: 1e-5 },
  check: ({ x, gamma, beta }, attrs) => checkLayerNorm('LayerNorm', x, gamma, beta, attrs),
  reference: ({ x, gamma, beta }, attrs) => composed(x, gamma, beta, attrs),
  gradient: (dy, { x, gamma }, attrs) => {
    const { dx, dgamma, dbeta } = LayerNormGrad({ x, dy, gamma }, attrs);
    return { x: dx, gamma: dgamma, beta: dbeta };
  },
  kernels: () => [layerNormWgsl(), layerNormWasm()],
});

export const AddLayerNorm = /* @__PURE__ */ defineOp({
  name: 'AddLayerNorm',
  owner,
  inputs: { x: '...', residual: '...', gamma: { shape: '...', optional: true }, beta: { shape: '...', optional: true } },
  attrs: { axes: [-1], epsilon: 1e-5 },
  check: ({ x, residual, gamma, beta }, attrs) => {
    checkShape('AddLayerNorm', 'residual', residual, x.shape, 'as x');
    checkLayerNorm('AddLayerNorm', x, gamma, beta, attrs);
  },
  outputs: { y: ({ x }) => ({ shape: x.shape, dtype: 'float32' }), sum: ({ x }) => ({ shape: x.shape, dtype: 'float32' }) },
  saveOutputs: ['sum'],
  reference: ({ x, residual, gamma, beta }, attrs) => {
    const total = add(x, residual);
    return { y: composed(total, gamma, beta, attrs), sum: total };
  },
  gradient: (dy, { gamma }, attrs, outputs) => {
    const { dx, dgamma, dbeta } = LayerNormGrad({ x: outputs.sum, dy: dy.y, gamma, dsum: dy.sum }, attrs);
    return { x: dx, residual: dx, gamma: dgamma, beta: dbeta };
  },
  kernels: () => [addLayerNormWgsl(), addLayerNormWasm()],
});

/**
 * Layer normalization over trailing axes: y = gamma (x - mean) / sqrt(var + epsilon) + beta, with the biased variance.
 *
 * @param x - [..., n] float32
 * @param gamma - the shape of the normalized axes; left out: 1
 * @param beta - the shape of the normalized axes; left out: 0
 * @returns a new tensor of x's shape. A constant row becomes beta; so does everything when a single element is normalized.
 * @throws EvenkeelError SHAPE when gamma or beta do not fit or a normalized axis is empty, DTYPE for other than float32,
 * INVALID_ARGUMENT for axes that are not trailing and contiguous, or epsilon <= 0
 *
 * Source: Ba, Kiros, Hinton 2016, "Layer Normalization", equation 3.
 *
 * @example
 * const y = layerNorm(tf.tensor2d([[1, 3]]), tf.ones([2]), tf.zeros([2])); // [[-1, 1]]
 */
export function layerNorm(x: Tensor, gamma?: Tensor, beta?: Tensor, options?: LayerNormOptions): Tensor {
  return LayerNorm({ x, gamma, beta }, options);
}

/**
 * Residual connection and layer normalization in one pass: sum = x + residual, y = layerNorm(sum). Transformers need both.
 *
 * @param x - [..., n] float32
 * @param residual - x's shape
 * @returns `y` and `sum`, new tensors of x's shape
 * @throws as {@link layerNorm}
 *
 * @example
 * const { y, sum } = addLayerNorm(attention, x, gamma, beta);
 */
export function addLayerNorm(
  x: Tensor,
  residual: Tensor,
  gamma?: Tensor,
  beta?: Tensor,
  options?: LayerNormOptions,
): { y: Tensor; sum: Tensor } {
  return AddLayerNorm({ x, residual, gamma, beta }, options);
}
