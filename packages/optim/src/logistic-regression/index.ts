export { MarginSums, marginSums } from './op.ts';
export type { MarginSumsOptions, SampleWeights, Solver } from './solver.ts';
