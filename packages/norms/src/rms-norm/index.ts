export { addRmsNorm, AddRMSNorm, rmsNorm, RMSNorm, RMSNormGrad, type RMSNormOptions } from './op.ts';
