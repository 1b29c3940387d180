export {
  channelActivity,
  modelChannelActivity,
  type ChannelActivity,
  type ChannelActivityOptions,
  type ModelChannelActivityOptions,
} from './batch-channel-norm/channel-activity.ts';
export * from './create-norm/index.ts';
export * from './fold-norm/index.ts';
export * from './inspect-norms/index.ts';
export * from './replace-norm/index.ts';
export * from './statistics/index.ts';
export {
  adaptModel,
  freezeAdaptation,
  getAdaptationState,
  inspectAdaptation,
  resetAdaptation,
  setAdaptationState,
  type AdaptationReport,
  type Adapted,
  type AdaptOptions,
  type ModelAdaptationState,
} from './unmix-tns/adapt.ts';
export * from './train-only/index.ts';
export {
  bakeWeights,
  standardizeWeights,
  type StandardizedModel,
  type StandardizeWeightsOptions,
} from './weight-standardization/models.ts';
