import { add, div, mean, mul, sqrt, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp, EvenkeelError, sizeOf } from '@evenkeel/core';
import { leadingAxes } from '../axes.ts';
import { checkEpsilon, checkShape } from '../checks.ts';
import { owner } from '../owner.ts';
import { batchNormGradWasm, batchNormInferenceGradWasm, batchNormInferenceWasm, batchNormWasm } from './wasm.ts';
import { batchNormGradWgsl, batchNormInferenceGradWgsl, batchNormInferenceWgsl, batchNormWgsl } from './wgsl.ts';

/** One statistic per channel, over everything else. */
const perChannel = ({ x }: { x: Tensor }): { shape: number[]; dtype: 'float32' } => ({ shape: x.shape.slice(-1), dtype: 'float32' });
const likeX = ({ x }: { x: Tensor }): { shape: number[]; dtype: 'float32' } => ({ shape: x.shape, dtype: 'float32' });

function affine(xhat: Tensor, gamma: Tensor | undefined, beta: Tensor | undefined): Tensor {
  const scaled = gamma ? mul(xhat, gamma) : xhat;
  return beta ? add(scaled, beta) : scaled;
}

/**
 * dx = gamma r (dy - mean(dy) - xhat mean(dy xhat)) + dmean / n + 2 dvariance (x - mean) / n; dgamma = sum of dy xhat; dbeta = sum of dy.
 * `dmean` and `dvariance` are what reaches the statistics where somebody uses them: zeros in ordinary training.
 */
export const BatchNormGrad = /* @__PURE__ */ defineOp({
  name: 'BatchNormGrad',
  owner,
  inputs: { x: '...,c', dy: '...,c', mean: 'c', variance: 'c', dmean: 'c', dvariance: 'c', gamma: { shape: 'c', optional: true } },
  attrs: { epsilon: 1e-3 },
  check: ({ x, dy }) => checkShape('BatchNormGrad', 'dy', dy, x.shape, 'as x'),
  outputs: { dx: likeX, dgamma: perChannel, dbeta: perChannel },
  reference: ({ x, dy, mean: mu, variance, dmean, dvariance, gamma }, { epsilon }) => {
    const rows = leadingAxes(x, 1);
    const n = sizeOf(x.shape.slice(0, -1));
    const r = div(1, sqrt(add(variance, epsilon)));
    const centred = sub(x, mu);
    const xhat = mul(centred, r);
    const through = sub(sub(dy, mean(dy, rows)), mul(xhat, mean(mul(dy, xhat), rows)));
    const dx = mul(through, gamma ? mul(gamma, r) : r);
    return {
      dx: add(add(dx, div(dmean, n)), mul(centred, mul(dvariance, 2 / n))),
      dgamma: sum(mul(dy, xhat), rows),
      dbeta: sum(dy, rows),
    };
  },
  kernels: () => [batchNormGradWgsl(), batchNormGradWasm()],
});

/** Batch normalization in training: normalizes with the batch's own statistics and returns them, biased. */
export const BatchNorm = /* @__PURE__ */ defineOp({
  name: 'BatchNorm',
  owner,
  inputs: { x: '...,c', gamma: { shape: 'c', optional: true }, beta: { shape: 'c', optional: true } },
  attrs: { epsilon: 1e-3 },
  check: ({ x }, { epsilon }) => {
    checkEpsilon('BatchNorm', epsilon);
    if (x.rank < 2) {
      throw new EvenkeelError('SHAPE', `x has shape [${x.shape.join(', ')}], expected [batch, ..., channels] of rank 2 or more`, {
        op: 'BatchNorm',
        argument: 'x',
      });
    }
    if (sizeOf(x.shape.slice(0, -1)) === 1) {
      const found = `x has shape [${x.shape.join(', ')}], expected more than one value per channel`;
      throw new EvenkeelError('SHAPE', `${found} (the variance of one value is 0); groupNorm and layerNorm work on single samples`, {
        op: 'BatchNorm',
        argument: 'x',
      });
    }
  },
  outputs: { y: likeX, mean: perChannel, variance: perChannel },
  saveOutputs: ['mean', 'variance'],
  reference: ({ x, gamma, beta }, { epsilon }) => {
    const rows = leadingAxes(x, 1);
    const mu = mean(x, rows);
    const centred = sub(x, mu);
    const variance = mean(square(centred), rows);
    return { y: affine(mul(centred, div(1, sqrt(add(variance, epsilon)))), gamma, beta), mean: mu, variance };
  },
  gradient: (dy, { x, gamma }, attrs, { mean: mu, variance }) => {
    const { dx, dgamma, dbeta } = BatchNormGrad({ x, dy: dy.y, mean: mu, variance, dmean: dy.mean, dvariance: dy.variance, gamma }, attrs);
    return { x: dx, gamma: dgamma, beta: dbeta };
  },
  kernels: () => [batchNormWgsl(), batchNormWasm()],
});

/** dx = dy gamma r; dgamma = sum of dy xhat; dbeta = sum of dy. The statistics are constants. */
export const BatchNormInferenceGrad = /* @__PURE__ */ defineOp({
  name: 'BatchNormInferenceGrad',
  owner,
  inputs: { x: '...,c', dy: '...,c', mean: 'c', variance: 'c', gamma: { shape: 'c', optional: true } },
  attrs: { epsilon: 1e-3 },
  check: ({ x, dy }) => checkShape('BatchNormInferenceGrad', 'dy', dy, x.shape, 'as x'),
  outputs: { dx: likeX, dgamma: perChannel, dbeta: perChannel },
  reference: ({ x, dy, mean: mu, variance, gamma }, { epsilon }) => {
    const rows = leadingAxes(x, 1);
    const r = div(1, sqrt(add(variance, epsilon)));
    return { dx: mul(dy, gamma ? mul(gamma, r) : r), dgamma: sum(mul(dy, mul(sub(x, mu), r)), rows), dbeta: sum(dy, rows) };
  },
  kernels: () => [batchNormInferenceGradWgsl(), batchNormInferenceGradWasm()],
});

/** Batch normalization with given (moving) statistics. */
export const BatchNormInference = /* @__PURE__ */ defineOp({
  name: 'BatchNormInference',
  owner,
  inputs: { x: '...,c', mean: 'c', variance: 'c', gamma: { shape: 'c', optional: true }, beta: { shape: 'c', optional: true } },
  attrs: { epsilon: 1e-3 },
  check: (_, { epsilon }) => checkEpsilon('BatchNormInference', epsilon),
  reference: ({ x, mean: mu, variance, gamma, beta }, { epsilon }) =>
    affine(mul(sub(x, mu), div(1, sqrt(add(variance, epsilon)))), gamma, beta),
  gradient: (dy, { x, mean: mu, variance, gamma }, attrs) => {
    const { dx, dgamma, dbeta } = BatchNormInferenceGrad({ x, dy, mean: mu, variance, gamma }, attrs);
    const r = (): Tensor => div(1, sqrt(add(variance, attrs.epsilon)));
    const times = (a: Tensor): Tensor => (gamma ? mul(a, gamma) : a);
    return {
      x: dx,
      gamma: dgamma,
      beta: dbeta,
      mean: () => mul(times(mul(dbeta, r())), -1),
      variance: () => mul(times(mul(dgamma, square(r()))), -0.5),
    };
  },
  kernels: () => [batchNormInferenceWgsl(), batchNormInferenceWasm()],
});
