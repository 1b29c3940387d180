import { backends } from '../../../../tools/test-backends.ts';
import { memory, tensor2d } from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError } from '@evenkeel/core';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { matrix } from '../../test/host.ts';
import { metricsOf, ranksOf, retrievalMetrics } from './index.ts';

describe.each(backends)('on %s', (name) => {
  beforeAll(() => backend(name));

  test('both directions of a small case, by hand', async () => {
    const similarities = tensor2d([
      [0.9, 0.1, 0.5],
      [0.2, 0.3, 0.8],
      [0.1, 0.4, 0.3],
    ]);
    const before = memory().numTensors;
    const { forward, backward } = await retrievalMetrics(similarities, [0, 1, 2], { at: [1, 2] });
    // Ranks 1, 2, 2 by rows; 1, 2, 3 by columns.
    expect(forward.recall).toEqual({ 1: 1 / 3, 2: 1 });
    expect([forward.medianRank, forward.queries]).toEqual([2, 3]);
    expect(forward.meanRank).toBeCloseTo(5 / 3, 12);
    expect(forward.meanReciprocalRank).toBeCloseTo(2 / 3, 12);
    expect(forward.ndcg).toBeCloseTo((1 + 2 / Math.log2(3)) / 3, 12);
    expect(forward.geometricMeanRecall).toBeCloseTo(Math.sqrt(1 / 3), 12);
    expect([backward.medianRank, backward.meanRank]).toEqual([2, 2]);
    expect(memory().numTensors).toBe(before);
    similarities.dispose();
  });
});

describe('on cpu', () => {
  beforeAll(() => backend('cpu'));

  test('equal numbers do not score: all have the mean rank', async () => {
    const equal = tensor2d(
      Array.from({ length: 9 }, () => 0.5),
      [3, 3],
    );
    expect((await ranksOf(equal, [0, 1, 2])).flatMap((ranks) => [...ranks])).toEqual([2, 2, 2]);
    expect((await retrievalMetrics(equal, [0, 1, 2])).forward.recall[1]).toBe(0);
    equal.dispose();
  });

  test('several right items: the best counts for recall, all for nDCG', async () => {
    const similarities = tensor2d([[0.9, 0.8, 0.7, 0.6]]);
    const ranks = await ranksOf(similarities, [[3, 1]]);
    expect([...ranks[0]!]).toEqual([2, 4]);
    const { ndcg, medianRank } = metricsOf(ranks);
    expect(medianRank).toBe(2);
    expect(ndcg).toBeCloseTo((1 / Math.log2(3) + 1 / Math.log2(5)) / (1 + 1 / Math.log2(3)), 12);
    similarities.dispose();
  });

  test("the other direction may have scores of its own, and leaves out items that are nobody's", async () => {
    const similarities = tensor2d([[0.9, 0.1, 0.5]]);
    const reverse = tensor2d([[1], [1], [1]]);
    const { backward } = await retrievalMetrics(similarities, [0], { reverse });
    expect([backward.queries, backward.medianRank]).toEqual([1, 1]);
    for (const each of [similarities, reverse]) each.dispose();
  });

  test('ranks of a permutation are those of sorting', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 12 }), fc.nat(1000), async (rows, columns, seed) => {
        const { values } = matrix(rows, columns, seed);
        const similarities = tensor2d([...values], [rows, columns]);
        const targets = Array.from({ length: rows }, (_, i) => (i * 7) % columns);
        const ranks = await ranksOf(similarities, targets);
        similarities.dispose();
        ranks.forEach(([rank], i) => {
          const row = values.slice(i * columns, (i + 1) * columns);
          const sorted = row.toSorted((a, b) => b - a);
          const own = row[targets[i]!]!;
          expect(rank).toBe((sorted.indexOf(own) + sorted.lastIndexOf(own)) / 2 + 1);
        });
      }),
      { numRuns: 50 },
    ));

  test('an item that was not found has rank Infinity', () => {
    const { recall, medianRank, meanReciprocalRank, ndcg } = metricsOf([[Infinity]]);
    expect([recall[10], medianRank, meanReciprocalRank, ndcg]).toEqual([0, Infinity, 0, 0]);
  });

  test.each<[string, string, string, () => unknown]>([
    ['too few targets', 'SHAPE', 'targets', () => ranksOf(tensor2d([[1, 2]]), [])],
    ['a target beyond the items', 'INVALID_ARGUMENT', 'targets[0]', () => ranksOf(tensor2d([[1, 2]]), [2])],
    ['a query without target', 'INVALID_ARGUMENT', 'targets[0]', () => ranksOf(tensor2d([[1, 2]]), [[]])],
    ['NaN', 'NON_FINITE', 'similarities', () => ranksOf(tensor2d([[1, Number.NaN]]), [0])],
    ['no queries', 'INVALID_ARGUMENT', 'ranks', () => metricsOf([])],
    ['recall at 0', 'INVALID_ARGUMENT', 'at', () => metricsOf([[1]], { at: [0] })],
    ['rank 0', 'INVALID_ARGUMENT', 'ranks[0]', () => metricsOf([[0]])],
    ['another shape in reverse', 'SHAPE', 'reverse', () => retrievalMetrics(tensor2d([[1, 2]]), [0], { reverse: tensor2d([[1, 2]]) })],
  ])('%s is refused', async (_, code, argument, call) => {
    const error = await Promise.resolve()
      .then(call)
      .catch((thrown: unknown) => thrown);
    expect(isEvenkeelError(error) && [error.code, error.argument]).toEqual([code, argument]);
  });
});
