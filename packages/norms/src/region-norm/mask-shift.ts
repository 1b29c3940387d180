import { add, div, greater, maximum, mean, mul, slice, sqrt, square, sub, tidy, where, reshape, type Tensor } from '@tensorflow/tfjs-core';
import { expect } from '@evenkeel/core';
import { checkEpsilon } from '../checks.ts';
import { checkOptions, maskedMoments } from './region-normalize.ts';

export interface MaskShiftOptions {
  /** Of the normalization that is looked at. Default 1e-5. */
  epsilon?: number;
  /** Whether all above 0.5 is hole and all else valid, in place of an error for values between. Default false. */
  binarize?: boolean;
}

export type MaskShift = {
  /** [batch, channels]: where the mean of the valid pixels lands; 0 would be right. */
  mean: Tensor;
  /** [batch, channels]: what their variance becomes; 1 would be right. */
  variance: Tensor;
  /** []: root mean square of `mean`, one number for the whole batch. */
  rms: Tensor;
};

/**
 * How much a hole hurts: what instance normalization over all pixels, hole included, does to the mean and variance of the valid ones. Region
 * normalization has 0 and 1. Where rms is below some hundredths, an ordinary norm does as well.
 *
 * @param x - [batch, ...spatial, channels] float32: features, as the norm would get them
 * @param mask - [batch, ...spatial, 1]: 1 is hole, 0 is valid
 * @returns new tensors; of a sample without valid pixels 0
 * @throws EvenkeelError as {@link maskedMoments}, and INVALID_ARGUMENT for epsilon <= 0
 *
 * Source: Yu et al. 2020, "Region Normalization for Image Inpainting", section 3.
 *
 * @example
 * const { rms } = maskShift(features, mask);
 */
export function maskShift(x: Tensor, mask: Tensor, options: MaskShiftOptions = {}): MaskShift {
  const { epsilon = 1e-5, binarize = false } = options;
  checkOptions('maskShift', options, ['epsilon', 'binarize']);
  checkEpsilon('maskShift', epsilon);
  return tidy(() => {
    const { count, mean: means, variance: variances } = maskedMoments(x, mask, { statistics: 'instance', binarize });
    const [samples, , channels] = means.shape as [number, number, number];
    expect(samples > 0, 'maskShift', 'x', 'at least one sample', samples);
    const part = (a: Tensor, region: number): Tensor => reshape(slice(a, [0, region, 0], [samples, 1, channels]), [samples, channels]);
    const pixels = (region: number): Tensor => slice(count, [0, region], [samples, 1]);
    const [valid, hole] = [pixels(0), pixels(1)];
    const all = maximum(add(valid, hole), 1);
    const apart = sub(part(means, 1), part(means, 0));
    const within = div(add(mul(valid, part(variances, 0)), mul(hole, part(variances, 1))), all);
    const variance = add(add(within, mul(square(apart), div(mul(valid, hole), square(all)))), epsilon);
    const some = greater(valid, 0);
    const shift = where(some, div(mul(mul(apart, div(hole, all)), -1), sqrt(variance)), 0);
    return { mean: shift, variance: where(some, div(part(variances, 0), variance), 0), rms: sqrt(mean(square(shift))) };
  });
}
