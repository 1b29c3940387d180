import { div, maximum, minimum, mul, reshape, sqrt, square, sum, type Tensor } from '@tensorflow/tfjs-core';
import { channelLayout } from '../projection/layout.ts';

/** What a unit's weights count as at least: without it, weights of zero could never grow. */
const LEAST_NORM = 1e-3;

/**
 * Adaptive gradient clipping (Brock et al. 2021): the gradient of each unit is scaled down to at most `share` of the norm of the unit's weights,
 * of which units without fan-in (biases, gains) have each its own.
 *
 * @param gradient - of any shape
 * @param value - the weights, of the same shape
 * @param share - such as 0.01
 * @param channelAxes - where the units lie
 *
 * @example
 * clipAdaptively(tf.tensor2d([[3], [4]]), tf.tensor2d([[0.6], [0.8]]), 0.1); // [[0.06], [0.08]]
 */
export function clipAdaptively(gradient: Tensor, value: Tensor, share: number, channelAxes: readonly number[] = [-1]): Tensor {
  const { outer, channels, inner } =
    value.rank < 2 ? { outer: 1, channels: value.size, inner: 1 } : channelLayout('clipAdaptively', value.shape, channelAxes);
  const rows = (tensor: Tensor): Tensor => reshape(tensor, [outer, channels, inner]);
  const norm = (tensor: Tensor): Tensor => sqrt(sum(square(rows(tensor)), [0, 2], true));
  const most = mul(maximum(norm(value), LEAST_NORM), share);
  const factor = minimum(div(most, maximum(norm(gradient), 1e-30)), 1);
  return reshape(mul(rows(gradient), factor), gradient.shape);
}
