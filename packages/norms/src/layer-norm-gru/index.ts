export { layerNormGRUStep, type LayerNormGRUWeights } from './gru.ts';
