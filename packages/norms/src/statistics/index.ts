export { getStatistics, mergeStatistics, resetStatistics, setStatistics, type MergeOptions, type ModelStatistics } from './statistics.ts';
