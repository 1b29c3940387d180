import type { CheckPluginOptions } from '@evenkeel/core/testing';

/** What the kernels for somebody else's op are tested with, for `checkPlugin`: calls that they serve, and one that they leave to others. */
export const kernelChecks: Pick<CheckPluginOptions, 'cases'> = {
  cases: {
    RMSNorm: [
      { inputs: { x: { shape: [3, 5] }, gamma: { shape: [5] } }, attrs: { epsilon: 0.1 } },
      { inputs: { x: { shape: [2, 2, 19] }, gamma: { shape: [19] } } },
      { name: 'wider than a workgroup', inputs: { x: { shape: [2, 301] }, gamma: { shape: [301] } } },
      { name: 'what they refuse', inputs: { x: { shape: [3, 5] } }, attrs: { epsilon: 0.1 } },
    ],
  },
};
