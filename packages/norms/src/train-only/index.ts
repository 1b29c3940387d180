export { freeze, modelWeights, trainOnly, type FreezeOptions, type Freezing, type Trained, type WeightCounts } from './freeze.ts';
export { seedWeights, type KernelStart, type NormStart, type Seeding } from './initialize.ts';
export { maskedOptimizer, randomMask, type Masks, type RandomMaskOptions } from './mask.ts';
export { ablateGammas, deadFeatures, gammaSparsity } from './sparsity.ts';
export { trainBySgd, type LabelledBatch, type SgdOptions } from './train.ts';
export type { ModelWeight, WeightGroup } from './weights.ts';
