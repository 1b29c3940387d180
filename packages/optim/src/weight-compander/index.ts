export { applyCompander, invertCompander, type CompanderOptions } from './apply-compander.ts';
export { fitCompander, type CompanderInit, type FitCompanderOptions, type FittedCompander } from './fit-compander.ts';
export type { CompanderKind } from './kinds.ts';
export { Compander, CompanderGrad, CompanderSlope, type CompanderAttributes, type LearnableAttributes } from './op.ts';
export { compand, inspectCompander, removeCompander, type CompandedModel, type CompanderReport, type CompandOptions } from './compand.ts';
export type { CompandedLayer, CompanderArgs } from './companded-layer.ts';
export {
  CompandedConv1D,
  CompandedConv2D,
  CompandedConv3D,
  CompandedDense,
  CompandedDepthwiseConv2D,
  CompandedEmbedding,
  type CompandedConv1DArgs,
  type CompandedConv2DArgs,
  type CompandedConv3DArgs,
  type CompandedDenseArgs,
  type CompandedDepthwiseConv2DArgs,
  type CompandedEmbeddingArgs,
} from './layers.ts';
export { plotCompander, type PlotCompanderOptions } from './plot-compander.ts';
export { weightCompander } from './plugin.ts';
