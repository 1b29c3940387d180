import type { Plugin } from '@evenkeel/core';
import { BatchChannelNorm, BatchChannelNormGrad, BatchChannelNormInference, EstimatedBatchNorm } from './batch-channel-norm/index.ts';
import { BatchNorm, BatchNormGrad, BatchNormInference, BatchNormInferenceGrad } from './batch-norm/index.ts';
import { AddCRMSNorm, CRMSNorm, CRMSNormGrad } from './crms-norm/index.ts';
import { EvoNormB, EvoNormBGrad, EvoNormBInference, EvoNormBInferenceGrad, EvoNormS, EvoNormSGrad } from './evo-norm/index.ts';
import { GroupNorm, GroupNormGrad } from './group-norm/index.ts';
import { AddLayerNorm, LayerNorm, LayerNormGrad } from './layer-norm/index.ts';
import { L1LayerNorm, L1LayerNormGrad } from './l1-layer-norm/index.ts';
import { L1BatchNorm, L1BatchNormGrad } from './l1-batch-norm/index.ts';
import {
  BatchChannelNormalization,
  BatchNormalization,
  CRMSNormalization,
  EstimatedBatchNormalization,
  EvoNormalization,
  GroupNormalization,
  InstanceNormalization,
  L1BatchNormalization,
  L1LayerNormalization,
  LayerNormalization,
  LayerNormGRUCell,
  LayerNormLSTMCell,
  PowerNormalization,
  RegionNormBasic,
  RegionNormLearnable,
  RMSNormalization,
  TimeDependentLayerNormalization,
  TimeDependentRMSNormalization,
  UnifiedNormalization,
  UnMixTNS,
  WSConv1D,
  WSConv2D,
  WSConv3D,
  WSDense,
  WSDepthwiseConv2D,
  WSSeparableConv2D,
} from './layers.ts';
import { owner } from './owner.ts';
import { PowerNorm, PowerNormGrad, PowerNormInference, PowerNormVanilla } from './power-norm/index.ts';
import { Product } from './product/op.ts';
import {
  ChannelMeanMax,
  ChannelMeanMaxGrad,
  MappedRegionNorm,
  MappedRegionNormGrad,
  RegionMoments,
  RegionMomentsGrad,
  RegionNorm,
  RegionNormGrad,
  SoftRegionNorm,
} from './region-norm/index.ts';
import { AddRMSNorm, RMSNorm, RMSNormGrad } from './rms-norm/index.ts';
import { Tanh } from './tanh/op.ts';
import { ConditionalNorm, ConditionalNormGrad, TimeDependentParameter, TimeDependentParameterGrad } from './time-dependent-norm/index.ts';
import { Blend, MeanSquare, TokenSums, UnifiedGradWindow, UnifiedWindow } from './unified-norm/index.ts';
import { UnMixNorm, UnMixNormGrad } from './unmix-tns/index.ts';
import { WeightStandardization, WeightStandardizationGrad } from './weight-standardization/index.ts';

/**
 * All norms, for `use(norms)`: from then on, models that name these layers load them, and tfjs-layers' own layers of the same names rest
 * until `unregister(norms)`.
 */
export const norms: Plugin = {
  ...owner,
  ops: [
    AddCRMSNorm,
    AddLayerNorm,
    AddRMSNorm,
    BatchChannelNorm,
    BatchChannelNormGrad,
    BatchChannelNormInference,
    BatchNorm,
    BatchNormGrad,
    BatchNormInference,
    BatchNormInferenceGrad,
    Blend,
    CRMSNorm,
    CRMSNormGrad,
    EstimatedBatchNorm,
    EvoNormB,
    EvoNormBGrad,
    EvoNormBInference,
    EvoNormBInferenceGrad,
    EvoNormS,
    EvoNormSGrad,
    ChannelMeanMax,
    ChannelMeanMaxGrad,
    ConditionalNorm,
    ConditionalNormGrad,
    GroupNorm,
    GroupNormGrad,
    L1BatchNorm,
    L1BatchNormGrad,
    L1LayerNorm,
    L1LayerNormGrad,
    LayerNorm,
    LayerNormGrad,
    MappedRegionNorm,
    MappedRegionNormGrad,
    MeanSquare,
    PowerNorm,
    PowerNormGrad,
    PowerNormInference,
    PowerNormVanilla,
    Product,
    RegionMoments,
    RegionMomentsGrad,
    RegionNorm,
    RegionNormGrad,
    RMSNorm,
    RMSNormGrad,
    SoftRegionNorm,
    Tanh,
    TimeDependentParameter,
    TimeDependentParameterGrad,
    TokenSums,
    UnifiedGradWindow,
    UnifiedWindow,
    UnMixNorm,
    UnMixNormGrad,
    WeightStandardization,
    WeightStandardizationGrad,
  ],
  layers: [
    BatchChannelNormalization,
    BatchNormalization,
    CRMSNormalization,
    EstimatedBatchNormalization,
    EvoNormalization,
    GroupNormalization,
    InstanceNormalization,
    L1BatchNormalization,
    L1LayerNormalization,
    LayerNormalization,
    LayerNormGRUCell,
    LayerNormLSTMCell,
    PowerNormalization,
    RegionNormBasic,
    RegionNormLearnable,
    RMSNormalization,
    TimeDependentLayerNormalization,
    TimeDependentRMSNormalization,
    UnifiedNormalization,
    UnMixTNS,
    WSConv1D,
    WSConv2D,
    WSConv3D,
    WSDense,
    WSDepthwiseConv2D,
    WSSeparableConv2D,
  ],
};
