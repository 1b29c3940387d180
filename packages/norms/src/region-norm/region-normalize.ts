import { cast, greaterEqual, lessEqual, logicalAnd, reshape, slice, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError, expect } from '@evenkeel/core';
import { checkWord, type RegionAttributes, type RegionEpsilonMode, type RegionStatistics } from './attributes.ts';
import { checkMask, labelsOf, raiseWhere, type MaskOptions } from './labels.ts';
import { RegionMoments } from './moments-op.ts';
import { RegionNorm } from './op.ts';
import { SoftRegionNorm } from './soft-op.ts';

/** How a region's statistics are taken, and what is added to its variance. */
export interface RegionNormOptions {
  /**
   * 'batch': one statistic for each region and channel over the whole batch, as in the authors' code; then a result depends on what else is in
   * the batch, also in inference. 'instance': of each sample by itself, as the paper writes it: for deployment. Default 'batch'.
   */
  statistics?: RegionStatistics;
  /** Added to the variance, inside the root. Default 1e-5. */
  epsilon?: number;
  /**
   * 'official': epsilon times pixels / pixels of the region, which is what comes of the authors' code. 'plain': epsilon.
   * They differ visibly only for tiny regions of tiny variance. Default 'official' with 'batch', 'plain' with 'instance'.
   */
  epsilonMode?: RegionEpsilonMode;
}

export interface RegionNormalizeOptions extends RegionNormOptions, MaskOptions {
  /** Whether the mask holds weights from 0 to 1: how far a pixel is of the hole. Then gradients go into the mask, too. Default false. */
  soft?: boolean;
}

export interface MaskedMomentsOptions extends MaskOptions {
  /** Whether moments are of the whole batch or of each sample. Default 'batch'. */
  statistics?: RegionStatistics;
}

/** The attributes of ops for these options. */
export function attributesOf(options: RegionNormOptions): Omit<RegionAttributes, 'regions'> {
  const { statistics = 'batch', epsilon = 1e-5, epsilonMode = statistics === 'instance' ? 'plain' : 'official' } = options;
  return { statistics, epsilon, epsilonMode };
}

/** The options of a call, of which none may be unknown. */
export function checkOptions(op: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) expect(known.includes(name), op, name, `one of the options ${known.join(', ')}`, name);
}

const OPTIONS = ['statistics', 'epsilon', 'epsilonMode', 'regions', 'binarize', 'soft'];

/**
 * Region normalization: y = (x - mean_k) / sqrt(variance_k + epsilon) on the pixels of each region k, with mean and biased variance of the
 * region's own pixels, by channel. What fills a hole then does not shift the statistics of the rest.
 *
 * A region without pixels does nothing, a region of one pixel gives 0 there, and so does one of constant value, as a filled hole is in the first
 * layers: its gradient is then dy / sqrt(epsilon), finite, up to 316 times as large. NaN stays in its region (and in its sample, with 'instance'), of a soft mask in the forward pass only.
 * Maps of one pixel and batches of one sample work; a batch of none gives an empty result. Values up to 65504, as of float16, and channels
 * of mean 1e4 and deviation 1 are right to 2e-3.
 *
 * @param x - [batch, ...spatial, channels] float32, rank >= 2
 * @param mask - [batch, ...spatial, 1] float32, int32 or bool: **1 is hole, 0 is valid**; or with `regions` a label for each pixel. A
 * constant for gradients, unless it is `soft`
 * @returns a new tensor of x's shape
 * @throws EvenkeelError SHAPE when the mask does not fit, x has rank < 2 or no pixels; DTYPE for an x of other than float32; INVALID_ARGUMENT for
 * epsilon <= 0, an unknown option, or a mask with values that are no label (on webgpu at the next `await data()`)
 *
 * Source: Yu et al. 2020, "Region Normalization for Image Inpainting", equations 2 to 5.
 *
 * @example
 * const y = regionNormalize(tf.tensor([1, 3, 100, 100], [1, 4, 1]), tf.tensor([0, 0, 1, 1], [1, 4, 1])); // [-1, 1, 0, 0]
 */
export function regionNormalize(x: Tensor, mask: Tensor, options: RegionNormalizeOptions = {}): Tensor {
  const op = 'regionNormalize';
  checkOptions(op, options, OPTIONS);
  return tidy(() => {
    const { regions = 2, soft = false } = options;
    const attrs = attributesOf(options);
    if (!soft) return RegionNorm({ x, labels: labelsOf(op, x, mask, options) }, { ...attrs, regions }).y;
    expect(regions === 2, op, 'regions', '2 where the mask is soft', regions);
    checkMask(op, x, mask);
    const weights = cast(mask, 'float32');
    if (mask.size > 0) {
      const among = logicalAnd(greaterEqual(weights, 0), lessEqual(weights, 1));
      raiseWhere(op, among, 'mask has other values than expected: from 0 to 1');
    }
    return SoftRegionNorm({ x, mask: weights }, attrs);
  });
}

/**
 * How many pixels each region has, and the mean and biased variance of each channel over them, in one sweep for any number of regions.
 * A region without pixels has a mean and a variance of 0.
 *
 * @param x - [batch, ...spatial, channels] float32, rank >= 2
 * @param mask - [batch, ...spatial, 1] float32, int32 or bool: 1 is hole, 0 is valid; or with `regions` a label for each pixel
 * @returns `count` [regions], `mean` and `variance` [regions, channels], region 0 first; with `statistics: 'instance'` each with the batch in front.
 * New tensors; mean and variance are differentiable with respect to x
 * @throws EvenkeelError as {@link regionNormalize}
 *
 * @example
 * const { count, mean } = maskedMoments(tf.tensor([1, 3, 100, 100], [1, 4, 1]), tf.tensor([0, 0, 1, 1], [1, 4, 1])); // [2, 2], [[2], [100]]
 */
export function maskedMoments(
  x: Tensor,
  mask: Tensor,
  options: MaskedMomentsOptions = {},
): { count: Tensor; mean: Tensor; variance: Tensor } {
  const op = 'maskedMoments';
  checkOptions(op, options, ['statistics', 'regions', 'binarize']);
  return tidy(() => {
    const { statistics = 'batch', regions = 2 } = options;
    checkWord(op, 'statistics', statistics, ['batch', 'instance']);
    const labels = labelsOf(op, x, mask, options);
    const found = RegionMoments({ x, labels }, { statistics, regions }).statistics;
    const [sets, , , channels] = found.shape as [number, number, number, number];
    if (channels === 0) throw new EvenkeelError('SHAPE', 'x has no channels, expected at least one', { op, argument: 'x' });
    const lead = statistics === 'batch' ? [regions] : [sets, regions];
    const part = (which: number, width: number): Tensor =>
      reshape(slice(found, [0, 0, which, 0], [sets, regions, 1, width]), width === 1 && which === 0 ? lead : [...lead, channels]);
    return { count: part(0, 1), mean: part(1, channels), variance: part(2, channels) };
  });
}
