export type { BatchChannelNormAttributes, BatchChannelNormEstimateAttributes, EstimatedBatchNormAttributes } from './attributes.ts';
export {
  batchChannelNorm,
  batchChannelNormInference,
  estimatedBatchNorm,
  type BatchChannelNormInferenceOptions,
  type BatchChannelNormOptions,
  type BatchChannelNormParameters,
  type Estimated,
  type EstimatedBatchNormOptions,
  type EstimateOptions,
} from './batch-channel-norm.ts';
export { BatchChannelNorm, BatchChannelNormGrad, BatchChannelNormInference, EstimatedBatchNorm } from './op.ts';
