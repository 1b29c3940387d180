import { reshape, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError } from '@evenkeel/core';
import { WeightStandardization } from './op.ts';
import type { WeightStandardizationVariant } from './variants.ts';

export interface WeightStandardizationOptions {
  /**
   * What a filter is divided by, with n weights in a filter: sqrt(sum of squares / (n - 1) + epsilon), the root of the same + epsilon, or with
   * n for n - 1. Default 'sqrt(var_unbiased+eps)', the one that is smooth where a filter is constant.
   */
  variant?: WeightStandardizationVariant;
  /** Default 1e-5. */
  epsilon?: number;
  /** Whether the filters are the last two axes, [..., channels, multiplier], as in depthwise kernels. Default false: the last one. */
  depthwise?: boolean;
}

/**
 * Weight standardization: each filter of a kernel less its mean, divided by its deviation. Convolve with what comes out, and put a norm behind
 * it: the filter's scale is gone. The official code has three deviations; see `variant`.
 *
 * A constant filter gives zeros, up to rounding, and a finite gradient (large, about dy / epsilon, where epsilon stands outside the root). The gradient has mean 0
 * over each filter and does not change its length, so its norm is no more than that of dy divided by the deviation. Weights as far as
 * 65504 from 0, and such as 10000 +- 1, are standardized as others are. NaN stays in its filter.
 *
 * @param kernel - [..., filters] float32: [height, width, in, out] of a convolution, [in, out] of a dense layer
 * @returns a new tensor of the kernel's shape
 * @throws EvenkeelError SHAPE for a filter of one weight, which would be 0, or a depthwise kernel of rank < 3; DTYPE for other than float32;
 * INVALID_ARGUMENT for epsilon <= 0 or an unknown variant
 *
 * Source: Qiao, Wang, Liu, Shen, Yuille 2019, "Micro-Batch Training with Batch-Channel Normalization and Weight Standardization",
 * equations 3 to 6, and the authors' code.
 *
 * @example
 * const y = tf.conv2d(x, weightStandardize(kernel), 1, 'same');
 */
export function weightStandardize(kernel: Tensor, { depthwise = false, ...options }: WeightStandardizationOptions = {}): Tensor {
  if (!depthwise) return WeightStandardization({ kernel }, options);
  if (kernel?.rank < 3) {
    const message = `kernel has shape [${kernel.shape.join(', ')}], expected [..., channels, multiplier] of rank 3 or more`;
    throw new EvenkeelError('SHAPE', message, { op: 'weightStandardize', argument: 'kernel' });
  }
  return tidy(() => {
    const { shape } = kernel;
    const filters = shape.at(-2)! * shape.at(-1)!;
    return reshape(WeightStandardization({ kernel: reshape(kernel, [...shape.slice(0, -2), filters]) }, options), shape);
  });
}
