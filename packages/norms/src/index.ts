export * from './batch-norm/index.ts';
export * from './crms-norm/index.ts';
export * from './group-norm/index.ts';
export * from './instance-norm/index.ts';
export * from './layer-norm-gru/index.ts';
export * from './layer-norm-lstm/index.ts';
export * from './layer-norm/index.ts';
export * from './rms-norm/index.ts';
