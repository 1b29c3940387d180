import { add, clone, mul, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { expect } from '@evenkeel/core';
import { checkMovingStatistics, type MovingStatisticsOptions } from '../batch-norm/moving-statistics.ts';
import { checkShape } from '../checks.ts';
import { guardState } from '../guard-state.ts';

/**
 * The moving average of the variances of batches: moving <- momentum * moving + (1 - momentum) * batch.
 *
 * @param moving - the average so far, [channels]; start with 1
 * @param variance - a batch's variance, as {@link evoNormB0} returns it (biased)
 * @param n - how many values each variance is over. With 0, an empty batch, the average stays as it is.
 * @param options - `momentum`, here 0.9 by default; `movingVariance` and `onNonFinite` as in {@link updateMovingStatistics}
 * @returns a new tensor; the inputs stay as they were
 * @throws EvenkeelError NON_FINITE (see `onNonFinite`), INVALID_ARGUMENT for n = 1 with `movingVariance: 'unbiased'` or a momentum outside
 * [0, 1], SHAPE when the two do not fit each other
 *
 * Source: the authors' code, whose decay is `momentum` here.
 *
 * @example
 * const { y, variance } = evoNormB0(x, gamma, beta, v);
 * moving = updateMovingVariance(moving, variance, x.size / variance.size);
 */
export function updateMovingVariance(
  moving: Tensor,
  variance: Tensor,
  n: number,
  { momentum = 0.9, movingVariance = 'biased', onNonFinite = 'throw' }: MovingStatisticsOptions = {},
): Tensor {
  const op = 'updateMovingVariance';
  checkMovingStatistics(op, { momentum, movingVariance, onNonFinite });
  expect(Number.isInteger(n) && n >= 0, op, 'n', 'an integer >= 0', n);
  expect(n !== 1 || movingVariance === 'biased', op, 'n', "at least 2 values for movingVariance 'unbiased'", n);
  checkShape(op, 'variance', variance, moving.shape, 'as moving');
  if (n === 0) return clone(moving);
  return tidy(() => {
    const share = (1 - momentum) * (movingVariance === 'unbiased' ? n / (n - 1) : 1);
    const next = add(mul(moving, momentum), mul(variance, share));
    return guardState(op, 'variance', [variance], { moving }, { moving: next }, onNonFinite).moving;
  });
}
