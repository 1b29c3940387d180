export { BatchNorm, BatchNormGrad, BatchNormInference, BatchNormInferenceGrad } from './op.ts';
