export { applyCompander, invertCompander, type CompanderOptions } from './apply-compander.ts';
export { fitCompander, type CompanderInit, type FitCompanderOptions, type FittedCompander } from './fit-compander.ts';
export type { CompanderKind } from './kinds.ts';
export { Compander, CompanderGrad, CompanderSlope, type CompanderAttributes, type LearnableAttributes } from './op.ts';
