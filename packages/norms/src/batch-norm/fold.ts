import { add, div, mul, reshape, sqrt, sub, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError } from '@evenkeel/core';
import { checkEpsilon, checkShape } from '../checks.ts';
import type { Statistics } from './moving-statistics.ts';

/** Weights of a dense or convolution layer. */
export interface LinearWeights {
  /** Dense [in, out], convolution [..., in, out], or depthwise convolution [..., in, multiplier]. */
  kernel: Tensor;
  /** [out]; left out: 0 */
  bias?: Tensor | undefined;
}

/** A batch normalization as inference sees it. */
export interface BatchNormState extends Statistics {
  gamma?: Tensor | undefined;
  beta?: Tensor | undefined;
  /** Default 1e-3. */
  epsilon?: number;
}

/**
 * Folds the batch normalization that follows a dense or convolution layer into that layer's weights, so that inference computes it for
 * free: kernel' = kernel s, bias' = (bias - mean) s + beta with s = gamma / sqrt(variance + epsilon), per output channel.
 * Between the two layers there must be no activation. Not for transposed convolutions, whose kernels have another layout.
 *
 * @param weights - kernel with the output channels last, or depthwise [..., in, multiplier] with in * multiplier output channels
 * @param state - statistics [channels], and gamma and beta where the normalization has them
 * @returns new tensors `kernel`, of the same shape, and `bias` [channels]; the inputs stay as they were
 * @throws EvenkeelError SHAPE when kernel, bias and state do not fit each other, INVALID_ARGUMENT for epsilon <= 0
 *
 * @example
 * const { kernel, bias } = foldBatchNorm({ kernel: tf.ones([2, 1]) }, { mean: tf.tensor1d([1]), variance: tf.tensor1d([4]), epsilon: 1e-9 });
 * // kernel [[0.5], [0.5]], bias [-0.5]
 */
export function foldBatchNorm(
  { kernel, bias }: LinearWeights,
  { gamma, beta, mean, variance, epsilon = 1e-3 }: BatchNormState,
): { kernel: Tensor; bias: Tensor } {
  const op = 'foldBatchNorm';
  checkEpsilon(op, epsilon);
  const perChannel = mean.shape;
  const channels = mean.size;
  for (const [name, tensor] of Object.entries({ variance, gamma, beta, bias })) checkShape(op, name, tensor, perChannel, 'as mean');
  const [inputs = 0, outputs = 0] = kernel.shape.slice(-2);
  // The two layouts never clash: where both hold, there is one input channel and they are the same.
  const regular = outputs === channels;
  if (mean.rank !== 1 || kernel.rank < 2 || !(regular || inputs * outputs === channels)) {
    const expected = `[..., in, ${channels}], or depthwise [..., in, multiplier] with in * multiplier = ${channels}`;
    throw new EvenkeelError(
      'SHAPE',
      `kernel has shape [${kernel.shape.join(', ')}], expected ${expected}, for mean [${perChannel.join(', ')}]`,
      {
        op,
        argument: 'kernel',
      },
    );
  }
  return tidy(() => {
    const r = div(1, sqrt(add(variance, epsilon)));
    const scale = gamma ? mul(gamma, r) : r;
    const shifted = mul(sub(bias ?? zeros(perChannel), mean), scale);
    return {
      kernel: mul(kernel, regular ? scale : reshape(scale, [inputs, outputs])),
      bias: beta ? add(shifted, beta) : shifted,
    };
  });
}
