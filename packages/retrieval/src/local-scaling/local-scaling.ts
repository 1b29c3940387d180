import { div, maximum, mul, neg, slice, sub, tidy, topk, transpose, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core';
import { checkCount, checkFinite, checkMatrices, checkPositive, type OnNonFinite } from '../checks.ts';

export interface LocalScalingOptions {
  /** Whose distance is the scale: that to the k-th nearest; the last where there are fewer. Default 10. */
  k?: number;
  /** The similarity of equal things: distances are this less the similarity. Default 1, for cosines. */
  largest?: number;
  /** NaN and infinities: `'propagate'` (default) or `'throw'`. */
  onNonFinite?: OnNonFinite;
}

/** Distances below are those of rounding. */
const LEAST = 1e-6;

/** Distance of each row to its k-th nearest, [rows, 1]. */
function radius(similarities: Tensor2D, k: number, largest: number): Tensor {
  const count = Math.min(k, similarities.shape[1]);
  const kth = slice(topk(similarities, count).values, [0, count - 1], [-1, 1]);
  return maximum(sub(largest, kth), LEAST * largest);
}

/**
 * Local scaling: -d[i, j]^2 / (s[i] s[j]), the logarithm of a kernel whose width follows the density on both sides. d = largest - S, s[i] is
 * query i's distance to its k-th nearest item, s[j] item j's distance to its k-th nearest bank query.
 *
 * @param similarities - [queries, gallery items], at most `largest`; what exceeds it by rounding has distance 0
 * @param queryBank - [bank queries, gallery items]
 * @returns [queries, gallery items], logarithms
 * @throws EvenkeelError SHAPE, DTYPE or INVALID_ARGUMENT where the matrices do not fit, k is no count, or largest is not > 0; NON_FINITE with
 * `onNonFinite: 'throw'`
 *
 * Source: Zelnik-Manor, Perona 2004, "Self-Tuning Spectral Clustering"; Schnitzer et al. 2012, "Local and Global Scaling Reduce Hubs in Space".
 *
 * @example
 * const scores = localScaling(similarities, queryBank, { k: 10 });
 */
export function localScaling(similarities: Tensor2D, queryBank: Tensor2D, options: LocalScalingOptions = {}): Tensor2D {
  const op = 'localScaling';
  const { k = 10, largest = 1, onNonFinite = 'propagate' } = options;
  checkMatrices(op, { similarities, queryBank });
  checkCount(op, 'k', k);
  checkPositive(op, 'largest', largest);
  checkFinite(op, { similarities, queryBank }, onNonFinite);
  return tidy(() => {
    const distances = maximum(sub(largest, similarities), 0);
    const scales = mul(radius(similarities, k, largest), transpose(radius(transpose(queryBank), k, largest)));
    return neg(div(mul(distances, distances), scales));
  });
}
