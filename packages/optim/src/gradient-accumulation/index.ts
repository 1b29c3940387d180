export { GradientAccumulation, type GradientAccumulationOptions, type SavedOptimizer } from './gradient-accumulation.ts';
