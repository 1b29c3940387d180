export { channelAxesOf, type VariableFilter, type VariableGroup, type VariableSettings } from './groups.ts';
export type { OptimizerOptions, Update, Updated } from './optimizer.ts';
