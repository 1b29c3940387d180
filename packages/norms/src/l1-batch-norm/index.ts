export { asVariance, l1BatchNorm, l1BatchNormInference, type L1BatchNormOptions } from './l1-batch-norm.ts';
export { updateMovingDeviations, type Deviations, type MovingDeviationsOptions } from './moving-deviations.ts';
export { L1BatchNorm, L1BatchNormGrad } from './op.ts';
