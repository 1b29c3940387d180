export { layerNormLSTMStep, type LayerNormLSTMWeights, type LayerNormRNNOptions, type LSTMState } from './lstm.ts';
