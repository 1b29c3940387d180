export { helloNorm, HelloNorm, type HelloNormOptions } from './op.ts';
// #region gradient
export { HelloNormGrad } from './op.ts';
// #endregion gradient
