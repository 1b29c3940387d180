export { batchNorm, batchNormInference, type BatchNormOptions } from './batch-norm.ts';
export { foldBatchNorm, type BatchNormState, type LinearWeights } from './fold.ts';
export { updateMovingStatistics, type MovingStatisticsOptions, type OnNonFinite, type Statistics } from './moving-statistics.ts';
export { BatchNorm, BatchNormGrad, BatchNormInference, BatchNormInferenceGrad } from './op.ts';
