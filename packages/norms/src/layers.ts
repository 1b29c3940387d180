export type { AffineArgs } from './affine.ts';
export { BatchNormalization, type BatchNormalizationArgs } from './batch-norm/layer.ts';
export type { Constraint, Identifier, Initializer, Regularizer, Serialized } from './keras.ts';
export { LayerNormalization, type LayerNormalizationArgs } from './layer-norm/layer.ts';
