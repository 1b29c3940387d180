export { channelAxesOf, type VariableFilter, type VariableGroup } from './groups.ts';
export type { OptimizerOptions } from './optimizer.ts';
