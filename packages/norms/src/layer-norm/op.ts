import { add, div, mean, mul, sqrt, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp } from '@evenkeel/core';
import { activate, betaFor, checkActivation, slope, type Activation } from '../activation.ts';
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
  /** What is applied to the result in the same pass. Default 'linear': nothing. */
  activation?: Activation;
}

export function affine(xhat: Tensor, gamma: Tensor | undefined, beta: Tensor | undefined): Tensor {
  const scaled = gamma ? mul(xhat, gamma) : xhat;
  return beta ? add(scaled, beta) : scaled;
}

/** mean and 1 / sqrt(var + epsilon) over `axes`, kept as axes of length 1. */
export function standardize(x: Tensor, axes: number[], epsilon: number): { xhat: Tensor; r: Tensor } {
  const centred = sub(x, mean(x, axes, true));
  const r = div(1, sqrt(add(mean(square(centred), axes, true), epsilon)));
  return { xhat: mul(centred, r), r };
}

const attrs: Required<LayerNormOptions> = { axes: [-1], epsilon: 1e-5, activation: 'linear' };

/**
 * dx = r (g - mean(g) - xhat mean(g xhat)) + dsum with g = dy gamma; dgamma = sum over rows of dy xhat; dbeta = sum over rows of dy.
 * `dsum` is a gradient that reaches x on a way past the norm. Behind an activation dy is first multiplied by its slope, for which
 * beta is needed.
 */
export const LayerNormGrad = /* @__PURE__ */ defineOp({
  name: 'LayerNormGrad',
  owner,
  inputs: {
    x: '...',
    dy: '...',
    gamma: { shape: '...', optional: true },
    beta: { shape: '...', optional: true },
    dsum: { shape: '...', optional: true },
  },
  attrs,
  check: ({ x, dy, gamma, beta, dsum }, { axes, activation }) => {
    checkActivation('LayerNormGrad', activation);
    const normalized = x.shape.slice(x.rank - countTrailing('LayerNormGrad', x, axes));
    checkShape('LayerNormGrad', 'dy', dy, x.shape, 'as x');
    checkShape('LayerNormGrad', 'gamma', gamma, normalized, 'the normalized axes of x');
    checkShape('LayerNormGrad', 'beta', beta, normalized, 'the normalized axes of x');
    checkShape('LayerNormGrad', 'dsum', dsum, x.shape, 'as x');
  },
  outputs: {
    dx: ({ x }) => ({ shape: x.shape, dtype: 'float32' }),
    dgamma: ({ x }, { axes }) => ({ shape: x.shape.slice(x.rank - axes.length), dtype: 'float32' }),
    dbeta: ({ x }, { axes }) => ({ shape: x.shape.slice(x.rank - axes.length), dtype: 'float32' }),
  },
  reference: ({ x, dy, gamma, beta, dsum }, { axes, epsilon, activation }) => {
    const over = trailingAxes(x, axes.length);
    const rows = leadingAxes(x, axes.length);
    const { xhat, r } = standardize(x, over, epsilon);
    const dz = slope(affine(xhat, gamma, beta), dy, activation);
    const g = gamma ? mul(dz, gamma) : dz;
    const dx = mul(r, sub(sub(g, mean(g, over, true)), mul(xhat, mean(mul(g, xhat), over, true))));
    return { dx: dsum ? add(dx, dsum) : dx, dgamma: sum(mul(dz, xhat), rows), dbeta: sum(dz, rows) };
  },
  kernels: () => [layerNormGradWgsl(), layerNormGradWasm()],
});

function checkLayerNorm(
  op: string,
  x: Tensor,
  gamma: Tensor | undefined,
  beta: Tensor | undefined,
  { axes, epsilon, activation }: Required<LayerNormOptions>,
): void {
  checkEpsilon(op, epsilon);
  checkActivation(op, activation);
  const count = countTrailing(op, x, axes);
  checkReduced(op, x, trailingAxes(x, count));
  const normalized = x.shape.slice(x.rank - count);
  checkShape(op, 'gamma', gamma, normalized, 'the normalized axes of x');
  checkShape(op, 'beta', beta, normalized, 'the normalized axes of x');
}

function composed(
  x: Tensor,
  gamma: Tensor | undefined,
  beta: Tensor | undefined,
  { axes, epsilon, activation }: Required<LayerNormOptions>,
): Tensor {
  return activate(affine(standardize(x, trailingAxes(x, axes.length), epsilon).xhat, gamma, beta), activation);
}

export const LayerNorm = /* @__PURE__ */ defineOp({
  name: 'LayerNorm',
  owner,
  inputs: { x: '...', gamma: { shape: '...', optional: true }, beta: { shape: '...', optional: true } },
  attrs,
  check: ({ x, gamma, beta }, each) => checkLayerNorm('LayerNorm', x, gamma, beta, each),
  reference: ({ x, gamma, beta }, each) => composed(x, gamma, beta, each),
  gradient: (dy, { x, gamma, beta }, each) => {
    const { dx, dgamma, dbeta } = LayerNormGrad({ x, dy, gamma, beta: betaFor(each.activation, beta) }, each);
    return { x: dx, gamma: dgamma, beta: dbeta };
  },
  kernels: () => [layerNormWgsl(), layerNormWasm()],
});

export const AddLayerNorm = /* @__PURE__ */ defineOp({
  name: 'AddLayerNorm',
  owner,
  inputs: { x: '...', residual: '...', gamma: { shape: '...', optional: true }, beta: { shape: '...', optional: true } },
  attrs,
  check: ({ x, residual, gamma, beta }, each) => {
    checkShape('AddLayerNorm', 'residual', residual, x.shape, 'as x');
    checkLayerNorm('AddLayerNorm', x, gamma, beta, each);
  },
  outputs: { y: ({ x }) => ({ shape: x.shape, dtype: 'float32' }), sum: ({ x }) => ({ shape: x.shape, dtype: 'float32' }) },
  saveOutputs: ['sum'],
  reference: ({ x, residual, gamma, beta }, each) => {
    const total = add(x, residual);
    return { y: composed(total, gamma, beta, each), sum: total };
  },
  gradient: (dy, { gamma, beta }, each, outputs) => {
    const needed = { x: outputs.sum, dy: dy.y, gamma, beta: betaFor(each.activation, beta), dsum: dy.sum };
    const { dx, dgamma, dbeta } = LayerNormGrad(needed, each);
    return { x: dx, residual: dx, gamma: dgamma, beta: dbeta };
  },
  kernels: () => [addLayerNormWgsl(), addLayerNormWasm()],
});

/**
 * Layer normalization over trailing axes: y = f(gamma (x - mean) / sqrt(var + epsilon) + beta), with the biased variance; `activation` is f.
 *
 * @param x - [..., n] float32
 * @param gamma - the shape of the normalized axes; left out: 1
 * @param beta - the shape of the normalized axes; left out: 0
 * @returns a new tensor of x's shape. A constant row becomes f(beta); so does everything when a single element is normalized. NaN or infinity
 * stays in its row. Numbers as large as 65504, and mean 1e4 with deviation 1, are right to 5e-3.
 * @throws EvenkeelError SHAPE when gamma or beta do not fit or a normalized axis is empty, DTYPE for other than float32,
 * INVALID_ARGUMENT for axes that are not trailing and contiguous, epsilon <= 0, or an unknown activation
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
 * Residual connection and layer normalization in one pass: sum = x + residual, y = layerNorm(sum). Transformers need both. An `activation` is
 * applied to y, not to sum.
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
