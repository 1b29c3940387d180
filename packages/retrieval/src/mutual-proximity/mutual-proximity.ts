import { add, div, maximum, moments, sqrt, sub, tidy, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core';
import { checkFinite, checkMatrices, type OnNonFinite } from '../checks.ts';
import { logNormalCdf } from './log-normal-cdf.ts';

export interface MutualProximityOptions {
  /** NaN and infinities: `'propagate'` (default) or `'throw'`. */
  onNonFinite?: OnNonFinite;
}

/** Below it a spread is that of rounding. */
const LEAST_DEVIATION = 1e-6;

/** log of the share of similarities that lie below `similarities`, as a normal distribution with the moments of `of` along the axis has it. */
function logShareBelow(similarities: Tensor2D, of: Tensor2D, axis: 0 | 1): Tensor {
  const { mean, variance } = moments(of, axis, true);
  return logNormalCdf(div(sub(similarities, mean), maximum(sqrt(variance), LEAST_DEVIATION)));
}

/**
 * Mutual proximity, with normal distributions that are taken to be independent: the logarithm of the probability that S[i, j] exceeds both
 * query i's similarity to some item and item j's to some bank query.
 *
 * @param similarities - [queries, gallery items]; a query's distribution is its row, which should have tens of items
 * @param queryBank - [bank queries, gallery items]
 * @returns [queries, gallery items], logarithms
 * @throws EvenkeelError SHAPE or DTYPE where the matrices do not fit, NON_FINITE with `onNonFinite: 'throw'`
 *
 * Source: Schnitzer, Flexer, Schedl, Widmer 2012, "Local and Global Scaling Reduce Hubs in Space", section 3.2.
 *
 * @example
 * const scores = mutualProximity(similarities, queryBank);
 */
export function mutualProximity(similarities: Tensor2D, queryBank: Tensor2D, options: MutualProximityOptions = {}): Tensor2D {
  const { onNonFinite = 'propagate' } = options;
  checkMatrices('mutualProximity', { similarities, queryBank });
  checkFinite('mutualProximity', { similarities, queryBank }, onNonFinite);
  return tidy(() => add(logShareBelow(similarities, similarities, 1), logShareBelow(similarities, queryBank, 0)));
}
