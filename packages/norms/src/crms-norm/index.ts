export { compressZeroMean, decompressZeroMean, type CompressOptions, type DecompressOptions } from './compress.ts';
export { addCrmsNorm, AddCRMSNorm, crmsNorm, CRMSNorm, CRMSNormGrad, type CRMSNormOptions } from './op.ts';
