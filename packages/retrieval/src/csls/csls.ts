import { mean, mul, sub, tidy, topk, transpose, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core';
import { checkCount, checkFinite, checkMatrices, type OnNonFinite } from '../checks.ts';

export interface CslsOptions {
  /** Over how many nearest bank queries an item's mean is taken; fewer where there are fewer. Default 10. */
  k?: number;
  /** Over how many nearest items a query's mean is taken, which does not change its ranking. Default: k. */
  kRow?: number;
  /** NaN and infinities: `'propagate'` (default) or `'throw'`. */
  onNonFinite?: OnNonFinite;
}

/** Mean of the k largest of each row, [rows, 1]. */
function meanOfLargest(matrix: Tensor2D, k: number): Tensor {
  return mean(topk(matrix, Math.min(k, matrix.shape[1])).values, 1, true);
}

/**
 * Cross-domain similarity local scaling: 2 S[i, j] - r[i] - r[j], where r[j] is the mean of item j's k largest similarities to bank queries,
 * and r[i] that of query i's k largest to the gallery.
 *
 * @param similarities - [queries, gallery items]
 * @param queryBank - [bank queries, gallery items]
 * @returns [queries, gallery items]
 * @throws EvenkeelError SHAPE, DTYPE or INVALID_ARGUMENT where the matrices do not fit or k is no count, NON_FINITE with `onNonFinite: 'throw'`
 *
 * Source: Conneau et al. 2018, "Word Translation Without Parallel Data".
 *
 * @example
 * const scores = csls(similarities, queryBank, { k: 10 });
 */
export function csls(similarities: Tensor2D, queryBank: Tensor2D, options: CslsOptions = {}): Tensor2D {
  const { k = 10, kRow = k, onNonFinite = 'propagate' } = options;
  checkMatrices('csls', { similarities, queryBank });
  checkCount('csls', 'k', k);
  checkCount('csls', 'kRow', kRow);
  checkFinite('csls', { similarities, queryBank }, onNonFinite);
  return tidy(() => {
    const items = transpose(meanOfLargest(transpose(queryBank), k));
    return sub(sub(mul(similarities, 2), meanOfLargest(similarities, kRow)), items);
  });
}
