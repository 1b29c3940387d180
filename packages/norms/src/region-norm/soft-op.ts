// Region normalization whose pixels belong to both regions in parts, with gradients with respect to x and the mask: by its reference alone.
import { add, div, greater, mul, sqrt, square, sub, sum, where, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp } from '@evenkeel/core';
import { checkShape } from '../checks.ts';
import { owner } from '../owner.ts';
import { detached } from './detached.ts';
import { asSets, checkEpsilonOf, checkRegions, reducedAxes, REGION_DEFAULTS } from './attributes.ts';

/** y = sum over regions of w (x - mean_w) / sqrt(variance_w + epsilon_w), with w the mask and 1 - mask, and moments weighted by w. */
export const SoftRegionNorm = /* @__PURE__ */ defineOp({
  name: 'SoftRegionNorm',
  owner,
  inputs: { x: 'batch,...,c', mask: 'batch,...' },
  attrs: { statistics: REGION_DEFAULTS.statistics, epsilon: REGION_DEFAULTS.epsilon, epsilonMode: REGION_DEFAULTS.epsilonMode },
  check: ({ x, mask }, attrs) => {
    checkEpsilonOf('SoftRegionNorm', { regions: 2, ...attrs });
    checkShape('SoftRegionNorm', 'mask', mask, [...x.shape.slice(0, -1), 1], 'one weight for each pixel of x');
    checkRegions('SoftRegionNorm', x, mask, { regions: 2, statistics: attrs.statistics });
  },
  reference: ({ x, mask }, { statistics, epsilon, epsilonMode }) => {
    const axes = reducedAxes(x, statistics);
    const { positions } = asSets(x.shape, statistics);
    const parts = [sub(1, mask), mask].map((weight) => {
      const counts = detached(() => greater(weight, 0));
      const total = sum(weight, axes, true);
      const n = where(
        detached(() => greater(total, 0)),
        total,
        1,
      );
      // Chosen where the weight is 0: what stands there may be NaN.
      const values = where(counts, x, 0);
      const weighted = (a: Tensor): Tensor => div(sum(mul(weight, a), axes, true), n);
      const centred = sub(values, weighted(values));
      const own = epsilonMode === 'official' ? div(epsilon * positions, n) : epsilon;
      return where(counts, mul(weight, div(centred, sqrt(add(weighted(square(centred)), own)))), 0);
    });
    return add(parts[0]!, parts[1]!);
  },
});
