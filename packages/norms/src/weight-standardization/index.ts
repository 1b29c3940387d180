export { WeightStandardization, WeightStandardizationGrad } from './op.ts';
export type { WeightStandardizationAttributes, WeightStandardizationVariant } from './variants.ts';
export { weightStandardize, type WeightStandardizationOptions } from './weight-standardize.ts';
