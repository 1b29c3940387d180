export { wasm } from './plugin.ts';
export type { WasmOptions } from './provider.ts';
export { reserve } from './reserve.ts';
