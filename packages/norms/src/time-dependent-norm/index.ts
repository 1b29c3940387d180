export { ConditionalNorm, ConditionalNormGrad, TimeDependentParameter, TimeDependentParameterGrad } from './op.ts';
export {
  conditionalLayerNorm,
  conditionalRmsNorm,
  timeDependentLayerNorm,
  timeDependentParameter,
  timeDependentRmsNorm,
  type ConditionalNormOptions,
  type TimeDependentAffine,
  type TimeDependentOptions,
  type TimeDependentWeights,
} from './time-dependent-norm.ts';
