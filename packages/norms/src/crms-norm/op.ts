import { add, div, mul, sqrt, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp, expect } from '@evenkeel/core';
import { checkEpsilon, checkReduced, checkShape } from '../checks.ts';
import { owner } from '../owner.ts';
import { addCrmsNormWasm, crmsNormGradWasm, crmsNormWasm } from './wasm.ts';
import { addCrmsNormWgsl, crmsNormGradWgsl, crmsNormWgsl } from './wgsl.ts';

export interface CRMSNormOptions {
  /** Added to the mean square, inside the root. Default 1e-5; a converted model keeps that of its layer normalization. */
  epsilon?: number;
  /** How many of the last columns are padding, zeros that keep rows aligned: with p of them d = n + 1 - p. Default 0. */
  padding?: number;
}

const likeX = ({ x }: { x: Tensor }): { shape: number[]; dtype: 'float32' } => ({ shape: x.shape, dtype: 'float32' });

/** 1 / sqrt((sum(x^2) + sum(x)^2) / d + epsilon) and sum(x): the element that is not there is -sum(x). */
function statistics(x: Tensor, { epsilon, padding }: Required<CRMSNormOptions>): { r: Tensor; s: Tensor; d: number } {
  const d = x.shape.at(-1)! + 1 - padding;
  const s = sum(x, -1, true);
  return { r: div(1, sqrt(add(div(add(sum(square(x), -1, true), square(s)), d), epsilon))), s, d };
}

function check(op: string, x: Tensor, { epsilon, padding }: Required<CRMSNormOptions>): void {
  checkEpsilon(op, epsilon);
  checkReduced(op, x, [x.rank - 1]);
  const width = x.shape.at(-1)!;
  expect(Number.isInteger(padding) && padding >= 0 && padding < width, op, 'padding', `an integer from 0 to ${width - 1}`, padding);
}

/** dx = r dy - r^3 / d sum(dy x) (x + sum(x)) + dsum; `dsum` is a gradient that reaches x on a way past the norm. */
export const CRMSNormGrad = /* @__PURE__ */ defineOp({
  name: 'CRMSNormGrad',
  owner,
  inputs: { x: '...,n', dy: '...,n', dsum: { shape: '...,n', optional: true } },
  attrs: { epsilon: 1e-5, padding: 0 },
  check: ({ x, dy, dsum }) => {
    checkShape('CRMSNormGrad', 'dy', dy, x.shape, 'as x');
    checkShape('CRMSNormGrad', 'dsum', dsum, x.shape, 'as x');
  },
  outputs: { dx: likeX },
  reference: ({ x, dy, dsum }, attrs) => {
    const { r, s, d } = statistics(x, attrs);
    const along = mul(mul(r, square(r)), div(sum(mul(dy, x), -1, true), d));
    const dx = sub(mul(r, dy), mul(along, add(x, s)));
    return { dx: dsum ? add(dx, dsum) : dx };
  },
  kernels: () => [crmsNormGradWgsl(), crmsNormGradWasm()],
});

export const CRMSNorm = /* @__PURE__ */ defineOp({
  name: 'CRMSNorm',
  owner,
  inputs: { x: '...,n' },
  attrs: { epsilon: 1e-5, padding: 0 },
  check: ({ x }, attrs) => check('CRMSNorm', x, attrs),
  reference: ({ x }, attrs) => mul(x, statistics(x, attrs).r),
  gradient: (dy, { x }, attrs) => ({ x: CRMSNormGrad({ x, dy }, attrs).dx }),
  kernels: () => [crmsNormWgsl(), crmsNormWasm()],
});

export const AddCRMSNorm = /* @__PURE__ */ defineOp({
  name: 'AddCRMSNorm',
  owner,
  inputs: { x: '...,n', residual: '...,n' },
  attrs: { epsilon: 1e-5, padding: 0 },
  check: ({ x, residual }, attrs) => {
    checkShape('AddCRMSNorm', 'residual', residual, x.shape, 'as x');
    check('AddCRMSNorm', x, attrs);
  },
  outputs: { y: likeX, sum: likeX },
  saveOutputs: ['sum'],
  reference: ({ x, residual }, attrs) => {
    const total = add(x, residual);
    return { y: mul(total, statistics(total, attrs).r), sum: total };
  },
  gradient: (dy, _, attrs, outputs) => {
    const { dx } = CRMSNormGrad({ x: outputs.sum, dy: dy.y, dsum: dy.sum }, attrs);
    return { x: dx, residual: dx };
  },
  kernels: () => [addCrmsNormWgsl(), addCrmsNormWasm()],
});

/**
 * Compressed root-mean-square normalization over the last axis: y = x / sqrt((sum(x^2) + sum(x)^2) / d + epsilon), where x is a vector of
 * d numbers with mean 0 without its last one, which is -sum(x). So `decompressZeroMean(crmsNorm(compressZeroMean(v)))` is
 * `rmsNorm(v)`, and `layerNorm(v)`, of the same epsilon. There is no gamma: it would have to be the same for all d numbers.
 *
 * @param x - [..., d - 1] float32
 * @returns a new tensor of x's shape; zeros for a row of zeros, whose gradient is dy / sqrt(epsilon). NaN or
 * infinity stays in its row. Numbers as large as 65504 are no danger.
 * @throws EvenkeelError SHAPE for rows without elements (d < 2), DTYPE for other than float32, INVALID_ARGUMENT for epsilon <= 0 or a
 * `padding` that leaves no column
 *
 * Source: Jiang, Gu, Zhu, Pan 2023, "Pre-RMSNorm and Pre-CRMSNorm Transformers".
 *
 * @example
 * const y = crmsNorm(tf.tensor2d([[1, 2]])); // of [1, 2, -3]: [[0.463, 0.926]]
 */
export function crmsNorm(x: Tensor, options?: CRMSNormOptions): Tensor {
  return CRMSNorm({ x }, options);
}

/**
 * Residual connection and compressed root-mean-square normalization in one pass: sum = x + residual, y = crmsNorm(sum).
 *
 * @param x - [..., d - 1] float32
 * @param residual - x's shape
 * @returns `y` and `sum`, new tensors of x's shape
 * @throws as {@link crmsNorm}
 *
 * @example
 * const { y, sum } = addCrmsNorm(attention, stream);
 */
export function addCrmsNorm(x: Tensor, residual: Tensor, options?: CRMSNormOptions): { y: Tensor; sum: Tensor } {
  return AddCRMSNorm({ x, residual }, options);
}
