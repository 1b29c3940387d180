export { freeze, modelWeights, trainOnly, type FreezeOptions, type Freezing, type Trained, type WeightCounts } from './freeze.ts';
export type { ModelWeight, WeightGroup } from './weights.ts';
