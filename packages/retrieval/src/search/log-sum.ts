import {
  add,
  cast,
  exp,
  log,
  matMul,
  max,
  mul,
  oneHot,
  reshape,
  sub,
  sum,
  tidy,
  where,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { defineOp, expect } from '@evenkeel/core';
import { owner } from '../owner.ts';
import { checkItems, decodeItems } from './items.ts';
import { logSumWasm } from './wasm.ts';
import { logSumWgsl } from './wgsl.ts';

/** What a row adds to the item that it is itself: far below any score, and still finite. */
const NOTHING = -1e30;

/** largest, sum [n]: the largest score of each item, and the sum of exp(score - largest), of scale * (row . item) - offset[row]. */
export const SimilarityLogSum = /* @__PURE__ */ defineOp({
  name: 'SimilarityLogSum',
  owner,
  inputs: {
    bank: 'b,d',
    items: { shape: 'n,w', dtype: ['float32', 'int32'] },
    scales: { shape: 'n', optional: true },
    offsets: { shape: 'b', optional: true },
    exclude: { shape: 'b', dtype: 'int32', optional: true },
  },
  attrs: { scale: 1 },
  check: ({ bank, items, scales }, { scale }) => {
    const op = 'SimilarityLogSum';
    checkItems(op, bank.shape[1]!, items, scales);
    expect(bank.shape[0]! > 0, op, 'bank', 'a bank of at least one row', bank);
    expect(Number.isFinite(scale), op, 'scale', 'a finite number', scale);
  },
  outputs: {
    largest: ({ items }) => ({ shape: [items.shape[0]!], dtype: 'float32' }),
    sum: ({ items }) => ({ shape: [items.shape[0]!], dtype: 'float32' }),
  },
  reference: ({ bank, items, scales, offsets, exclude }, { scale }) => {
    const floats = decodeItems(items as Tensor2D, scales as Tensor1D | undefined, bank.shape[1]!);
    const products = mul(matMul(bank, floats, false, true), scale);
    const all = offsets === undefined ? products : sub(products, reshape(offsets, [-1, 1]));
    const scores = exclude === undefined ? all : where(cast(oneHot(exclude as Tensor1D, items.shape[0]!), 'bool'), NOTHING, all);
    const largest = max(scores, 0);
    return { largest, sum: sum(exp(sub(scores, largest)), 0) };
  },
  kernels: () => [logSumWgsl(), logSumWasm()],
});

export interface SimilarityLogNormalizersOptions {
  /** Factor of the products: beta for cosines and products, 2 beta for Euclidean distances. Default 1. */
  scale?: number;
  /** [bank rows] subtracted from each row's scores, such as beta times its squared norm. */
  offsets?: Tensor1D | undefined;
  /** [bank rows] int32: the item that a row is itself, which it then does not count for, or -1. */
  exclude?: Tensor1D | undefined;
  /** [items] what int8 codes are multiplied with; then `items` is int32, four codes a word. */
  scales?: Tensor1D | undefined;
}

/**
 * How much each item draws from a bank, of embeddings: log sum over rows a of exp(scale * (a . item) - offset[a]). With the kernels of wasm
 * and webgpu the similarities are never held.
 *
 * @param bank - [bank rows, dimensions] float32
 * @param items - [items, dimensions] float32, or int32 [items, dimensions / 4] of int8 codes
 * @returns [items]
 * @throws EvenkeelError SHAPE where dimensions differ, INVALID_ARGUMENT for an empty bank
 *
 * @example
 * const z = similarityLogNormalizers(queryBank, gallery, { scale: beta }); // as logNormalizers of the matrix of cosines
 */
export function similarityLogNormalizers(bank: Tensor2D, items: Tensor2D, options: SimilarityLogNormalizersOptions = {}): Tensor1D {
  const { scale = 1, offsets, exclude, scales } = options;
  return tidy(() => {
    const inputs = { bank, items, ...(offsets && { offsets }), ...(exclude && { exclude }), ...(scales && { scales }) };
    const { largest, sum: total } = SimilarityLogSum(inputs, { scale });
    return add(largest, log(total)) as Tensor1D;
  });
}
