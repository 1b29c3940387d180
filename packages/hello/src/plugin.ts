import type { Plugin } from '@evenkeel/core';
import { HelloNormalization } from './layer.ts';
import { HelloNorm, HelloNormGrad } from './op.ts';
import { HelloOptimizer } from './optimizer.ts';
import { owner } from './owner.ts';

/** All of this package, for `use(hello)`: from then on, models that name its classes load. */
export const hello: Plugin = {
  ...owner,
  // #region op
  ops: [
    HelloNorm,
    // #region gradient
    HelloNormGrad,
    // #endregion gradient
  ],
  // #endregion op
  layers: [
    // #region layer
    HelloNormalization,
    // #endregion layer
    // #region optimizer
    HelloOptimizer,
    // #endregion optimizer
  ],
};
