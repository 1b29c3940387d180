import { backends } from '../../../../tools/test-backends.ts';
import { memory } from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError, random, readSafetensors, writeSafetensors } from '@evenkeel/core';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { double, type Matrix } from '../../test/host.ts';
import { SEGMENT } from './segment.ts';
import {
  HubnessCorrectedIndex,
  type CorrectionMethod,
  type HubnessCorrectedIndexOptions,
  type Metric,
  type SearchResult,
  type Vectors,
} from './index.ts';

const D = 6;

/** Vectors about a common direction, so that there are hubs. */
function vectors(count: number, seed: number, dimensions = D): Float32Array[] {
  const values = random(seed).normal(count * dimensions);
  return Array.from({ length: count }, (_, i) =>
    values.slice(i * dimensions, (i + 1) * dimensions).map((value, d) => value + (d === 0 ? 1 : 0)),
  );
}

function similarity(metric: Metric, a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [product, x, y] = [0, 0, 0];
  for (let d = 0; d < a.length; d++) {
    product += a[d]! * b[d]!;
    x += a[d]! ** 2;
    y += b[d]! ** 2;
  }
  if (metric === 'dot') return product;
  return metric === 'cosine' ? product / Math.sqrt(x * y) : 2 * product - x - y;
}

const matrixOf = (metric: Metric, rows: Float32Array[], items: Float32Array[]): Matrix => ({
  rows: rows.length,
  columns: items.length,
  values: rows.flatMap((row) => items.map((item) => similarity(metric, row, item))),
});

const named = (rows: Float32Array[], prefix = 'i') =>
  rows.map((vector, i) => ({ id: `${prefix}${i}`, vector, metadata: { odd: i % 2 === 1 } }));

async function made(items: Float32Array[], options: Partial<HubnessCorrectedIndexOptions> = {}): Promise<HubnessCorrectedIndex> {
  const index = new HubnessCorrectedIndex({ dimensions: D, beta1: 5, beta2: 3, ...options });
  await index.add(named(items));
  return index;
}

/** Each result's score is that of the matrix in float64, and they are the best of it. */
function expectScores(found: SearchResult[][], scores: readonly number[], items: number, k: number, tolerance = 1e-4): void {
  found.forEach((list, i) => {
    const row = scores.slice(i * items, (i + 1) * items);
    const best = row.toSorted((a, b) => b - a).slice(0, k);
    expect(list).toHaveLength(k);
    list.forEach(({ id, score }, at) => {
      const near = tolerance * (1 + Math.abs(best[at]!));
      expect(Math.abs(score - best[at]!)).toBeLessThanOrEqual(near);
      expect(Math.abs(row[Number(id.slice(1))]! - best[at]!)).toBeLessThanOrEqual(near);
    });
  });
}

const scoresOf: Record<CorrectionMethod, (s: Matrix, p: Matrix, r: Matrix) => readonly number[]> = {
  none: (s) => s.values,
  is: (s, p) => double.invertedSoftmax(s, p, 5),
  dis: (s, p) => double.dynamicInvertedSoftmax(s, p, 5, 1),
  'dual-is': (s, p, r) => double.dualInvertedSoftmax(s, p, r, 5, 3),
  'dual-dis': (s, p, r) => double.add(double.dynamicInvertedSoftmax(s, p, 5, 1), double.dynamicInvertedSoftmax(s, r, 3, 1)),
};

const [items, queries, bank, gallery] = [vectors(60, 1), vectors(9, 2), vectors(12, 3), vectors(7, 4)];

describe.each(backends)('on %s', (name) => {
  beforeAll(() => backend(name));

  test.each(['cosine', 'dot', 'euclidean'] as const)('%s: every method ranks as its function of the matrix in float64', async (metric) => {
    const before = memory().numTensors;
    const [s, p, r] = [queries, bank, gallery].map((rows) => matrixOf(metric, rows, items)) as [Matrix, Matrix, Matrix];
    for (const method of Object.keys(scoresOf) as CorrectionMethod[]) {
      const index = await made(items, { metric, method });
      await index.fit({ queries: bank, gallery });
      const found = await index.search(queries, 8);
      expectScores(found, scoresOf[method](s, p, r), items.length, 8);
      for (const [i, list] of found.entries()) {
        for (const result of list) expect(result.similarity).toBeCloseTo(s.values[i * items.length + Number(result.id.slice(1))]!, 4);
      }
      expectScores(await index.search(queries, 3, { corrected: false }), s.values, items.length, 3);
      index.dispose();
    }
    expect(memory().numTensors).toBe(before);
  });

  test('what comes and goes leaves the same as what was there from the start', async () => {
    const late = vectors(20, 5);
    const index = await made(items);
    await index.fit({ queries: bank, gallery });
    await index.add(named(late, 'l'));
    await index.addBankQueries(vectors(8, 6));
    await index.removeBankQueries(10);
    await index.remove([...Array.from({ length: 30 }, (_, i) => `i${2 * i}`), 'nobody']);
    expect(index.staleness).toBeLessThanOrEqual(1e-3);
    const direct = await made([]);
    await direct.add([...named(items).filter((_, i) => i % 2 === 1), ...named(late, 'l')]);
    await direct.fit({ queries: [...bank, ...vectors(8, 6)].slice(10), gallery });
    expect(index.size).toBe(50);
    expect(index.banks).toEqual({ queries: 10, gallery: 7 });
    const [found, wanted] = [await index.search(queries, 50), await direct.search(queries, 50)];
    found.forEach((list, i) => {
      const by = new Map(wanted[i]!.map(({ id, score }) => [id, score]));
      for (const { id, score } of list) expect(Math.abs(score - by.get(id)!)).toBeLessThanOrEqual(2e-3);
      expect(by.size).toBe(50);
    });
    index.dispose();
    direct.dispose();
  });

  test('int8 takes a quarter of the memory and stays near', async () => {
    const [exact, small] = [await made(items), await made(items, { storage: 'int8' })];
    for (const index of [exact, small]) await index.fit({ queries: bank, gallery });
    const [a, b] = [await exact.search(queries, 60), await small.search(queries, 60)];
    a.forEach((list, i) => {
      const by = new Map(b[i]!.map(({ id, score }) => [id, score]));
      for (const { id, score } of list) expect(Math.abs(score - by.get(id)!)).toBeLessThan(0.3);
    });
    expect(small.bytes.vectors).toBe(60 * (8 + 4));
    expect(exact.bytes).toEqual({ vectors: 60 * D * 4, items: 60 * 20, banks: (12 + 7) * D * 4 });
    exact.dispose();
    small.dispose();
  });
});

const call = (what: (index: HubnessCorrectedIndex) => unknown) => async () => {
  const index = await made(items);
  await index.fit({ queries: bank });
  const before = await index.search(queries, 60);
  const error = await Promise.resolve(index)
    .then(what)
    .catch((thrown: unknown) => thrown);
  // Nothing has changed.
  expect(await index.search(queries, 60)).toEqual(before);
  index.dispose();
  return error;
};
const v = (...numbers: number[]): Float32Array => Float32Array.from(numbers);

const fails = async (file: Uint8Array): Promise<string | undefined> => {
  const error = await HubnessCorrectedIndex.load(file).catch((thrown: unknown) => thrown);
  return isEvenkeelError(error) ? error.code : undefined;
};

describe('on wasm', () => {
  beforeAll(() => backend('wasm'));

  test('items of several segments, and of removed ones', async () => {
    const count = SEGMENT + 300;
    const flat = random(1).normal(count * 2);
    const index = new HubnessCorrectedIndex({ dimensions: 2, metric: 'dot' });
    await index.add(Array.from({ length: count }, (_, i) => ({ id: `i${i}`, vector: flat.subarray(2 * i, 2 * i + 2) })));
    await index.fit({ queries: vectors(5, 1, 2) });
    await index.remove(Array.from({ length: count }, (_, i) => `i${i}`).filter((_, i) => i % 3 !== 0));
    expect(index.bytes.vectors).toBe(index.size * 8);
    const query = [Float32Array.of(1, 1)];
    const plain = await index.search(query, 4, { corrected: false });
    const best = Array.from({ length: index.size }, (_, i) => ({ id: `i${3 * i}`, score: flat[6 * i]! + flat[6 * i + 1]! }))
      .sort((a, b) => b.score - a.score)
      .slice(0, 4);
    expect(plain[0]!.map(({ id }) => id)).toEqual(best.map(({ id }) => id));
    index.dispose();
  });

  test('any order of additions and removals of bank queries keeps its bound on staleness', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 5 })), { maxLength: 8 }),
        fc.nat(99),
        async (steps, seed) => {
          const index = await made(items.slice(0, 10), { beta1: 30, staleness: 1e-4 });
          let kept = vectors(4, seed);
          await index.fit({ queries: kept });
          for (const [i, [add, count]] of steps.entries()) {
            if (add) {
              const more = vectors(count, seed + i + 1);
              await index.addBankQueries(more);
              kept = [...kept, ...more];
            } else if (count < kept.length) {
              await index.removeBankQueries(count);
              kept = kept.slice(count);
            }
            expect(index.staleness).toBeLessThanOrEqual(1e-4);
          }
          const s = matrixOf('cosine', queries, items.slice(0, 10));
          const scores = double.invertedSoftmax(s, matrixOf('cosine', kept, items.slice(0, 10)), 30);
          expectScores(await index.search(queries, 10), scores, 10, 10, 2e-4);
          index.dispose();
        },
      ),
      { numRuns: 30 },
    ));

  test('a filter sees metadata and ids', async () => {
    const index = await made(items);
    await index.fit({ queries: bank });
    const [odd] = await index.search(queries, 40, { filter: (metadata) => (metadata as { odd: boolean }).odd });
    expect(odd).toHaveLength(30);
    expect(odd!.every(({ id }) => Number(id.slice(1)) % 2 === 1)).toBe(true);
    const [one] = await index.search(queries, 3, { filter: (_, id) => id === 'i7' });
    expect(one!.map(({ id }) => id)).toEqual(['i7']);
    index.dispose();
  });

  test('a sample of the index as gallery bank does not count against itself', async () => {
    const index = await made(items.slice(0, 5), { method: 'dual-is' });
    await index.fit({ gallery: { sample: 5 } });
    const s = matrixOf('cosine', queries, items.slice(0, 5));
    const own = matrixOf('cosine', items.slice(0, 5), items.slice(0, 5));
    const others = { ...own, values: own.values.map((value, i) => (i % 6 === 0 ? -Infinity : value)) };
    expectScores(await index.search(queries, 5), double.invertedSoftmax(s, others, 3), 5, 5);
    index.dispose();
  });

  test('a bank may be sampled, the same for a seed', async () => {
    const index = await made(items);
    const scores: number[] = [];
    for (const seed of [1, 1, 2]) {
      await index.fit({ queries: bank, mostQueries: 4, seed });
      expect(index.banks.queries).toBe(4);
      scores.push((await index.search(queries, 1))[0]![0]!.score);
    }
    expect(scores[0]).toBe(scores[1]);
    expect(scores[0]).not.toBe(scores[2]);
    index.dispose();
  });

  test.each(['float32', 'int8'] as const)('a file gives back the index, %s', async (storage) => {
    const index = await made(items, { storage, method: 'dual-dis' });
    await index.fit({ queries: bank, gallery: { sample: 6 } });
    await index.remove(['i3']);
    const bytes = await index.save();
    const loaded = await HubnessCorrectedIndex.load(bytes);
    expect(loaded.settings).toEqual(index.settings);
    expect(await loaded.search(queries, 59)).toEqual(await index.search(queries, 59));
    expect(await loaded.save()).toEqual(bytes);
    // It goes on from there.
    for (const each of [index, loaded]) {
      await each.addBankQueries(vectors(3, 9));
      await each.add(named(vectors(2, 8), 'n'));
    }
    expect(await loaded.search(queries, 5)).toEqual(await index.search(queries, 5));
    index.dispose();
    loaded.dispose();
  });

  test('an empty index is a file, too', async () => {
    const loaded = await HubnessCorrectedIndex.load(await new HubnessCorrectedIndex({ dimensions: 3 }).save());
    expect(loaded.size).toBe(0);
  });

  test('candidates of another engine are ranked anew', async () => {
    const index = await made(items);
    await index.fit({ queries: bank, gallery });
    const source = {
      candidates: async (rows: Vectors, m: number) =>
        (await index.search(rows, m, { corrected: false })).map((list) => [...list.toReversed(), { id: 'elsewhere', similarity: 9 }]),
    };
    // The source searches the index it serves: another one, so that neither waits for the other.
    const twin = await made(items);
    await twin.fit({ queries: bank, gallery });
    const [found, wanted] = [await twin.searchCandidates(source, queries, 5, { candidates: 60 }), await twin.search(queries, 5)];
    found.forEach((list, i) => {
      expect(list.map(({ id }) => id)).toEqual(wanted[i]!.map(({ id }) => id));
      list.forEach(({ score }, at) => expect(score).toBeCloseTo(wanted[i]![at]!.score, 3));
    });
    index.dispose();
    twin.dispose();
  });

  test('tune finds betas that serve held-out queries better', async () => {
    const pairs = vectors(300, 20, 16);
    const noise = random(21).normal(300 * 16);
    const noisy = pairs.map((vector, i) => vector.map((value, d) => value + 0.9 * noise[i * 16 + d]!));
    const index = new HubnessCorrectedIndex({ dimensions: 16, beta1: 0.01, method: 'is' });
    await index.add(named(pairs));
    await index.fit({ queries: noisy.slice(0, 100) });
    const [held, targets] = [noisy.slice(100, 200), Array.from({ length: 100 }, (_, i) => `i${i + 100}`)];
    const before = await index.evaluate(held, targets);
    const after = await index.tune(held, targets, { trials: 8 });
    expect(after.meanReciprocalRank).toBeGreaterThan(before.meanReciprocalRank);
    expect(index.settings.beta1).toBeGreaterThan(1);
    expect((await index.evaluate(held, targets)).recall).toEqual(after.recall);
    index.dispose();
  });

  test('calls run in their order', async () => {
    const index = await made([]);
    const all = await Promise.all([
      index.add(named(items)),
      index.fit({ queries: bank }),
      index.search(queries, 60),
      index.remove(['i0']),
      index.search(queries, 59),
    ]);
    expect(all[3]).toBe(1);
    expect(all[4]![0]!.some(({ id }) => id === 'i0')).toBe(false);
    index.dispose();
  });

  test.each<[string, string, string | undefined, (index: HubnessCorrectedIndex) => unknown]>([
    ['another dimension', 'SHAPE', 'vectors[0]', (index) => index.add([{ id: 'a', vector: v(1, 2) }])],
    [
      'a vector of zeros',
      'INVALID_ARGUMENT',
      'vectors[1]',
      (index) => index.add([...named(vectors(1, 1), 'z'), { id: 'a', vector: new Float32Array(D) }]),
    ],
    ['NaN', 'NON_FINITE', 'vectors', (index) => index.add([{ id: 'a', vector: v(1, 2, Number.NaN, 0, 0, 0) }])],
    ['an id that is there', 'DUPLICATE', 'items[0].id', (index) => index.add(named(vectors(1, 1)))],
    [
      'an id that comes twice',
      'DUPLICATE',
      'items[1].id',
      (index) => index.add([...named(vectors(1, 1), 'n'), ...named(vectors(1, 1), 'n')]),
    ],
    ['no id', 'INVALID_ARGUMENT', 'items[0].id', (index) => index.add([{ id: '', vector: v(1) }])],
    ['an empty bank', 'INVALID_ARGUMENT', 'queries', (index) => index.fit({ queries: [] })],
    ['a bank with an infinity', 'NON_FINITE', 'queries', (index) => index.fit({ queries: [v(1, 2, Infinity, 0, 0, 0)] })],
    ['a sample of more than all', 'INVALID_ARGUMENT', 'gallery.sample', (index) => index.fit({ gallery: { sample: 61 } })],
    ['k larger than the index', 'INVALID_ARGUMENT', 'k', (index) => index.search(queries, 61)],
    ['k = 0', 'INVALID_ARGUMENT', 'k', (index) => index.search(queries, 0)],
    ['a query of another dimension', 'SHAPE', 'queries', (index) => index.search(v(1, 2, 3), 1)],
    ['a query of zeros', 'INVALID_ARGUMENT', 'queries[0]', (index) => index.search([new Float32Array(D)], 1)],
    ['all of the bank taken out', 'INVALID_ARGUMENT', 'count', (index) => index.removeBankQueries(12)],
    ['targets that are nobody', 'INVALID_ARGUMENT', 'targets[0]', (index) => index.evaluate(queries.slice(0, 1), ['nobody'])],
    ['targets that are nobody, in tuning', 'INVALID_ARGUMENT', 'targets[0]', (index) => index.tune(queries.slice(0, 1), ['nobody'])],
    ['a temperature of 0 in the range', 'INVALID_ARGUMENT', 'range', (index) => index.tune(queries, [], { range: [0, 1] })],
    [
      'fewer candidates than k',
      'INVALID_ARGUMENT',
      'candidates',
      (index) => index.searchCandidates({ candidates: async () => [] }, queries, 5, { candidates: 4 }),
    ],
  ])('%s is refused, and leaves the index as it was', async (_, code, argument, what) => {
    const error = await call(what)();
    expect(isEvenkeelError(error) && [error.code, error.argument]).toEqual([code, argument]);
  });

  test.each<[string, Partial<HubnessCorrectedIndexOptions>]>([
    ['dimensions', { dimensions: 0 }],
    ['beta1', { beta1: 0 }],
    ['beta2', { beta2: Infinity }],
    ['metric', { metric: 'hamming' as Metric }],
    ['method', { method: 'best' as CorrectionMethod }],
    ['storage', { storage: 'int4' as 'int8' }],
    ['staleness', { staleness: -1 }],
  ])('a wrong %s is refused', (argument, options) => {
    expect(() => new HubnessCorrectedIndex({ dimensions: 2, ...options })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', argument }),
    );
  });

  test('files that are newer, no index, cut short or do not fit are refused', async () => {
    const index = await made(items.slice(0, 3));
    await index.fit({ queries: bank });
    const bytes = await index.save();
    index.dispose();
    const { tensors, metadata } = readSafetensors(bytes);
    const before = memory().numTensors;
    expect(await fails(writeSafetensors(tensors, { ...metadata, version: '2' }))).toBe('VERSION_CONFLICT');
    expect(await fails(writeSafetensors(tensors, { ...metadata, version: 'next' }))).toBe('VERSION_CONFLICT');
    expect(await fails(writeSafetensors(tensors, { ...metadata, format: 'another' }))).toBe('SAFETENSORS');
    expect(await fails(bytes.subarray(0, bytes.length - 1))).toBe('SAFETENSORS');
    expect(await fails(writeSafetensors(tensors, { ...metadata, settings: '{' }))).toBe('SAFETENSORS');
    expect(await fails(writeSafetensors(tensors, { ...metadata, settings: '{}' }))).toBe('INVALID_ARGUMENT');
    for (const name of ['items', 'vectors', 'queryZ']) {
      const { [name]: _, ...rest } = tensors;
      expect(await fails(writeSafetensors(rest, metadata)), name).toBe('SAFETENSORS');
    }
    const twice = new TextEncoder().encode(JSON.stringify([['a'], ['a'], ['b']]));
    expect(await fails(writeSafetensors({ ...tensors, items: { dtype: 'U8', shape: [twice.length], data: twice } }, metadata))).toBe(
      'SAFETENSORS',
    );
    expect(memory().numTensors).toBe(before);
  });
});
