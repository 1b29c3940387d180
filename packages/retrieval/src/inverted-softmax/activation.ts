import {
  argMax,
  cast,
  gather,
  greater,
  onesLike,
  reshape,
  scatterND,
  tidy,
  topk,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { expect } from '@evenkeel/core';
import { checkCount, checkMatrices } from '../checks.ts';

export interface ActivationOptions {
  /** How many nearest gallery items each bank row activates. Default 1. */
  k?: number;
}

/** As {@link activationMask}, of arguments that have been checked. */
export function maskOf(bank: Tensor2D, k: number): Tensor1D {
  const items = bank.shape[1];
  // A row of NaN has no largest: its index would lie outside.
  const nearest = reshape(topk(bank, k).indices, [-1, 1]);
  const counts = scatterND(nearest as Tensor2D, cast(onesLike(reshape(nearest, [-1])), 'float32'), [items]);
  return greater(counts, 0);
}

/** Throws unless a bank row has k nearest items. */
export function checkActivation(op: string, bank: Tensor2D, k: number): void {
  checkCount(op, 'k', k);
  expect(k <= bank.shape[1], op, 'k', `at most the ${bank.shape[1]} gallery items`, k);
}

/**
 * Which gallery items some bank row has among its k nearest: the activation set, as a bool vector.
 *
 * @param bank - [bank rows, gallery items]
 * @returns [gallery items] bool
 *
 * Source: Bogolin et al. 2022, "Cross Modal Retrieval with Querybank Normalisation".
 */
export function activationMask(bank: Tensor2D, { k = 1 }: ActivationOptions = {}): Tensor1D {
  checkMatrices('activationMask', { similarities: bank, bank });
  checkActivation('activationMask', bank, k);
  return tidy(() => maskOf(bank, k));
}

/** Which queries have as their nearest item an activated one: [queries, 1] bool. */
export function activeRows(similarities: Tensor2D, mask: Tensor1D): Tensor2D {
  return cast(reshape(gather(cast(mask, 'int32'), argMax(similarities, 1) as Tensor1D), [-1, 1]), 'bool');
}
