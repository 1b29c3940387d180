export type EvoNormBVariant = 'B0' | 'B1' | 'B2';

/** Of the ops of EvoNorm-B and of their kernels. */
export interface EvoNormBAttributes {
  variant: EvoNormBVariant;
  epsilon: number;
}
