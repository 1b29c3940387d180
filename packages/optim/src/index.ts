export * from './logistic-regression/index.ts';
export { applyCompander, invertCompander, type CompanderOptions } from './weight-compander/apply-compander.ts';
export { fitCompander, type CompanderInit, type FitCompanderOptions, type FittedCompander } from './weight-compander/fit-compander.ts';
export type { CompanderKind } from './weight-compander/kinds.ts';
export { Compander, CompanderGrad, CompanderSlope, type CompanderAttributes, type LearnableAttributes } from './weight-compander/op.ts';
