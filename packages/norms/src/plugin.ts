import type { Plugin } from '@evenkeel/core';
import { BatchNorm, BatchNormInference } from './batch-norm/index.ts';
import { GroupNorm } from './group-norm/index.ts';
import { AddLayerNorm, LayerNorm } from './layer-norm/index.ts';
import { BatchNormalization, LayerNormalization } from './layers.ts';
import { owner } from './owner.ts';
import { RMSNorm } from './rms-norm/index.ts';

/**
 * All norms, for `use(norms)`: from then on, models that name these layers load them, and tfjs-layers' own layers of the same names rest
 * until `unregister(norms)`.
 */
export const norms: Plugin = {
  ...owner,
  ops: [AddLayerNorm, BatchNorm, BatchNormInference, GroupNorm, LayerNorm, RMSNorm],
  layers: [BatchNormalization, LayerNormalization],
};
