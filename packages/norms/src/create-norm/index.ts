export { createNorm, type NormArgs, type SharedNormArgs } from './create-norm.ts';
export { normNameOf, type NormLayer, type NormName } from './table.ts';
