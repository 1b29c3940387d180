export { addLayerNorm, AddLayerNorm, layerNorm, LayerNorm, LayerNormGrad, type LayerNormOptions } from './op.ts';
