import type { CheckPluginOptions } from '@evenkeel/core/testing';

// #region checks
/** What this package's tests call its plugin with, for `checkPlugin`: whoever installs it can run them too. */
export const checks: Pick<CheckPluginOptions, 'cases' | 'layers'> = {
  cases: {
    // #region op
    HelloNorm: [
      { inputs: { x: { shape: [3, 5] }, gamma: { shape: [5] } }, attrs: { epsilon: 0.1 } },
      { inputs: { x: { shape: [2, 2, 19] }, gamma: { shape: [19] } } },
      { inputs: { x: { shape: [33] }, gamma: { shape: [33] } }, attrs: { epsilon: 0.01 } },
      { name: 'wider than a workgroup', inputs: { x: { shape: [2, 301] }, gamma: { shape: [301] } } },
      { name: 'a row of zeros', inputs: { x: { shape: [2, 6], values: () => 0 }, gamma: { shape: [6] } }, gradient: false },
      { inputs: { x: { shape: [3, 5] }, gamma: { shape: [4] } }, throws: { code: 'SHAPE', argument: 'gamma' } },
      { inputs: { x: { shape: [3, 0] }, gamma: { shape: [0] } }, throws: { code: 'INVALID_ARGUMENT', argument: 'x' } },
      {
        inputs: { x: { shape: [3, 5] }, gamma: { shape: [5] } },
        attrs: { epsilon: 0 },
        throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' },
      },
    ],
    // #endregion op
    // #region gradient
    HelloNormGrad: [
      { inputs: { x: { shape: [3, 5] }, gamma: { shape: [5] }, dy: { shape: [3, 5] } }, attrs: { epsilon: 0.1 } },
      { inputs: { x: { shape: [70, 3] }, gamma: { shape: [3] }, dy: { shape: [70, 3] } } },
      {
        inputs: { x: { shape: [3, 5] }, gamma: { shape: [5] }, dy: { shape: [2, 5] } },
        throws: { code: 'INVALID_ARGUMENT', argument: 'dy' },
      },
    ],
    // #endregion gradient
  },
  layers: {
    // #region layer
    HelloNormalization: [{ inputShape: [5] }, { config: { epsilon: 0.01 }, inputShape: [3, 6] }],
    // #endregion layer
    // #region optimizer
    HelloOptimizer: [{ config: { learningRate: 0.1, momentum: 0.5 } }],
    // #endregion optimizer
  },
};
// #endregion checks
