import { backends } from '../../../../tools/test-backends.ts';
import { logSumExp, matMul, memory, mul, tensor1d, tensor2d, type Tensor2D } from '@tensorflow/tfjs-core';
import { backend, inspect, isEvenkeelError, random, resetInspection } from '@evenkeel/core';
import { opcheck, type OpCase } from '@evenkeel/core/testing';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { encodeItems, similarityLogNormalizers, SimilarityLogSum, similarityTopK, SimilarityTopK } from './index.ts';

const floats = (rows: number, columns: number, seed: number): Float32Array => {
  const values = random(seed).uniform(rows * columns);
  return Float32Array.from(values, (value) => 2 * value - 1);
};

/**
 * Items of int8 codes. Every fourth is 0 or -1, so that words are whole numbers that float32 holds: opcheck's copies and tfjs' slices on
 * webgpu take int32 through it. All codes are below.
 */
function codes(rows: number, depth: number): Record<'items' | 'scales', { shape: number[]; dtype?: 'int32'; values: ArrayLike<number> }> {
  const width = Math.ceil(depth / 4);
  const next = random(7);
  const bytes = Int8Array.from(next.uniform(rows * width * 4), (value, i) =>
    i % 4 === 3 ? -Math.round(value) : Math.floor(value * 255) - 127,
  );
  const scales = Float32Array.from(next.uniform(rows), (value) => (0.5 + value) / 127);
  return {
    items: { shape: [rows, width], dtype: 'int32', values: new Int32Array(bytes.buffer) },
    scales: { shape: [rows], values: scales },
  };
}

const topKCases: OpCase<{ k: number; scale: number }>[] = [
  { inputs: { queries: { shape: [3, 5] }, items: { shape: [19, 5] } }, attrs: { k: 4 } },
  { inputs: { queries: { shape: [1, 16] }, items: { shape: [33, 16] } }, attrs: { k: 33 } },
  { inputs: { queries: { shape: [7, 9] }, items: { shape: [50, 9] }, offsets: { shape: [50] } }, attrs: { k: 5, scale: 2.5 } },
  { inputs: { queries: { shape: [130, 8] }, items: { shape: [300, 8] }, offsets: { shape: [300] } }, attrs: { k: 10 } },
  { inputs: { queries: { shape: [1, 3] }, items: { shape: [1, 3] } }, attrs: { k: 1 } },
  {
    name: 'more dimensions than a block of two rows holds',
    inputs: { queries: { shape: [6, 33000] }, items: { shape: [17, 33000] } },
    attrs: { k: 2, scale: 0.01 },
  },
  {
    name: 'ties: the lower index first',
    inputs: { queries: { shape: [5, 2], values: () => 1 }, items: { shape: [200, 2], values: (i) => Math.floor(i / 2) % 3 } },
    attrs: { k: 20 },
  },
  {
    name: 'items that cannot be found',
    inputs: { queries: { shape: [5, 2] }, items: { shape: [20, 2] }, offsets: { shape: [20], values: (i) => (i < 17 ? Infinity : 0) } },
    attrs: { k: 6 },
  },
  { name: 'int8', inputs: { queries: { shape: [6, 10] }, ...codes(40, 10) }, attrs: { k: 7 } },
  { name: 'int8, one query', inputs: { queries: { shape: [1, 8] }, ...codes(70, 8), offsets: { shape: [70] } }, attrs: { k: 17 } },
  {
    name: 'NaN is not found',
    inputs: { queries: { shape: [5, 2] }, items: { shape: [20, 2], values: (i) => (i === 3 ? Number.NaN : Math.sin(i)) } },
    attrs: { k: 20 },
  },
  { inputs: { queries: { shape: [3, 5] }, items: { shape: [19, 4] } }, throws: { code: 'SHAPE', argument: 'items' } },
  {
    inputs: { queries: { shape: [3, 5] }, items: { shape: [4, 5] } },
    attrs: { k: 5 },
    throws: { code: 'INVALID_ARGUMENT', argument: 'k' },
  },
  {
    inputs: { queries: { shape: [3, 5] }, items: { shape: [4, 5] } },
    attrs: { k: 0 },
    throws: { code: 'INVALID_ARGUMENT', argument: 'k' },
  },
  {
    inputs: { queries: { shape: [3, 5] }, items: { shape: [0, 5] } },
    attrs: { k: 1 },
    throws: { code: 'INVALID_ARGUMENT', argument: 'items' },
  },
  {
    inputs: { queries: { shape: [3, 5] }, items: { shape: [4, 5] }, scales: { shape: [4] } },
    attrs: { k: 1 },
    throws: { code: 'INVALID_ARGUMENT', argument: 'scales' },
  },
];

const logSumCases: OpCase<{ scale: number }>[] = [
  { inputs: { bank: { shape: [7, 5] }, items: { shape: [19, 5] } } },
  { inputs: { bank: { shape: [1, 5] }, items: { shape: [1, 5] } } },
  { inputs: { bank: { shape: [600, 6] }, items: { shape: [33, 6] } }, attrs: { scale: 20 }, tolerance: 3e-5 },
  { inputs: { bank: { shape: [33, 6] }, items: { shape: [18, 6] }, offsets: { shape: [33] } }, attrs: { scale: 2 } },
  {
    name: 'far above where it began',
    inputs: { bank: { shape: [9, 2], values: (i) => i * i }, items: { shape: [5, 2], low: 1, high: 2 } },
    attrs: { scale: 3 },
  },
  {
    name: 'rows that are items themselves',
    inputs: { bank: { shape: [6, 4] }, items: { shape: [20, 4] }, exclude: { shape: [6], values: [0, 5, 19, -1, 5, 16] } },
    attrs: { scale: 4 },
  },
  { name: 'int8', inputs: { bank: { shape: [6, 10] }, ...codes(40, 10) }, attrs: { scale: 5 } },
  { inputs: { bank: { shape: [0, 5] }, items: { shape: [4, 5] } }, throws: { code: 'INVALID_ARGUMENT', argument: 'bank' } },
  { inputs: { bank: { shape: [2, 5] }, items: { shape: [4, 6] } }, throws: { code: 'SHAPE', argument: 'items' } },
];

test('SimilarityTopK', async () => {
  await opcheck(SimilarityTopK, topKCases, { backends, gradient: false });
});

test('SimilarityLogSum', async () => {
  await opcheck(SimilarityLogSum, logSumCases, { backends, gradient: false });
});

describe.each(backends)('on %s', (name) => {
  beforeAll(() => backend(name));

  test('the best are those of sorting in float64, whatever the sizes', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 21 }),
        fc.nat(1000),
        async (q, n, depth, seed) => {
          const [a, b] = [floats(q, depth, seed), floats(n, depth, seed + 1)];
          const [queries, items] = [tensor2d(a, [q, depth]), tensor2d(b, [n, depth])];
          const before = memory().numTensors;
          const k = Math.min(n, 5);
          const { values, indices } = await similarityTopK(queries, items, { k });
          expect(memory().numTensors).toBe(before);
          for (let i = 0; i < q; i++) {
            const scores = Array.from({ length: n }, (_, j) => {
              let sum = 0;
              for (let d = 0; d < depth; d++) sum += a[i * depth + d]! * b[j * depth + d]!;
              return sum;
            });
            const wanted = scores.toSorted((x, y) => y - x).slice(0, k);
            wanted.forEach((score, at) => {
              expect(values[i * k + at]).toBeCloseTo(score, 4);
              expect(scores[indices[i * k + at]!]).toBeCloseTo(score, 4);
            });
            expect(new Set(indices.subarray(i * k, (i + 1) * k)).size).toBe(k);
          }
          queries.dispose();
          items.dispose();
        },
      ),
      { numRuns: name === 'webgpu' ? 10 : 40 },
    ));

  test('int8 items give what their codes say, all codes', async () => {
    const [q, n, depth] = [5, 37, 11];
    const [a, b] = [floats(q, depth, 3), floats(n, depth, 4)];
    const { words, scales } = encodeItems(b, depth);
    const bytes = new Int8Array(words.buffer);
    const decoded = Float32Array.from(b, (_, i) => bytes[Math.floor(i / depth) * 12 + (i % depth)]! * scales[Math.floor(i / depth)]!);
    b.forEach((value, i) => expect(Math.abs(decoded[i]! - value)).toBeLessThanOrEqual(scales[Math.floor(i / depth)]! * 0.501));
    const [queries, items] = [tensor2d(a, [q, depth]), tensor2d(words, [n, 3], 'int32')];
    const [plain, factors] = [tensor2d(decoded, [n, depth]), tensor1d(scales)];
    const found = await similarityTopK(queries, items, { k: n, scales: factors });
    const wanted = await similarityTopK(queries, plain, { k: n });
    expect([...found.indices]).toEqual([...wanted.indices]);
    found.values.forEach((value, i) => expect(value).toBeCloseTo(wanted.values[i]!, 5));
    const [z, zPlain] = [similarityLogNormalizers(queries, items, { scales: factors }), similarityLogNormalizers(queries, plain)];
    const [x, y] = [await z.data(), await zPlain.data()];
    x.forEach((value, j) => expect(value).toBeCloseTo(y[j]!, 5));
    for (const each of [queries, items, plain, factors, z, zPlain]) each.dispose();
  });

  test('normalizers are those of the matrix', async () => {
    const [bank, items] = [tensor2d(floats(50, 12, 1), [50, 12]), tensor2d(floats(40, 12, 2), [40, 12])];
    const z = similarityLogNormalizers(bank, items, { scale: 10 });
    const wanted = logSumExp(mul(matMul(bank, items, false, true), 10), 0);
    const [found, expected] = [await z.data(), await wanted.data()];
    found.forEach((value, j) => expect(value).toBeCloseTo(expected[j]!, 3));
    for (const each of [bank, items, z, wanted]) each.dispose();
  });

  test('kernels serve, also where queries come in strips', async () => {
    resetInspection();
    const [queries, items] = [tensor2d(floats(5, 2, 1), [5, 2]), tensor2d(floats(9, 2, 2), [9, 2])];
    const { indices } = await similarityTopK(queries, items, { k: 9, strip: 18 });
    expect(inspect().calls.find(({ op }) => op === SimilarityTopK.id)?.served).toBe(name === 'cpu' ? 'reference' : 'kernel');
    expect([...indices]).toEqual([...(await similarityTopK(queries, items, { k: 9 })).indices]);
    for (const each of [queries, items]) each.dispose();
  });
});

test('no queries, no results; other widths are refused', async () => {
  await backend('cpu');
  const items = tensor2d([[1, 2]]);
  const { values } = await similarityTopK(tensor2d([], [0, 2]), items, { k: 1 });
  expect(values).toHaveLength(0);
  const error = await similarityTopK(tensor2d([[1]]) as Tensor2D, items, { k: 1, offsets: tensor1d([0]) }).catch(
    (thrown: unknown) => thrown,
  );
  expect(isEvenkeelError(error, 'SHAPE')).toBe(true);
});
