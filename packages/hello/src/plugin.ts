import type { Plugin } from '@evenkeel/core';
import { HelloNormalization } from './layer.ts';
import { HelloNorm, HelloNormGrad } from './op.ts';
import { HelloOptimizer } from './optimizer.ts';
import { owner } from './owner.ts';

/** All of this package, for `use(hello)`: from then on, models that name its layer and its optimizer load. */
export const hello: Plugin = { ...owner, ops: [HelloNorm, HelloNormGrad], layers: [HelloNormalization, HelloOptimizer] };
