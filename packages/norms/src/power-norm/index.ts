export { PowerNorm, PowerNormGrad, PowerNormInference, PowerNormVanilla } from './op.ts';
export {
  groupScaling,
  powerNorm,
  powerNormInference,
  type PowerNormInferenceOptions,
  type PowerNormOptions,
  type PowerNormState,
  type PowerNormStatisticsOptions,
} from './power-norm.ts';
