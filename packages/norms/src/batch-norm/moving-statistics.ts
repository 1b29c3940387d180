import { add, all, clone, isFinite, keep, logicalAnd, logicalNot, mul, tidy, where, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError, expect, raiseIf } from '@evenkeel/core';
import { checkShape } from '../checks.ts';

/** Mean and variance per channel, each [channels]. */
export interface Statistics {
  mean: Tensor;
  variance: Tensor;
}

/** What to do when a batch's statistics are not finite. */
export type OnNonFinite = 'throw' | 'skip' | 'propagate';

export interface MovingStatisticsOptions {
  /** The share of the old value that is kept, as in Keras. Default 0.99; PyTorch's momentum m is 1 - m here. */
  momentum?: number;
  /** Whether the batch's variance enters as it is (tfjs-layers) or times n / (n - 1) (PyTorch, TensorFlow's fused kernels). Default 'biased'. */
  movingVariance?: 'biased' | 'unbiased';
  /**
   * NaN or infinity in the batch's statistics: 'throw' (default) and 'skip' leave the moving statistics as they were, 'propagate' lets
   * it in. 'throw' raises NON_FINITE, at once on cpu and wasm, at the next `await data()` on webgpu.
   */
  onNonFinite?: OnNonFinite;
}

/** Throws unless the options are such that {@link updateMovingStatistics} takes them. */
export function checkMovingStatistics(op: string, { momentum, movingVariance, onNonFinite }: Required<MovingStatisticsOptions>): void {
  expect(momentum >= 0 && momentum <= 1, op, 'momentum', 'a number in [0, 1]', momentum);
  expect(movingVariance === 'biased' || movingVariance === 'unbiased', op, 'movingVariance', "'biased' or 'unbiased'", movingVariance);
  expect(['throw', 'skip', 'propagate'].includes(onNonFinite), op, 'onNonFinite', "'throw', 'skip' or 'propagate'", onNonFinite);
}

/**
 * Moving averages of batch statistics: moving <- momentum * moving + (1 - momentum) * batch.
 *
 * @param moving - the averages so far; start with mean 0 and variance 1
 * @param batch - a batch's statistics, as {@link batchNorm} returns them (biased)
 * @param n - how many values each statistic is over. With 0, an empty batch, the averages stay as they are.
 * @returns new tensors; the inputs stay as they were
 * @throws EvenkeelError NON_FINITE (see `onNonFinite`), INVALID_ARGUMENT for n = 1 with `movingVariance: 'unbiased'` (the unbiased
 * variance of one value does not exist) or a momentum outside [0, 1], SHAPE when the statistics do not fit each other
 *
 * Source: Ioffe, Szegedy 2015, "Batch Normalization", section 3.1.
 *
 * @example
 * const { y, mean, variance } = batchNorm(x, gamma, beta);
 * moving = updateMovingStatistics(moving, { mean, variance }, x.size / mean.size, { momentum: 0.9 });
 */
export function updateMovingStatistics(
  moving: Statistics,
  batch: Statistics,
  n: number,
  { momentum = 0.99, movingVariance = 'biased', onNonFinite = 'throw' }: MovingStatisticsOptions = {},
): Statistics {
  const op = 'updateMovingStatistics';
  checkMovingStatistics(op, { momentum, movingVariance, onNonFinite });
  expect(Number.isInteger(n) && n >= 0, op, 'n', 'an integer >= 0', n);
  expect(n !== 1 || movingVariance === 'biased', op, 'n', "at least 2 values for movingVariance 'unbiased'", n);
  const { shape } = moving.mean;
  checkShape(op, 'moving.variance', moving.variance, shape, 'as moving.mean');
  checkShape(op, 'batch.mean', batch.mean, shape, 'as moving.mean');
  checkShape(op, 'batch.variance', batch.variance, shape, 'as moving.mean');
  if (n === 0) return { mean: clone(moving.mean), variance: clone(moving.variance) };

  return tidy(() => {
    const unbias = movingVariance === 'unbiased' ? n / (n - 1) : 1;
    const next = {
      mean: add(mul(moving.mean, momentum), mul(batch.mean, 1 - momentum)),
      variance: add(mul(moving.variance, momentum), mul(batch.variance, unbias * (1 - momentum))),
    };
    if (onNonFinite === 'propagate') return next;
    const finite = logicalAnd(all(isFinite(batch.mean)), all(isFinite(batch.variance)));
    if (onNonFinite === 'throw') {
      const message = 'batch has NaN or infinite statistics, expected finite ones; the moving statistics are as they were';
      // Kept: on webgpu it is read after this tidy has ended. raiseIf disposes it.
      raiseIf(keep(logicalNot(finite)), new EvenkeelError('NON_FINITE', message, { op, argument: 'batch' }));
    }
    return {
      mean: where(finite, next.mean, moving.mean),
      variance: where(finite, next.variance, moving.variance),
    };
  });
}
