export { inspectNorms, type GradientNorms, type InspectNormsOptions, type NormInspection, type NormsReport } from './inspect-norms.ts';
export type { TensorStatistics } from './statistics.ts';
