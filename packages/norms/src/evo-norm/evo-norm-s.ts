import type { Tensor } from '@tensorflow/tfjs-core';
import { asSlabs } from '../axes.ts';
import { evoNormGroups } from './groups.ts';
import { EvoNormS } from './s-op.ts';

export interface EvoNormSOptions {
  /**
   * How many groups of contiguous channels share a statistic. If it does not divide the channels, the next smaller number that does is
   * taken: {@link evoNormGroups} tells. Default 32.
   */
  groups?: number;
  /** Added to the variance or mean square, inside the root. Default 1e-5. */
  epsilon?: number;
}

function attributes(x: Tensor, { groups = 32, epsilon = 1e-5 }: EvoNormSOptions = {}): { numGroups: number; epsilon: number } {
  // What is no tensor, or has no channels, the op refuses.
  const { channels } = asSlabs(x?.shape?.length ? x.shape : [0, 1]);
  return { numGroups: evoNormGroups(channels || 1, groups), epsilon };
}

/**
 * EvoNorm-S0, normalization and activation in one: y = gamma x sigmoid(v x) / sqrt(variance + epsilon) + beta, with the biased variance of
 * x per sample and group of channels. Stands in place of a norm and its ReLU; a convolution follows, no other activation.
 * The mean is not subtracted: where x is constant, the result is up to 1 / sqrt(epsilon) = 316 times x (730 for x = 2.5). NaN stays in its
 * sample and group. Numbers as large as 65504, and groups of mean 1e4 with deviation 1, are right to 5e-3.
 *
 * @param x - [batch, ...spatial, channels] float32, rank >= 2
 * @param gamma - [channels]; left out: 1
 * @param beta - [channels]; left out: 0
 * @param v - [channels], any sign; left out: 1
 * @returns a new tensor of x's shape
 * @throws EvenkeelError SHAPE when gamma, beta or v do not fit, a reduced axis is empty, or a group has a single value; DTYPE for other
 * than float32; INVALID_ARGUMENT for groups that are no integer > 0, or epsilon <= 0
 *
 * Source: Liu, Brock, Simonyan, Le 2020, "Evolving Normalization-Activation Layers", table 2.
 *
 * @example
 * const y = evoNormS0(tf.randomNormal([2, 8, 8, 64]), tf.ones([64]), tf.zeros([64]), tf.ones([64]), { groups: 16 });
 */
export function evoNormS0(x: Tensor, gamma?: Tensor, beta?: Tensor, v?: Tensor, options?: EvoNormSOptions): Tensor {
  return EvoNormS({ x, gamma, beta, v }, { ...attributes(x, options), centred: true });
}

/**
 * EvoNorm-S1: {@link evoNormS0} without v. y = gamma x sigmoid(x) / sqrt(variance + epsilon) + beta.
 *
 * @param x - [batch, ...spatial, channels] float32, rank >= 2
 * @param gamma - [channels]; left out: 1
 * @param beta - [channels]; left out: 0
 * @returns a new tensor of x's shape
 * @throws as {@link evoNormS0}
 *
 * Source: Liu, Brock, Simonyan, Le 2020, "Evolving Normalization-Activation Layers", appendix.
 *
 * @example
 * const y = evoNormS1(tf.randomNormal([2, 8, 8, 64]), tf.ones([64]), tf.zeros([64]));
 */
export function evoNormS1(x: Tensor, gamma?: Tensor, beta?: Tensor, options?: EvoNormSOptions): Tensor {
  return EvoNormS({ x, gamma, beta }, { ...attributes(x, options), centred: true });
}

/**
 * EvoNorm-S2: {@link evoNormS1} with the mean square of x in place of its variance. y = gamma x sigmoid(x) / sqrt(mean(x^2) + epsilon) + beta.
 * Where x is constant, it is of the size of gamma sigmoid(x).
 *
 * @param x - [batch, ...spatial, channels] float32, rank >= 2
 * @param gamma - [channels]; left out: 1
 * @param beta - [channels]; left out: 0
 * @returns a new tensor of x's shape
 * @throws as {@link evoNormS0}
 *
 * Source: Liu, Brock, Simonyan, Le 2020, "Evolving Normalization-Activation Layers", appendix.
 *
 * @example
 * const y = evoNormS2(tf.randomNormal([2, 8, 8, 64]), tf.ones([64]), tf.zeros([64]));
 */
export function evoNormS2(x: Tensor, gamma?: Tensor, beta?: Tensor, options?: EvoNormSOptions): Tensor {
  return EvoNormS({ x, gamma, beta }, { ...attributes(x, options), centred: false });
}
