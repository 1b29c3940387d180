import { add, cast, exp, eye, log, max, mul, reshape, sub, sum, tidy, where, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { expect } from '@evenkeel/core';
import { checkFinite, checkMatrices, checkPositive, type OnNonFinite } from '../checks.ts';

export interface InvertedSoftmaxOptions {
  /** Inverse temperature, > 0: beta times the standard deviation of the similarities should be about 1 to 5. Default 20, for cosines. */
  beta?: number;
  /** NaN and infinities: `'propagate'` (default) or `'throw'`. */
  onNonFinite?: OnNonFinite;
}

export interface DualInvertedSoftmaxOptions {
  /** Inverse temperature of the query bank. Default 20, for cosines. */
  beta1?: number;
  /** Inverse temperature of the gallery bank. Default 20, for cosines. */
  beta2?: number;
  /** Whether the gallery bank is the gallery itself, in its order: then an item's similarity to itself does not count. Default false. */
  excludeSelf?: boolean;
  /** NaN and infinities: `'propagate'` (default) or `'throw'`. */
  onNonFinite?: OnNonFinite;
}

/** Far below what any other row adds, at any temperature, and still finite when it is multiplied. */
const NOTHING = -1e30;

/** log sum over rows of exp(beta (x - largest of the column)), which lies between 0 and log of the rows. */
function logExcess(bank: Tensor2D, most: Tensor2D, beta: number): Tensor1D {
  return log(sum(exp(mul(sub(bank, most), beta)), 0));
}

/**
 * beta S - log sum of exp(beta bank). Differences of similarities before they are scaled: what they lose to rounding is then not multiplied
 * by beta times the size of the similarities.
 */
export function corrected(similarities: Tensor2D, bank: Tensor2D, beta: number): Tensor2D {
  const most = max(bank, 0, true) as Tensor2D;
  return sub(mul(sub(similarities, most), beta), logExcess(bank, most, beta));
}

/** The gallery bank without the similarity of each item to itself. */
export function withoutSelf(op: string, galleryBank: Tensor2D, excludeSelf: boolean): Tensor2D {
  if (!excludeSelf) return galleryBank;
  const [rows, columns] = galleryBank.shape;
  expect(rows === columns, op, 'galleryBank', 'the gallery against itself, a square matrix, with excludeSelf', galleryBank, 'SHAPE');
  expect(rows > 1, op, 'galleryBank', 'at least two items with excludeSelf', galleryBank);
  return where(cast(eye(rows), 'bool'), NOTHING, galleryBank);
}

/**
 * How much each gallery item draws from a bank: z[j] = log sum over a of exp(beta bank[a, j]).
 *
 * @param bank - [bank rows, gallery items] similarities
 * @returns [gallery items]
 */
export function logNormalizers(bank: Tensor2D, { beta = 20 }: Pick<InvertedSoftmaxOptions, 'beta'> = {}): Tensor1D {
  checkMatrices('logNormalizers', { similarities: bank, bank });
  checkPositive('logNormalizers', 'beta', beta);
  return tidy(() => {
    const most = max(bank, 0, true) as Tensor2D;
    return add(mul(reshape(most, [-1]), beta), logExcess(bank, most, beta));
  });
}

/**
 * Inverted softmax: beta S[i, j] - log sum over a of exp(beta bank[a, j]). What many bank queries are close to, counts for less. Scores are
 * logarithms, which do not overflow at any temperature; rows rank as their exponentials do.
 *
 * @param similarities - [queries, gallery items]
 * @param queryBank - [bank queries, gallery items]: other queries, such as those of training, against the same gallery
 * @returns [queries, gallery items]
 * @throws EvenkeelError SHAPE, DTYPE or INVALID_ARGUMENT where the matrices do not fit or beta is not > 0, NON_FINITE with `onNonFinite: 'throw'`
 *
 * Source: Smith et al. 2017, "Offline bilingual word vectors, orthogonal transformations and the inverted softmax".
 *
 * @example
 * const scores = invertedSoftmax(similarities, queryBank, { beta: 20 });
 */
export function invertedSoftmax(similarities: Tensor2D, queryBank: Tensor2D, options: InvertedSoftmaxOptions = {}): Tensor2D {
  const op = 'invertedSoftmax';
  const { beta = 20, onNonFinite = 'propagate' } = options;
  checkMatrices(op, { similarities, queryBank });
  checkPositive(op, 'beta', beta);
  checkFinite(op, { similarities, queryBank }, onNonFinite);
  return tidy(() => corrected(similarities, queryBank, beta));
}

/**
 * Dual inverted softmax: (beta1 + beta2) S[i, j] - zP[j] - zR[j], where zP and zR are log sums of exp(beta bank[:, j]) over a query bank and
 * a gallery bank. It pays where the query bank is small. The correction is one number an item, so it can stand in an index.
 *
 * @param similarities - [queries, gallery items]
 * @param queryBank - [bank queries, gallery items]
 * @param galleryBank - [bank gallery items, gallery items]: other items of the gallery's kind against the gallery
 * @returns [queries, gallery items], logarithms
 * @throws EvenkeelError SHAPE, DTYPE or INVALID_ARGUMENT where the matrices do not fit or a beta is not > 0, NON_FINITE with `onNonFinite: 'throw'`
 *
 * Source: Wang, Jian, Xue 2023, "Balance Act: Mitigating Hubness in Cross-Modal Retrieval with Query and Gallery Banks", as in the paper: the
 * authors' code has the gallery bank in place of the similarities.
 *
 * @example
 * const scores = dualInvertedSoftmax(similarities, queryBank, galleryBank, { beta1: 20, beta2: 5 });
 */
export function dualInvertedSoftmax(
  similarities: Tensor2D,
  queryBank: Tensor2D,
  galleryBank: Tensor2D,
  options: DualInvertedSoftmaxOptions = {},
): Tensor2D {
  const op = 'dualInvertedSoftmax';
  const { beta1 = 20, beta2 = 20, excludeSelf = false, onNonFinite = 'propagate' } = options;
  checkMatrices(op, { similarities, queryBank, galleryBank });
  checkPositive(op, 'beta1', beta1);
  checkPositive(op, 'beta2', beta2);
  checkFinite(op, { similarities, queryBank, galleryBank }, onNonFinite);
  return tidy(() => {
    const others = withoutSelf(op, galleryBank, excludeSelf);
    return add(corrected(similarities, queryBank, beta1), corrected(similarities, others, beta2));
  });
}
