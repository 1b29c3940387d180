export { EvoNormB, EvoNormBGrad, EvoNormBInference, EvoNormBInferenceGrad } from './b-op.ts';
export type { EvoNormBAttributes, EvoNormBVariant } from './b-attributes.ts';
export {
  evoNormB0,
  evoNormB0Inference,
  evoNormB1,
  evoNormB1Inference,
  evoNormB2,
  evoNormB2Inference,
  type EvoNormBOptions,
  type EvoNormBResult,
} from './evo-norm-b.ts';
export { evoNormS0, evoNormS1, evoNormS2, type EvoNormSOptions } from './evo-norm-s.ts';
export { evoNormGroups } from './groups.ts';
export { updateMovingVariance } from './moving-variance.ts';
export { EvoNormS, EvoNormSGrad } from './s-op.ts';
