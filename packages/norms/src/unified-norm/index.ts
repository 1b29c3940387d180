export { foldIntoNext, foldIntoPrevious, type FoldIntoNextOptions, type RunningNorm } from './fold.ts';
export { Blend, MeanSquare, TokenSums, UnifiedGradWindow, UnifiedWindow } from './op.ts';
export {
  unifiedNorm,
  unifiedNormInference,
  unifiedNormState,
  type UnifiedNormGradState,
  type UnifiedNormOptions,
  type UnifiedNormState,
  type UnifiedNormStatisticsOptions,
} from './unified-norm.ts';
