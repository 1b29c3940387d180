import { backends } from '../../../../tools/test-backends.ts';
import { tensor2d } from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError } from '@evenkeel/core';
import * as fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { beforeAll, describe, expect, test } from 'vitest';
import { matrix } from '../../test/host.ts';
import { plotHubness } from '../plot.ts';
import { antihubShare, countOccurrences, gini, hubnessReport, hubShare, kOccurrence, robinHoodIndex, skewness } from './index.ts';

test('measures of [0, 0, 0, 4]: one item has all', () => {
  const all = [0, 0, 0, 4];
  // Moments about 1: (1 + 1 + 1 + 9) / 4 = 3, (-1 - 1 - 1 + 27) / 4 = 6; 6 / 3^1.5.
  expect(skewness(all)).toBeCloseTo(6 / 3 ** 1.5, 12);
  expect(skewness(all, { includeZeros: false })).toBe(0);
  expect(hubShare(all, 1)).toBe(1);
  expect(antihubShare(all)).toBe(0.75);
  expect(robinHoodIndex(all)).toBe(0.75);
  expect(gini(all)).toBe(0.75);
});

test('equal occurrences are no hubs', () => {
  expect([skewness([2, 2, 2]), antihubShare([2, 2, 2]), robinHoodIndex([2, 2, 2]), gini([2, 2, 2])]).toEqual([0, 0, 0, 0]);
  expect(hubShare([2, 2, 2], 2)).toBeCloseTo(2 / 3, 12);
});

test('nothing retrieved at all', () => {
  expect([skewness([0, 0]), hubShare([0, 0], 1), antihubShare([0, 0]), robinHoodIndex([0, 0]), gini([0, 0])]).toEqual([0, 0, 1, 0, 0]);
});

test('measures stay in their ranges, whatever the occurrences', () =>
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { minLength: 1, maxLength: 40 }), (occurrences) => {
      for (const measure of [antihubShare, robinHoodIndex, gini]) {
        expect(measure(occurrences)).toBeGreaterThanOrEqual(-1e-12);
        expect(measure(occurrences)).toBeLessThanOrEqual(1);
      }
      expect(Number.isFinite(skewness(occurrences))).toBe(true);
    }),
  ));

describe.each(backends)('on %s', (name) => {
  beforeAll(() => backend(name));

  test('k-occurrences count queries, and the lower index wins ties', async () => {
    const similarities = tensor2d([
      [0.5, 0.5, 0.5],
      [0.1, 0.9, 0.3],
    ]);
    expect([...(await kOccurrence(similarities, { k: 1 }))]).toEqual([1, 1, 0]);
    expect([...(await kOccurrence(similarities, { k: 2 }))]).toEqual([1, 2, 1]);
    expect([...(await kOccurrence(similarities, { k: 10 }))]).toEqual([2, 2, 2]);
    const { ties, hubs, k } = await hubnessReport(similarities, { k: 2, hubs: 1 });
    expect([ties, hubs, k]).toEqual([1, [{ item: 1, occurrences: 2 }], 2]);
    similarities.dispose();
  });
});

test('a report tells a hub', async () => {
  await backend('cpu');
  const { values } = matrix(200, 50, 1);
  const similarities = tensor2d(
    values.map((value, i) => (i % 50 === 7 ? value + 1.5 : value)),
    [200, 50],
  );
  const report = await hubnessReport(similarities, { k: 5 });
  expect(report.hubness).toBe(true);
  expect(report.hubs[0]!.item).toBe(7);
  expect(report.hubShare).toBeGreaterThan(0.8);
  expect([...report.occurrences].reduce((a, b) => a + b)).toBe(1000);
  similarities.dispose();

  const { document } = parseHTML('<body>');
  const svg = await plotHubness({ before: report, after: report }, { document });
  expect(svg).toMatch(/^<svg.*before.*after.*<\/svg>$/s);
  // Two lines, from points that are numbers.
  expect(svg.match(/<path[^>]* d="M[^"]*"/g)!.filter((path) => !path.includes('NaN')).length).toBeGreaterThanOrEqual(2);
  expect(svg).not.toContain('NaN');
});

test('counts of results', () => {
  expect([...countOccurrences([0, 2, 2, -1], 3)]).toEqual([1, 0, 2]);
});

test.each<[string, string, string, () => unknown]>([
  ['an index beyond the items', 'INVALID_ARGUMENT', 'indices', () => countOccurrences([3], 3)],
  ['no occurrences', 'INVALID_ARGUMENT', 'occurrences', () => skewness([])],
  ['a NaN', 'INVALID_ARGUMENT', 'occurrences[1]', () => gini([1, Number.NaN])],
  ['k = 0', 'INVALID_ARGUMENT', 'k', () => hubShare([1], 0)],
  ['NaN among similarities', 'NON_FINITE', 'similarities', () => kOccurrence(tensor2d([[1, Number.NaN]]))],
  ['a plot without a document', 'INVALID_ARGUMENT', 'document', () => plotHubness({})],
  ['a plot of nothing', 'INVALID_ARGUMENT', 'reports', () => plotHubness({}, { document: parseHTML('<body>').document })],
])('%s is refused', async (_, code, argument, call) => {
  await backend('cpu');
  const error = await Promise.resolve()
    .then(call)
    .catch((thrown: unknown) => thrown);
  expect(isEvenkeelError(error) && [error.code, error.argument]).toEqual([code, argument]);
});
