export { counters, resetCounters, type Counters } from './counters.ts';
export { webgpu } from './plugin.ts';
export type { WebGPUOptions } from './provider.ts';
