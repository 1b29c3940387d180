export * from './rms-norm/index.ts';
