import { add, concat, reshape, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError, sizeOf } from '@evenkeel/core';
import { checkShape } from '../checks.ts';
import { checkWord } from './attributes.ts';
import { checkTensor, labelsOf } from './labels.ts';
import { RegionNorm } from './op.ts';
import { attributesOf, checkOptions, type RegionNormOptions } from './region-normalize.ts';
import { resizeMask, type MaskResize } from './resize-mask.ts';

/** Parameters of RN-B, [channels] each. Gains are 1 + gamma: what is left out is 0. */
export interface RegionNormBasicWeights {
  foregroundGamma?: Tensor | undefined;
  foregroundBeta?: Tensor | undefined;
  backgroundGamma?: Tensor | undefined;
  backgroundBeta?: Tensor | undefined;
}

/**
 * 'official': both betas are added everywhere, as the authors' code does. 'perRegion': each in its own region, as the paper has it.
 */
export type RegionAffineMode = 'official' | 'perRegion';

export interface RegionNormBasicOptions extends RegionNormOptions {
  /** Where the betas count. Default 'official'. */
  affineMode?: RegionAffineMode;
  /** How a mask of another resolution is made to fit. Default 'nearest'. */
  resize?: MaskResize;
  /** Whether all above 0.5 is hole and all else valid, in place of an error for values between. Default false. */
  binarize?: boolean;
}

const OPTIONS = ['statistics', 'epsilon', 'epsilonMode', 'affineMode', 'resize', 'binarize'];
const WEIGHTS = ['foregroundGamma', 'foregroundBeta', 'backgroundGamma', 'backgroundBeta'];

/**
 * RN-B, for the first layers of an inpainting network: {@link regionNormalize}, then y = (1 + gamma_k) xhat + beta, with gains for hole
 * (foreground) and rest (background). What holds of regions without pixels, of constant ones, of one-pixel maps and of NaN is said there.
 *
 * @param x - [batch, height, width, channels] float32
 * @param mask - [batch, any height, any width, 1] float32, int32 or bool: **1 is hole, 0 is valid**
 * @param weights - [channels] each; left out: 0
 * @returns a new tensor of x's shape, differentiable with respect to x and the weights
 * @throws EvenkeelError SHAPE when x has another rank, or the mask or a weight does not fit; DTYPE for other than float32; INVALID_ARGUMENT for epsilon
 * <= 0, an unknown option or word, or mask values other than 0 and 1 (on webgpu at the next `await data()`)
 *
 * Source: Yu et al. 2020, "Region Normalization for Image Inpainting", section 4.2.
 *
 * @example
 * const y = regionNormBasic(features, mask, { foregroundGamma, backgroundGamma }, { statistics: 'instance' });
 */
export function regionNormBasic(
  x: Tensor,
  mask: Tensor,
  weights: RegionNormBasicWeights = {},
  options: RegionNormBasicOptions = {},
): Tensor {
  const op = 'regionNormBasic';
  const { affineMode = 'official', resize = 'nearest' } = options;
  checkOptions(op, options, OPTIONS);
  checkOptions(op, weights, WEIGHTS);
  checkWord(op, 'affineMode', affineMode, ['official', 'perRegion']);
  checkTensor(op, 'x', x, 'a tensor [batch, height, width, channels]');
  checkPictures(op, x);
  checkTensor(op, 'mask', mask, 'a tensor [batch, height, width, 1]: 1 is hole, 0 valid');
  const channels = x.shape[3]!;
  for (const [name, weight] of Object.entries(weights)) checkShape(op, name, weight, [channels], 'one for each channel of x');
  return tidy(() => {
    const labels = labelsOf(op, x, resizeMask(mask, [x.shape[1]!, x.shape[2]!], resize), options);
    const { foregroundGamma, foregroundBeta, backgroundGamma, backgroundBeta } = weights;
    const gamma = rows(backgroundGamma, foregroundGamma, channels);
    let beta: Tensor | undefined;
    if (affineMode === 'perRegion') beta = rows(backgroundBeta, foregroundBeta, channels);
    else {
      const sum = foregroundBeta && backgroundBeta ? add(foregroundBeta, backgroundBeta) : (foregroundBeta ?? backgroundBeta);
      beta = sum && rows(sum, sum, channels);
    }
    return RegionNorm({ x, labels, gamma: gamma && add(gamma, 1), beta }, { ...attributesOf(options), regions: 2 }).y;
  });
}

/** Throws unless x is a batch of pictures with at least one pixel. */
export function checkPictures(op: string, x: Tensor): void {
  if (x.rank === 4 && sizeOf(x.shape.slice(1, 3)) > 0) return;
  throw new EvenkeelError(
    'SHAPE',
    `x has shape [${x.shape.join(', ')}], expected [batch, height, width, channels] with at least one pixel`,
    {
      op,
      argument: 'x',
    },
  );
}

/** [2, channels]: background, foreground; undefined where both are left out. */
function rows(background: Tensor | undefined, foreground: Tensor | undefined, channels: number): Tensor | undefined {
  if (background === undefined && foreground === undefined) return undefined;
  const row = (each: Tensor | undefined): Tensor => (each ? reshape(each, [1, channels]) : zeros([1, channels]));
  return concat([row(background), row(foreground)], 0);
}
