import type { Tensor } from '@tensorflow/tfjs-core';
import { updateMovingStatistics, type MovingStatisticsOptions } from '../batch-norm/moving-statistics.ts';

/** Mean and mean absolute deviation per channel, each [channels]. */
export interface Deviations {
  mean: Tensor;
  deviation: Tensor;
}

export type MovingDeviationsOptions = Omit<MovingStatisticsOptions, 'movingVariance'>;

/**
 * Moving averages of batch statistics: moving <- momentum * moving + (1 - momentum) * batch.
 *
 * @param moving - the averages so far; start with mean 0 and deviation 1
 * @param batch - a batch's statistics, as {@link l1BatchNorm} returns them
 * @param n - how many values each statistic is over. With 0, an empty batch, the averages stay as they are.
 * @returns new tensors; the inputs stay as they were
 * @throws as {@link updateMovingStatistics}, where it says `variance` of the deviation
 *
 * @example
 * const { y, mean, deviation } = l1BatchNorm(x, gamma, beta);
 * moving = updateMovingDeviations(moving, { mean, deviation }, x.size / mean.size, { momentum: 0.9 });
 */
export function updateMovingDeviations(moving: Deviations, batch: Deviations, n: number, options?: MovingDeviationsOptions): Deviations {
  const asStatistics = ({ mean, deviation }: Deviations): { mean: Tensor; variance: Tensor } => ({ mean, variance: deviation });
  const { mean, variance } = updateMovingStatistics(asStatistics(moving), asStatistics(batch), n, options);
  return { mean, deviation: variance };
}
