export { helloNorm, HelloNorm, HelloNormGrad, type HelloNormOptions } from './op.ts';
