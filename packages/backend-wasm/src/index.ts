export { l2Norm, logSumExp, moments } from './functions.ts';
export { wasm } from './plugin.ts';
export type { WasmOptions } from './provider.ts';
export { reserve } from './reserve.ts';
export { adamUpdate, momentumUpdate, type AdamUpdate, type MomentumUpdate } from './updates.ts';
