export { rmsNorm, RMSNorm, RMSNormGrad, type RMSNormOptions } from './op.ts';
