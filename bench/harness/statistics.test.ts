import { expect, test } from 'vitest';
import { median, pairedRatio, quantile } from './statistics.ts';

test('quantiles stand between neighbours, whatever the order', () => {
  expect(quantile([4, 1, 3, 2], 0)).toBe(1);
  expect(quantile([4, 1, 3, 2], 1)).toBe(4);
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([10, 20], 0.1)).toBeCloseTo(11);
  expect(quantile([7], 0.9)).toBe(7);
  expect(quantile([], 0.5)).toBeNaN();
  expect(median([9, 1, 100])).toBe(9);
});

test('sorts numbers as numbers and leaves its input as it was', () => {
  const values = [10, 9, 2];
  expect(median(values)).toBe(9);
  expect(values).toEqual([10, 9, 2]);
});

test('a paired ratio is that of a round, not of the medians', () => {
  // Each round is slower than the one before, for both: the peer always takes twice as long.
  const ours = [1, 2, 4, 8, 16];
  const peer = [2, 4, 8, 16, 32];
  expect(pairedRatio(peer, ours)).toEqual({ ratio: 2, p10: 2, p90: 2, pairs: 5 });
  // A neighbour that slows down both in one round leaves the ratio alone.
  expect(pairedRatio([2, 200, 2], [1, 100, 1]).ratio).toBe(2);
});

test('rounds that one of the two sat out do not count', () => {
  expect(pairedRatio([undefined, 6, undefined, 8], [1, 2, 3, undefined])).toEqual({ ratio: 3, p10: 3, p90: 3, pairs: 1 });
  expect(pairedRatio([undefined], [1])).toMatchObject({ ratio: Number.NaN, pairs: 0 });
});
