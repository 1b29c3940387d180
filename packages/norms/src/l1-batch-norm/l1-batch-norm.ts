import { square, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { channelsLast } from '../batch-norm/batch-norm.ts';
import { BatchNormInference } from '../batch-norm/op.ts';
import { checkShape } from '../checks.ts';
import { checkL1, denominator, type L1NormOptions } from '../l1.ts';
import { L1BatchNorm } from './op.ts';

export interface L1BatchNormOptions extends L1NormOptions {
  /** The channel axis, negative counted from the end. Default -1. */
  axis?: number;
}

/**
 * Batch normalization by the mean absolute deviation, in training: y = gamma (x - mean) / (deviation + epsilon) + beta, with mean and
 * deviation = mean |x - mean| per channel over everything else. {@link updateMovingDeviations} takes the statistics.
 *
 * @param x - [batch, ..., channels] float32, rank >= 2; channels elsewhere with `axis`
 * @param gamma - [channels]; left out: 1
 * @param beta - [channels]; left out: 0
 * @returns `y` of x's shape, `mean` and `deviation` [channels] (the deviation without sqrt(pi / 2) also with `gaussianScale`): new
 * tensors, all differentiable. A constant channel becomes beta; its gradient is gamma (dy - mean(dy)) / epsilon, or 0 with a `gradFloor`.
 * A batch of size 0 gives an empty y and statistics of zeros. NaN stays in its channel. Nothing is squared, so that numbers as large
 * as 65504 are no danger; mean 1e4 with deviation 1 is right to 5e-3.
 * @throws EvenkeelError SHAPE when there is one value per channel (use l1LayerNorm), x has rank < 2, or gamma or beta do not fit; DTYPE
 * for other than float32; INVALID_ARGUMENT for epsilon <= 0, gradFloor < 0 or an axis that x does not have
 *
 * Source: the norm of Guo et al. 2024, "Towards Accurate and Efficient Sub-8-Bit Integer Training"; where epsilon stands, and the gradient
 * at x = mean (sign 0), are ours.
 *
 * @example
 * const { y, mean, deviation } = l1BatchNorm(tf.tensor2d([[1], [3], [8]])); // y [[-1.125], [-0.375], [1.5]], mean [4], deviation [2.667]
 */
export function l1BatchNorm(
  x: Tensor,
  gamma?: Tensor,
  beta?: Tensor,
  { axis = -1, ...options }: L1BatchNormOptions = {},
): { y: Tensor; mean: Tensor; deviation: Tensor } {
  return tidy(() => {
    const last = channelsLast('l1BatchNorm', x, axis);
    const { y, mean, deviation } = L1BatchNorm({ x: last.x, gamma, beta }, options);
    return { y: last.back(y), mean, deviation };
  });
}

/** Inside the root of a batch normalization that has all it needs in its variance. */
const NOTHING = 1e-30;

/**
 * The variance with which batch normalization, of an epsilon that does not count, divides by (deviation + epsilon): so that whatever works
 * on batch normalization with given statistics, such as `foldBatchNorm`, works here.
 */
export function asVariance(
  deviation: Tensor,
  { epsilon = 1e-5, gaussianScale = false }: L1NormOptions = {},
): { variance: Tensor; epsilon: number } {
  return { variance: tidy(() => square(denominator(deviation, { epsilon, gaussianScale }))), epsilon: NOTHING };
}

/**
 * Batch normalization by given mean absolute deviations, usually the moving ones: y = gamma (x - mean) / (deviation + epsilon) + beta.
 *
 * @param x - [batch, ..., channels] float32, rank >= 2; channels elsewhere with `axis`
 * @param mean - [channels]
 * @param deviation - [channels]
 * @param gamma - [channels]; left out: 1
 * @param beta - [channels]; left out: 0
 * @returns a new tensor of x's shape. NaN stays in its element.
 * @throws EvenkeelError SHAPE when x has rank < 2 or another input does not fit, DTYPE for other than float32, INVALID_ARGUMENT for
 * epsilon <= 0 or an axis that x does not have
 *
 * @example
 * const y = l1BatchNormInference(tf.tensor2d([[1, 2]]), tf.tensor1d([1, 1]), tf.tensor1d([1, 0.5])); // [[0, 2]]
 */
export function l1BatchNormInference(
  x: Tensor,
  mean: Tensor,
  deviation: Tensor,
  gamma?: Tensor,
  beta?: Tensor,
  { axis = -1, epsilon = 1e-5, gaussianScale = false }: Omit<L1BatchNormOptions, 'gradFloor'> = {},
): Tensor {
  const op = 'l1BatchNormInference';
  checkL1(op, { epsilon, gradFloor: 0 });
  checkShape(op, 'deviation', deviation, mean.shape, 'as mean');
  return tidy(() => {
    const last = channelsLast(op, x, axis);
    const { variance, epsilon: nothing } = asVariance(deviation, { epsilon, gaussianScale });
    return last.back(BatchNormInference({ x: last.x, mean, variance, gamma, beta }, { epsilon: nothing }));
  });
}
