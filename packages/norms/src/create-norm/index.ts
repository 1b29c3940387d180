export { createNorm, type NormArgs, type SharedNormArgs } from './create-norm.ts';
export { normNameOf, NORMS, type NormEntry, type NormLayer, type NormName, type NormTraits } from './table.ts';
