import { add, cast, concat, conv2d, greaterEqual, isNaN, sigmoid, tidy, where, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import { EvenkeelError, expect } from '@evenkeel/core';
import { checkShape } from '../checks.ts';
import { checkPictures } from './basic.ts';
import { ChannelMeanMax } from './channel-mean-max.ts';
import { detached } from './detached.ts';
import { checkTensor } from './labels.ts';
import { MappedRegionNorm } from './mapped-op.ts';
import { attributesOf, checkOptions, type RegionNormOptions } from './region-normalize.ts';

/** Parameters of RN-L. k is odd: 7 in the paper. */
export interface RegionNormLearnableWeights {
  /** [k, k, 2, 1]: mean and maximum of the channels to the importance map. */
  mapKernel: Tensor;
  /** [k, k, 1, 1]: importance to the pixels' gains. */
  gammaKernel: Tensor;
  /** [1] */
  gammaBias: Tensor;
  /** [k, k, 1, 1]: importance to the pixels' shifts. */
  betaKernel: Tensor;
  /** [1] */
  betaBias: Tensor;
}

export interface RegionNormLearnableOptions extends RegionNormOptions {
  /** A pixel is of the one region where its importance is no less, of the other one else. Default 0.8. */
  threshold?: number;
}

/** What RN-L takes for regions. */
export type LearnedRegions = {
  /** [batch, height, width, 1], from 0 to 1. */
  importance: Tensor;
  /** [batch, height, width, 1] float32: 1 where importance is no less than the threshold, else 0. NaN where importance is. */
  mask: Tensor;
};

const OPTIONS = ['statistics', 'epsilon', 'epsilonMode', 'threshold'];

export function checkThreshold(op: string, threshold: number): void {
  expect(threshold > 0 && threshold < 1, op, 'threshold', 'a number above 0 and below 1', threshold);
}

function checkMapKernel(op: string, kernel: Tensor): void {
  checkTensor(op, 'mapKernel', kernel, 'a tensor [k, k, 2, 1]');
  const [height, width, inputs, outputs] = kernel.shape;
  if (kernel.rank === 4 && height === width && height! % 2 === 1 && inputs === 2 && outputs === 1) return;
  throw new EvenkeelError('SHAPE', `mapKernel has shape [${kernel.shape.join(', ')}], expected [k, k, 2, 1] with an odd k`, {
    op,
    argument: 'mapKernel',
  });
}

function importanceOf(x: Tensor, mapKernel: Tensor): Tensor {
  const logits = conv2d(ChannelMeanMax({ x }) as Tensor4D, mapKernel as Tensor4D, 1, 'same');
  const lost = detached(() => isNaN(logits));
  // tfjs' sigmoid on webgpu makes 0 of NaN.
  return where(lost, logits, sigmoid(logits));
}

/** 1 where importance is no less than the threshold, else 0; NaN where it is NaN. A constant. */
const split = (importance: Tensor, threshold: number): Tensor =>
  detached(() => where(isNaN(importance), Number.NaN, cast(greaterEqual(importance, threshold), 'float32')));

/**
 * The regions that RN-L finds in features: its importance map, and where that is no less than the threshold. For pictures of them.
 *
 * @param x - [batch, height, width, channels] float32
 * @param mapKernel - [k, k, 2, 1], k odd
 * @returns `importance` and `mask`: new tensors [batch, height, width, 1]
 * @throws EvenkeelError SHAPE when x or the kernel does not fit, INVALID_ARGUMENT for a threshold outside (0, 1)
 *
 * @example
 * const { importance, mask } = learnedRegions(features, mapKernel, { threshold: 0.8 });
 */
export function learnedRegions(x: Tensor, mapKernel: Tensor, options: { threshold?: number } = {}): LearnedRegions {
  const op = 'learnedRegions';
  const { threshold = 0.8 } = options;
  checkOptions(op, options, ['threshold']);
  checkThreshold(op, threshold);
  checkTensor(op, 'x', x, 'a tensor [batch, height, width, channels]');
  checkPictures(op, x);
  checkMapKernel(op, mapKernel);
  return tidy(() => {
    const importance = importanceOf(x, mapKernel);
    return { importance, mask: split(importance, threshold) };
  });
}

/**
 * RN-L, for later layers, where holes have spread and no mask fits: finds two regions in the features themselves, normalizes each, and gives
 * each pixel a gain and a shift, the same for all channels.
 *
 *     S = sigmoid(conv(mean and maximum over channels)), mask = S >= threshold
 *     y = (1 + conv(S)) xhat + conv(S)
 *
 * At the start S is about 0.5, so that all is one region. Nothing tells where the regions should be: gradients reach S through gain and shift alone.
 * What holds of regions without pixels, of constant ones and of one-pixel maps is said at {@link regionNormalize}. NaN spreads as far as
 * the convolutions reach; such pixels are of neither region.
 * Numbers as large as 65504, and channels of mean 1e4 with deviation 1, are no danger.
 *
 * @param x - [batch, height, width, channels] float32
 * @param weights - see {@link RegionNormLearnableWeights}
 * @returns a new tensor of x's shape, differentiable with respect to x and all weights; the gradient of a maximum goes to the first channel that has it
 * @throws EvenkeelError SHAPE when x or a weight does not fit, DTYPE for other than float32, INVALID_ARGUMENT for epsilon <= 0, a threshold
 * outside (0, 1) or an unknown option
 *
 * Source: Yu et al. 2020, "Region Normalization for Image Inpainting", section 4.3, equations 6 to 9.
 *
 * @example
 * const y = regionNormLearnable(features, { mapKernel, gammaKernel, gammaBias, betaKernel, betaBias });
 */
export function regionNormLearnable(x: Tensor, weights: RegionNormLearnableWeights, options: RegionNormLearnableOptions = {}): Tensor {
  const op = 'regionNormLearnable';
  const { threshold = 0.8 } = options;
  checkOptions(op, options, OPTIONS);
  checkThreshold(op, threshold);
  checkTensor(op, 'x', x, 'a tensor [batch, height, width, channels]');
  checkPictures(op, x);
  const { mapKernel, gammaKernel, gammaBias, betaKernel, betaBias } = weights;
  checkMapKernel(op, mapKernel);
  const side = mapKernel.shape[0]!;
  for (const [name, kernel] of Object.entries({ gammaKernel, betaKernel })) {
    checkTensor(op, name, kernel, 'a tensor [k, k, 1, 1]');
    checkShape(op, name, kernel, [side, side, 1, 1], 'k as in mapKernel');
  }
  for (const [name, bias] of Object.entries({ gammaBias, betaBias })) {
    checkTensor(op, name, bias, 'a tensor [1]');
    checkShape(op, name, bias, [1], 'one number');
  }
  return tidy(() => {
    const importance = importanceOf(x, mapKernel);
    const labels = detached(() => cast(where(isNaN(importance), -1, split(importance, threshold)), 'int32'));
    const kernels = concat([gammaKernel, betaKernel], 3) as Tensor4D;
    const affine = add(conv2d(importance as Tensor4D, kernels, 1, 'same'), concat([gammaBias, betaBias]));
    return MappedRegionNorm({ x, labels, affine }, { ...attributesOf(options), regions: 2 }).y;
  });
}
