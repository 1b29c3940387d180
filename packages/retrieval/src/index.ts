export type { OnNonFinite } from './checks.ts';
export * from './inverted-softmax/index.ts';
export * from './csls/index.ts';
export * from './hubness/index.ts';
export * from './local-scaling/index.ts';
export * from './metrics/index.ts';
export * from './mutual-proximity/index.ts';
export * from './search/index.ts';
export * from './hubness-corrected-index/index.ts';
