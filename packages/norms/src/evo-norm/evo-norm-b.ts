import type { Tensor } from '@tensorflow/tfjs-core';
import { EvoNormB, EvoNormBInference } from './b-op.ts';

export interface EvoNormBOptions {
  /** Added to variances and mean squares, inside the roots. Default 1e-5. */
  epsilon?: number;
}

/** What training gives: `y` of x's shape, and the batch's biased `variance` [channels]. */
export type EvoNormBResult = { y: Tensor; variance: Tensor };

/**
 * EvoNorm-B0 in training, normalization and activation in one: y = gamma x / max(sqrt(batch variance + epsilon), v x + si) + beta with
 * si = sqrt(variance of the sample's channel over space + epsilon). Stands in place of batch norm and its ReLU; a convolution follows, no
 * other activation. {@link updateMovingVariance} takes the variance, for {@link evoNormB0Inference}.
 * The mean is not subtracted. Nothing is divided by less than sqrt(batch variance + epsilon). One sample is enough if it has more than one
 * position; with one position and several samples si is sqrt(epsilon). NaN stays in its channel. A batch of size 0 gives an empty y and a
 * variance of zeros. Numbers as large as 65504, and variances of channels of mean 1e4 with deviation 1, are no danger.
 *
 * @param x - [batch, ...spatial, channels] float32, rank >= 2
 * @param gamma - [channels]; left out: 1
 * @param beta - [channels]; left out: 0
 * @param v - [channels], any sign; left out: 1
 * @returns new tensors, both differentiable
 * @throws EvenkeelError SHAPE when there is one value per channel, an axis of space is empty, or gamma, beta or v do not fit; DTYPE for
 * other than float32; INVALID_ARGUMENT for epsilon <= 0
 *
 * Source: Liu, Brock, Simonyan, Le 2020, "Evolving Normalization-Activation Layers", table 2.
 *
 * @example
 * const { y, variance } = evoNormB0(tf.randomNormal([8, 14, 14, 32]), tf.ones([32]), tf.zeros([32]), tf.ones([32]));
 */
export function evoNormB0(x: Tensor, gamma?: Tensor, beta?: Tensor, v?: Tensor, options?: EvoNormBOptions): EvoNormBResult {
  return EvoNormB({ x, gamma, beta, v }, { ...options, variant: 'B0' });
}

/**
 * EvoNorm-B1 in training: y = gamma x / max(sqrt(batch variance + epsilon), (x + 1) qi) + beta with qi = sqrt(mean of x^2 over the space of
 * the sample's channel + epsilon). Otherwise as {@link evoNormB0}.
 *
 * @param x - [batch, ...spatial, channels] float32, rank >= 2
 * @param gamma - [channels]; left out: 1
 * @param beta - [channels]; left out: 0
 * @returns new tensors, both differentiable
 * @throws as {@link evoNormB0}
 *
 * Source: Liu, Brock, Simonyan, Le 2020, "Evolving Normalization-Activation Layers", appendix.
 *
 * @example
 * const { y, variance } = evoNormB1(tf.randomNormal([8, 14, 14, 32]), tf.ones([32]), tf.zeros([32]));
 */
export function evoNormB1(x: Tensor, gamma?: Tensor, beta?: Tensor, options?: EvoNormBOptions): EvoNormBResult {
  return EvoNormB({ x, gamma, beta }, { ...options, variant: 'B1' });
}

/**
 * EvoNorm-B2 in training: y = gamma x / max(sqrt(batch variance + epsilon), qi - x) + beta with qi as in {@link evoNormB1}. Otherwise as
 * {@link evoNormB0}.
 *
 * @param x - [batch, ...spatial, channels] float32, rank >= 2
 * @param gamma - [channels]; left out: 1
 * @param beta - [channels]; left out: 0
 * @returns new tensors, both differentiable
 * @throws as {@link evoNormB0}
 *
 * Source: Liu, Brock, Simonyan, Le 2020, "Evolving Normalization-Activation Layers", appendix.
 *
 * @example
 * const { y, variance } = evoNormB2(tf.randomNormal([8, 14, 14, 32]), tf.ones([32]), tf.zeros([32]));
 */
export function evoNormB2(x: Tensor, gamma?: Tensor, beta?: Tensor, options?: EvoNormBOptions): EvoNormBResult {
  return EvoNormB({ x, gamma, beta }, { ...options, variant: 'B2' });
}

/**
 * EvoNorm-B0 with a given variance, usually the moving one. si is computed from x here, too: the layer cannot be folded into a convolution.
 * NaN stays in its sample and channel.
 *
 * @param x - [batch, ...spatial, channels] float32, rank >= 2
 * @param variance - [channels]
 * @param gamma - [channels]; left out: 1
 * @param beta - [channels]; left out: 0
 * @param v - [channels]; left out: 1
 * @returns a new tensor of x's shape, differentiable with respect to all arguments
 * @throws EvenkeelError SHAPE when an axis of space is empty, or an argument does not fit x; DTYPE for other than float32;
 * INVALID_ARGUMENT for epsilon <= 0
 *
 * Source: Liu, Brock, Simonyan, Le 2020, "Evolving Normalization-Activation Layers", table 2.
 *
 * @example
 * const y = evoNormB0Inference(tf.randomNormal([1, 14, 14, 32]), tf.ones([32]));
 */
export function evoNormB0Inference(
  x: Tensor,
  variance: Tensor,
  gamma?: Tensor,
  beta?: Tensor,
  v?: Tensor,
  options?: EvoNormBOptions,
): Tensor {
  return EvoNormBInference({ x, variance, gamma, beta, v }, { ...options, variant: 'B0' });
}

/**
 * EvoNorm-B1 with a given variance: as {@link evoNormB0Inference}.
 *
 * @param x - [batch, ...spatial, channels] float32, rank >= 2
 * @param variance - [channels]
 * @param gamma - [channels]; left out: 1
 * @param beta - [channels]; left out: 0
 * @returns a new tensor of x's shape
 * @throws as {@link evoNormB0Inference}
 *
 * @example
 * const y = evoNormB1Inference(tf.randomNormal([1, 14, 14, 32]), tf.ones([32]));
 */
export function evoNormB1Inference(x: Tensor, variance: Tensor, gamma?: Tensor, beta?: Tensor, options?: EvoNormBOptions): Tensor {
  return EvoNormBInference({ x, variance, gamma, beta }, { ...options, variant: 'B1' });
}

/**
 * EvoNorm-B2 with a given variance: as {@link evoNormB0Inference}.
 *
 * @param x - [batch, ...spatial, channels] float32, rank >= 2
 * @param variance - [channels]
 * @param gamma - [channels]; left out: 1
 * @param beta - [channels]; left out: 0
 * @returns a new tensor of x's shape
 * @throws as {@link evoNormB0Inference}
 *
 * @example
 * const y = evoNormB2Inference(tf.randomNormal([1, 14, 14, 32]), tf.ones([32]));
 */
export function evoNormB2Inference(x: Tensor, variance: Tensor, gamma?: Tensor, beta?: Tensor, options?: EvoNormBOptions): Tensor {
  return EvoNormBInference({ x, variance, gamma, beta }, { ...options, variant: 'B2' });
}
