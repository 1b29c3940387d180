export { groupNorm, GroupNorm, GroupNormGrad, type GroupNormOptions } from './op.ts';
