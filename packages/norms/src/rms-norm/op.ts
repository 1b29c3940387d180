import { add, div, mean, mul, sqrt, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp } from '@evenkeel/core';
import { activate, checkActivation, slope, type Activation } from '../activation.ts';
import { leadingAxes } from '../axes.ts';
import { checkEpsilon, checkReduced, checkShape } from '../checks.ts';
import { owner } from '../owner.ts';
import { addRmsNormWasm, rmsNormGradWasm, rmsNormWasm } from './wasm.ts';
import { addRmsNormWgsl, rmsNormGradWgsl, rmsNormWgsl } from './wgsl.ts';

export interface RMSNormOptions {
  /** Added to the mean square, inside the root. Default 1e-6. */
  epsilon?: number;
  /** What is applied to the result in the same pass. Default 'linear': nothing. */
  activation?: Activation;
}

const attrs: Required<RMSNormOptions> = { epsilon: 1e-6, activation: 'linear' };

const likeX = ({ x }: { x: Tensor }): { shape: number[]; dtype: 'float32' } => ({ shape: x.shape, dtype: 'float32' });

const rootOf = (x: Tensor, epsilon: number): Tensor => sqrt(add(mean(square(x), -1, true), epsilon));

function check(op: string, x: Tensor, { epsilon, activation }: Required<RMSNormOptions>): void {
  checkEpsilon(op, epsilon);
  checkActivation(op, activation);
  checkReduced(op, x, [x.rank - 1]);
}

function composed(x: Tensor, gamma: Tensor | undefined, { epsilon, activation }: Required<RMSNormOptions>): Tensor {
  const y = div(x, rootOf(x, epsilon));
  return activate(gamma ? mul(y, gamma) : y, activation);
}

/**
 * dx = r (g - xhat mean(g xhat)) + dsum with g = dy gamma, xhat = x r; dgamma = sum over rows of dy xhat. `dsum` is a gradient that reaches x
 * on a way past the norm. Behind an activation dy is first multiplied by its slope.
 */
export const RMSNormGrad = /* @__PURE__ */ defineOp({
  name: 'RMSNormGrad',
  owner,
  inputs: { x: '...,n', dy: '...,n', gamma: { shape: 'n', optional: true }, dsum: { shape: '...,n', optional: true } },
  attrs,
  check: ({ x, dy, dsum }, { activation }) => {
    checkActivation('RMSNormGrad', activation);
    checkShape('RMSNormGrad', 'dy', dy, x.shape, 'as x');
    checkShape('RMSNormGrad', 'dsum', dsum, x.shape, 'as x');
  },
  outputs: {
    dx: likeX,
    dgamma: ({ x }) => ({ shape: x.shape.slice(-1), dtype: 'float32' }),
  },
  reference: ({ x, dy, gamma, dsum }, { epsilon, activation }) => {
    const r = div(1, rootOf(x, epsilon));
    const xhat = mul(x, r);
    const dz = slope(gamma ? mul(xhat, gamma) : xhat, dy, activation);
    const g = gamma ? mul(dz, gamma) : dz;
    const dx = mul(r, sub(g, mul(xhat, mean(mul(g, xhat), -1, true))));
    return { dx: dsum ? add(dx, dsum) : dx, dgamma: sum(mul(dz, xhat), leadingAxes(x, 1)) };
  },
  kernels: () => [rmsNormGradWgsl(), rmsNormGradWasm()],
});

export const RMSNorm = /* @__PURE__ */ defineOp({
  name: 'RMSNorm',
  owner,
  inputs: { x: '...,n', gamma: { shape: 'n', optional: true } },
  attrs,
  check: ({ x }, each) => check('RMSNorm', x, each),
  reference: ({ x, gamma }, each) => composed(x, gamma, each),
  gradient: (dy, { x, gamma }, each) => {
    const { dx, dgamma } = RMSNormGrad({ x, dy, gamma }, each);
    return { x: dx, gamma: dgamma };
  },
  kernels: () => [rmsNormWgsl(), rmsNormWasm()],
});

export const AddRMSNorm = /* @__PURE__ */ defineOp({
  name: 'AddRMSNorm',
  owner,
  inputs: { x: '...,n', residual: '...,n', gamma: { shape: 'n', optional: true } },
  attrs,
  check: ({ x, residual }, each) => {
    checkShape('AddRMSNorm', 'residual', residual, x.shape, 'as x');
    check('AddRMSNorm', x, each);
  },
  outputs: { y: likeX, sum: likeX },
  saveOutputs: ['sum'],
  reference: ({ x, residual, gamma }, each) => {
    const total = add(x, residual);
    return { y: composed(total, gamma, each), sum: total };
  },
  gradient: (dy, { gamma }, each, outputs) => {
    const { dx, dgamma } = RMSNormGrad({ x: outputs.sum, dy: dy.y, gamma, dsum: dy.sum }, each);
    return { x: dx, residual: dx, gamma: dgamma };
  },
  kernels: () => [addRmsNormWgsl(), addRmsNormWasm()],
});

/**
 * Root-mean-square normalization over the last axis: y = f(gamma x / sqrt(mean(x^2) + epsilon)); `activation` is f.
 *
 * @param x - [..., n] float32
 * @param gamma - [n]; left out: 1
 * @returns a new tensor of x's shape. A row of zeros stays zeros, and its gradient is dy gamma / sqrt(epsilon). NaN or infinity stays in its row.
 * Numbers as large as 65504 are no danger.
 * @throws EvenkeelError SHAPE when gamma is not [n] or n = 0, DTYPE for other than float32, INVALID_ARGUMENT for epsilon <= 0
 * or an unknown activation
 *
 * Source: Zhang, Sennrich 2019, "Root Mean Square Layer Normalization", equation 4.
 *
 * @example
 * const y = rmsNorm(tf.tensor2d([[3, 4]])); // [[0.849, 1.131]]
 */
export function rmsNorm(x: Tensor, gamma?: Tensor, options?: RMSNormOptions): Tensor {
  return RMSNorm({ x, gamma }, options);
}

/**
 * Residual connection and root-mean-square normalization in one pass: sum = x + residual, y = rmsNorm(sum). An `activation` is applied to y,
 * not to sum.
 *
 * @param x - [..., n] float32
 * @param residual - x's shape
 * @param gamma - [n]; left out: 1
 * @returns `y` and `sum`, new tensors of x's shape
 * @throws as {@link rmsNorm}
 *
 * @example
 * const { y, sum } = addRmsNorm(attention, stream, gamma);
 */
export function addRmsNorm(x: Tensor, residual: Tensor, gamma?: Tensor, options?: RMSNormOptions): { y: Tensor; sum: Tensor } {
  return AddRMSNorm({ x, residual, gamma }, options);
}
