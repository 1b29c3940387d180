export { l1LayerNorm, L1LayerNorm, L1LayerNormGrad, type L1LayerNormOptions } from './op.ts';
