export * from './create-norm/index.ts';
export * from './replace-norm/index.ts';
