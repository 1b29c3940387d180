import type { Plugin } from '@evenkeel/core';
import { owner } from '../owner.ts';
import {
  CompandedConv1D,
  CompandedConv2D,
  CompandedConv3D,
  CompandedDense,
  CompandedDepthwiseConv2D,
  CompandedEmbedding,
} from './layers.ts';
import { Compander, CompanderGrad, CompanderSlope } from './op.ts';

/** For `use(weightCompander)`: from then on, models with companded layers load. */
export const weightCompander: Plugin = {
  name: `${owner.name}/weight-compander`,
  version: owner.version,
  ops: [Compander, CompanderGrad, CompanderSlope],
  layers: [CompandedConv1D, CompandedConv2D, CompandedConv3D, CompandedDense, CompandedDepthwiseConv2D, CompandedEmbedding],
};
