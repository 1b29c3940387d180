export * from './logistic-regression/index.ts';
