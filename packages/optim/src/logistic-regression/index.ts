export { iterationBound, marginStats, trainingErrorBound, type BoundOptions, type MarginStats } from './bounds.ts';
export { LogisticRegression, type LogisticRegressionJSON } from './logistic-regression.ts';
export type { CsrMatrix, DenseMatrix, Features, Numbers } from './matrix.ts';
export { MarginSums, marginSums } from './op.ts';
export type { FitOptions, LogisticRegressionOptions } from './options.ts';
export type { Convergence, FitReport, History } from './report.ts';
export type { Batch, Batches, Conflict, Labels } from './samples.ts';
export type { MarginSumsOptions, SampleWeights, Solver } from './solver.ts';
export { trajectory, type TrajectoryOptions, type TrajectoryPoint } from './trajectory.ts';
