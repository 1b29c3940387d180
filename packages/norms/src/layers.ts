export type { ActivatedArgs, AffineArgs } from './affine.ts';
export type { Activation } from './activation.ts';
export { BatchChannelNormalization, EstimatedBatchNormalization, type BatchChannelNormalizationArgs } from './batch-channel-norm/layer.ts';
export type { EstimatedArgs } from './batch-channel-norm/estimated-layer.ts';
export type { UpdateRate } from './batch-channel-norm/update-rate.ts';
export { BatchNormalization, type BatchNormalizationArgs } from './batch-norm/layer.ts';
export type { CellArgs } from './cell.ts';
export { CRMSNormalization, type CRMSNormalizationArgs } from './crms-norm/layer.ts';
export { EvoNormalization, type EvoNormalizationArgs, type EvoNormVariant } from './evo-norm/layer.ts';
export { GroupNormalization, type GroupNormalizationArgs } from './group-norm/layer.ts';
export { InstanceNormalization, type InstanceNormalizationArgs } from './instance-norm/layer.ts';
export type { Constraint, Identifier, Initializer, Regularizer, Serialized } from './keras.ts';
export { L1BatchNormalization, type L1BatchNormalizationArgs } from './l1-batch-norm/layer.ts';
export { L1LayerNormalization, type L1LayerNormalizationArgs } from './l1-layer-norm/layer.ts';
export { LayerNormGRUCell, type LayerNormGRUCellArgs } from './layer-norm-gru/layer.ts';
export { LayerNormLSTMCell, type LayerNormLSTMCellArgs } from './layer-norm-lstm/layer.ts';
export { LayerNormalization, type LayerNormalizationArgs } from './layer-norm/layer.ts';
export { PowerNormalization, type PowerNormalizationArgs } from './power-norm/layer.ts';
export { RegionNormBasic, type RegionNormBasicArgs } from './region-norm/layer-basic.ts';
export { RegionNormLearnable, type RegionNormLearnableArgs } from './region-norm/layer-learnable.ts';
export { RMSNormalization, type RMSNormalizationArgs } from './rms-norm/layer.ts';
export {
  TimeDependentLayerNormalization,
  TimeDependentRMSNormalization,
  type TimeDependentNormalizationArgs,
} from './time-dependent-norm/layer.ts';
export { UnifiedNormalization, type UnifiedNormalizationArgs } from './unified-norm/layer.ts';
export {
  WSConv1D,
  WSConv2D,
  WSConv3D,
  WSDense,
  WSDepthwiseConv2D,
  WSSeparableConv2D,
  type WSConv1DArgs,
  type WSConv2DArgs,
  type WSConv3DArgs,
  type WSDenseArgs,
  type WSDepthwiseConv2DArgs,
  type WSSeparableConv2DArgs,
} from './weight-standardization/layers.ts';
export type { StandardizationArgs } from './weight-standardization/standardized-layer.ts';
export { UnMixTNS, type AdaptationState, type UnMixTNSArgs } from './unmix-tns/layer.ts';
