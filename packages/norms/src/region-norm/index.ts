export type { RegionAttributes, RegionEpsilonMode, RegionStatistics, StatisticsAttributes } from './attributes.ts';
export { ChannelMeanMax, ChannelMeanMaxGrad } from './channel-mean-max.ts';
export type { MaskOptions } from './labels.ts';
export { MappedRegionNorm, MappedRegionNormGrad } from './mapped-op.ts';
export { RegionMoments, RegionMomentsGrad } from './moments-op.ts';
export { RegionNorm, RegionNormGrad } from './op.ts';
export {
  maskedMoments,
  regionNormalize,
  type MaskedMomentsOptions,
  type RegionNormalizeOptions,
  type RegionNormOptions,
} from './region-normalize.ts';
export { SoftRegionNorm } from './soft-op.ts';
export { regionNormBasic, type RegionAffineMode, type RegionNormBasicOptions, type RegionNormBasicWeights } from './basic.ts';
export {
  learnedRegions,
  regionNormLearnable,
  type LearnedRegions,
  type RegionNormLearnableOptions,
  type RegionNormLearnableWeights,
} from './learnable.ts';
export { maskShift, type MaskShift, type MaskShiftOptions } from './mask-shift.ts';
export { resizeMask, type MaskResize } from './resize-mask.ts';
