export type { FixedNorm } from './fixed-norm.ts';
export { foldNorm, type FoldedModel, type FoldNormOptions, type FoldReport } from './fold-norm.ts';
export type { FoldedLayer } from './plan.ts';
export type { OutputDifference } from './verify.ts';
