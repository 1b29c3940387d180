import { equal, fill, isNaN, matMul, mul, slice, sub, topk, where, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { defineOp, expect } from '@evenkeel/core';
import { owner } from '../owner.ts';
import { checkItems, decodeItems } from './items.ts';
import { topKWasm } from './wasm.ts';
import { topKWgsl } from './wgsl.ts';

/** values, indices [q, k]: the k largest of scale * (query . item) - offset. */
export const SimilarityTopK = /* @__PURE__ */ defineOp({
  name: 'SimilarityTopK',
  owner,
  inputs: {
    queries: 'q,d',
    items: { shape: 'n,w', dtype: ['float32', 'int32'] },
    scales: { shape: 'n', optional: true },
    offsets: { shape: 'n', optional: true },
  },
  attrs: { k: 10, scale: 1 },
  check: ({ queries, items, scales }, { k, scale }) => {
    const op = 'SimilarityTopK';
    checkItems(op, queries.shape[1]!, items, scales);
    const n = items.shape[0]!;
    expect(Number.isSafeInteger(k) && k > 0 && k <= n, op, 'k', `a whole number from 1 to the ${n} items`, k);
    expect(Number.isFinite(scale), op, 'scale', 'a finite number', scale);
  },
  outputs: {
    values: ({ queries }, { k }) => ({ shape: [queries.shape[0]!, k], dtype: 'float32' }),
    indices: ({ queries }, { k }) => ({ shape: [queries.shape[0]!, k], dtype: 'int32' }),
  },
  reference: ({ queries, items, scales, offsets }, { k, scale }) => {
    const floats = decodeItems(items as Tensor2D, scales as Tensor1D | undefined, queries.shape[1]!);
    const products = mul(matMul(queries, floats, false, true), scale);
    const scores = offsets === undefined ? products : sub(products, offsets);
    const none = fill(scores.shape, -Infinity);
    const { values, indices } = topk(where(isNaN(scores), none, scores), k);
    const absent = equal(values, -Infinity);
    return { values: values as Tensor, indices: where(absent, fill(indices.shape, -1, 'int32'), indices) as Tensor };
  },
  kernels: () => [topKWgsl(), topKWasm()],
});

export interface SimilarityTopKOptions {
  /** How many. Default 10. */
  k?: number;
  /** Factor of the products: beta1 + beta2 for corrected scores, 2 for Euclidean distances. Default 1. */
  scale?: number;
  /** [items] subtracted from each item's scores: its correction, its squared norm, or Infinity, which keeps it from being found. */
  offsets?: Tensor1D | undefined;
  /** [items] what int8 codes are multiplied with; then `items` is int32, four codes a word. */
  scales?: Tensor1D | undefined;
  /** How many scores a backend without kernels holds at a time, at most: queries come in strips. Default 2^25. */
  strip?: number;
}

/**
 * The k best items of each query, best first, by scale * (query . item) - offset[item]; among equals the lower index. With the kernels of wasm and webgpu the scores are never held; elsewhere
 * at most `strip` of them at a time. An item whose score is NaN or -Infinity is not found; where fewer than k are left, index -1 and score -Infinity stand for none.
 *
 * @param queries - [queries, dimensions] float32
 * @param items - [items, dimensions] float32, or int32 [items, dimensions / 4] of int8 codes
 * @returns values [queries, k] and indices [queries, k] int32, on the host
 * @throws EvenkeelError SHAPE where dimensions differ, INVALID_ARGUMENT where k exceeds the items
 *
 * @example
 * const { values, indices } = await similarityTopK(queries, items, { k: 10 });
 */
export async function similarityTopK(
  queries: Tensor2D,
  items: Tensor2D,
  options: SimilarityTopKOptions = {},
): Promise<{ values: Float32Array; indices: Int32Array }> {
  const { k = 10, scale = 1, offsets, scales, strip: most = 1 << 25 } = options;
  const inputs = { items, ...(offsets && { offsets }), ...(scales && { scales }) };
  const rows = queries?.shape?.[0] ?? 0;
  const strip = Math.max(1, Math.floor(most / Math.max(1, items?.shape?.[0] ?? 1)));
  const values = new Float32Array(rows * Math.max(0, k));
  const indices = new Int32Array(values.length);
  for (let first = 0; first < rows || first === 0; first += strip) {
    const some = rows <= strip ? queries : slice(queries, [first, 0], [Math.min(strip, rows - first), -1]);
    try {
      const found = SimilarityTopK({ queries: some, ...inputs }, { k, scale });
      values.set((await found.values.data()) as Float32Array, first * k);
      indices.set((await found.indices.data()) as Int32Array, first * k);
      found.values.dispose();
      found.indices.dispose();
    } finally {
      if (some !== queries) some.dispose();
    }
  }
  return { values, indices };
}
