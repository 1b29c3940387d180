import { tidy, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError, expect } from '@evenkeel/core';
import { axesLast } from '../axes-last.ts';
import { BatchNorm, BatchNormInference } from './op.ts';

export interface BatchNormOptions {
  /** The channel axis, negative counted from the end. Default -1. */
  axis?: number;
  /** Added to the variance, inside the root. Default 1e-3, as in Keras and tfjs-layers; PyTorch has 1e-5. */
  epsilon?: number;
}

/** x with its channels last, and the way back. */
export function channelsLast(op: string, x: Tensor, axis: number): { x: Tensor; back: (y: Tensor) => Tensor } {
  if (x?.rank < 2) {
    throw new EvenkeelError('SHAPE', `x has shape [${x.shape.join(', ')}], expected [batch, ..., channels] of rank 2 or more`, {
      op,
      argument: 'x',
    });
  }
  const rank = x?.rank ?? 0;
  const channel = axis < 0 ? axis + rank : axis;
  if (x === undefined || channel === rank - 1) return { x, back: (y) => y };
  expect(Number.isInteger(axis) && channel >= 0 && channel < rank, op, 'axis', `an axis of a tensor of rank ${rank}`, axis);
  return axesLast(x, [channel]);
}

/**
 * Batch normalization in training: y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with mean and biased variance per channel
 * over everything else. {@link updateMovingStatistics} takes the statistics.
 *
 * @param x - [batch, ..., channels] float32, rank >= 2; channels elsewhere with `axis`
 * @param gamma - [channels]; left out: 1
 * @param beta - [channels]; left out: 0
 * @returns `y` of x's shape, `mean` and `variance` [channels]: new tensors, all differentiable. A batch of size 0 gives an empty y and
 * statistics of zeros, which {@link updateMovingStatistics} passes over. A channel without variance becomes beta. A batch of one
 * sample is enough if it has more than one position. NaN stays in its channel; {@link updateMovingStatistics} says what becomes of it.
 * Numbers as large as 65504, and mean 1e4 with deviation 1, are right to 5e-3.
 * @throws EvenkeelError SHAPE when there is one value per channel (use groupNorm or layerNorm), x has rank < 2, or gamma or beta do not
 * fit; DTYPE for other than float32; INVALID_ARGUMENT for epsilon <= 0 or an axis that x does not have
 *
 * Source: Ioffe, Szegedy 2015, "Batch Normalization", algorithm 1.
 *
 * @example
 * const { y, mean, variance } = batchNorm(tf.tensor2d([[1], [3]])); // y [[-1], [1]], mean [2], variance [1]
 */
export function batchNorm(
  x: Tensor,
  gamma?: Tensor,
  beta?: Tensor,
  { axis = -1, epsilon = 1e-3 }: BatchNormOptions = {},
): { y: Tensor; mean: Tensor; variance: Tensor } {
  return tidy(() => {
    const last = channelsLast('batchNorm', x, axis);
    const { y, mean, variance } = BatchNorm({ x: last.x, gamma, beta }, { epsilon });
    return { y: last.back(y), mean, variance };
  });
}

/**
 * Batch normalization with given statistics, usually the moving ones: y = gamma (x - mean) / sqrt(variance + epsilon) + beta.
 *
 * @param x - [batch, ..., channels] float32, rank >= 2; channels elsewhere with `axis`
 * @param mean - [channels]
 * @param variance - [channels]
 * @param gamma - [channels]; left out: 1
 * @param beta - [channels]; left out: 0
 * @returns a new tensor of x's shape
 * @throws EvenkeelError SHAPE when x has rank < 2 or another input does not fit, DTYPE for other than float32, INVALID_ARGUMENT for
 * epsilon <= 0 or an axis that x does not have
 *
 * Source: Ioffe, Szegedy 2015, "Batch Normalization", algorithm 2.
 *
 * @example
 * const y = batchNormInference(tf.tensor2d([[1, 2]]), tf.tensor1d([1, 1]), tf.tensor1d([1, 1])); // [[0, 0.9995]]
 */
export function batchNormInference(
  x: Tensor,
  mean: Tensor,
  variance: Tensor,
  gamma?: Tensor,
  beta?: Tensor,
  { axis = -1, epsilon = 1e-3 }: BatchNormOptions = {},
): Tensor {
  return tidy(() => {
    const last = channelsLast('batchNormInference', x, axis);
    return last.back(BatchNormInference({ x: last.x, mean, variance, gamma, beta }, { epsilon }));
  });
}
