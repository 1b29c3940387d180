import { abs, add, log, mul, sign, tidy, where, onesLike, type Tensor2D } from '@tensorflow/tfjs-core';
import { checkFinite, checkMatrices, checkPositive } from '../checks.ts';
import { activeRows, checkActivation, maskOf } from './activation.ts';
import { corrected, withoutSelf, type DualInvertedSoftmaxOptions, type InvertedSoftmaxOptions } from './inverted-softmax.ts';

export interface DynamicInvertedSoftmaxOptions extends InvertedSoftmaxOptions {
  /** How many nearest items of each bank row are activated. Default 1. */
  k?: number;
}

export interface DualDynamicInvertedSoftmaxOptions extends DualInvertedSoftmaxOptions {
  /** How many nearest items of each bank row are activated. Default 1. */
  k?: number;
}

/** Numbers of any size: sign times exp(logarithm). */
export interface SignedLogarithms {
  /** -1, 0 or 1. */
  readonly sign: Tensor2D;
  /** Logarithm of the magnitude; -Infinity for 0. */
  readonly logMagnitude: Tensor2D;
}

/** beta S, less z where the row is active in the bank. */
function correct(similarities: Tensor2D, bank: Tensor2D, beta: number, k: number): Tensor2D {
  const raw = mul(similarities, beta) as Tensor2D;
  return where(activeRows(similarities, maskOf(bank, k)), corrected(similarities, bank, beta), raw);
}

/**
 * Dynamic inverted softmax (QB-Norm): the inverted softmax for queries whose nearest item is among the k nearest of some bank query; beta S
 * for the others, which ranks as S does.
 *
 * @param similarities - [queries, gallery items]
 * @param queryBank - [bank queries, gallery items]
 * @returns [queries, gallery items], logarithms
 * @throws EvenkeelError SHAPE, DTYPE or INVALID_ARGUMENT where the matrices do not fit, beta is not > 0, or k exceeds the items; NON_FINITE with
 * `onNonFinite: 'throw'`
 *
 * Source: Bogolin et al. 2022, "Cross Modal Retrieval with Querybank Normalisation".
 *
 * @example
 * const scores = dynamicInvertedSoftmax(similarities, queryBank, { beta: 20, k: 1 });
 */
export function dynamicInvertedSoftmax(similarities: Tensor2D, queryBank: Tensor2D, options: DynamicInvertedSoftmaxOptions = {}): Tensor2D {
  const op = 'dynamicInvertedSoftmax';
  const { beta = 20, k = 1, onNonFinite = 'propagate' } = options;
  checkMatrices(op, { similarities, queryBank });
  checkPositive(op, 'beta', beta);
  checkActivation(op, queryBank, k);
  checkFinite(op, { similarities, queryBank }, onNonFinite);
  return tidy(() => correct(similarities, queryBank, beta, k));
}

function checkDual(
  op: string,
  matrices: { similarities: Tensor2D; queryBank: Tensor2D; galleryBank: Tensor2D },
  { beta1 = 20, beta2 = 20, k = 1, onNonFinite = 'propagate' }: DualDynamicInvertedSoftmaxOptions,
): void {
  checkMatrices(op, matrices);
  checkPositive(op, 'beta1', beta1);
  checkPositive(op, 'beta2', beta2);
  checkActivation(op, matrices.queryBank, k);
  checkFinite(op, matrices, onNonFinite);
}

/**
 * Dual dynamic inverted softmax: beta1 S - [active in the query bank] zP + beta2 S - [active in the gallery bank] zR. Each bank has an
 * activation set of its own. Where both are active it ranks as the product of the paper; where none is, as S.
 *
 * @param similarities - [queries, gallery items]
 * @param queryBank - [bank queries, gallery items]
 * @param galleryBank - [bank gallery items, gallery items]
 * @returns [queries, gallery items], logarithms
 * @throws as {@link dynamicInvertedSoftmax}
 *
 * Source: Wang, Jian, Xue 2023, "Balance Act". The authors' product takes the raw similarity of rows that are not active, which turns the
 * order of negative ones around: {@link officialDualDynamicInvertedSoftmax}.
 *
 * @example
 * const scores = dualDynamicInvertedSoftmax(similarities, queryBank, galleryBank, { beta1: 20, beta2: 20 });
 */
export function dualDynamicInvertedSoftmax(
  similarities: Tensor2D,
  queryBank: Tensor2D,
  galleryBank: Tensor2D,
  options: DualDynamicInvertedSoftmaxOptions = {},
): Tensor2D {
  const op = 'dualDynamicInvertedSoftmax';
  const { beta1 = 20, beta2 = 20, k = 1, excludeSelf = false } = options;
  checkDual(op, { similarities, queryBank, galleryBank }, options);
  return tidy(() => {
    const others = withoutSelf(op, galleryBank, excludeSelf);
    return add(correct(similarities, queryBank, beta1, k), correct(similarities, others, beta2, k));
  });
}

/** What one bank gives in the authors' code: exp(beta S - z) in active rows, S in others. */
function official(similarities: Tensor2D, bank: Tensor2D, beta: number, k: number): SignedLogarithms {
  const active = activeRows(similarities, maskOf(bank, k));
  return {
    sign: where(active, onesLike(similarities), sign(similarities)),
    logMagnitude: where(active, corrected(similarities, bank, beta), log(abs(similarities))),
  };
}

/**
 * Dual dynamic inverted softmax as the authors' code composes it: the product of two single-bank results, in which rows that are not active
 * hold the raw similarity. For parity only: a row that is active in neither bank then scores S times S, which ranks -0.9 above 0.1.
 *
 * @returns the products as sign and logarithm, so that none overflows
 */
export function officialDualDynamicInvertedSoftmax(
  similarities: Tensor2D,
  queryBank: Tensor2D,
  galleryBank: Tensor2D,
  options: DualDynamicInvertedSoftmaxOptions = {},
): SignedLogarithms {
  const op = 'officialDualDynamicInvertedSoftmax';
  const { beta1 = 20, beta2 = 20, k = 1, excludeSelf = false } = options;
  checkDual(op, { similarities, queryBank, galleryBank }, options);
  const parts = (): Record<'sign' | 'logMagnitude', Tensor2D> => {
    const a = official(similarities, queryBank, beta1, k);
    const b = official(similarities, withoutSelf(op, galleryBank, excludeSelf), beta2, k);
    return { sign: mul(a.sign, b.sign), logMagnitude: add(a.logMagnitude, b.logMagnitude) };
  };
  return tidy(parts);
}
