import type { Recipe } from './harness/index.ts';

/** All recipes. A new one is a folder and a line here. */
export const recipes: Readonly<Record<string, () => Promise<{ readonly default: Recipe }>>> = {
  adamp: () => import('./adamp/index.ts'),
  'batch-channel-norm': () => import('./batch-channel-norm/index.ts'),
  'bn-only-training': () => import('./bn-only-training/index.ts'),
  dbnorm: () => import('./dbnorm/index.ts'),
  evonorm: () => import('./evonorm/index.ts'),
  'l1-norm': () => import('./l1-norm/index.ts'),
  'layer-norm': () => import('./layer-norm/index.ts'),
  'normalized-lr-gd': () => import('./normalized-lr-gd/index.ts'),
  powernorm: () => import('./powernorm/index.ts'),
  'region-norm': () => import('./region-norm/index.ts'),
  'unified-norm': () => import('./unified-norm/index.ts'),
  'unmix-tns': () => import('./unmix-tns/index.ts'),
  'weight-compander': () => import('./weight-compander/index.ts'),
};
