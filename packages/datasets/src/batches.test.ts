import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batches, type LabelledImages } from './index.ts';
import { loadDigits } from './digits/index.ts';

/** Images of two pixels, each with its number and class. */
function numbered(count: number): LabelledImages<Uint8Array> {
  const images = Uint8Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? i / 2 : 100));
  return { images, labels: Int32Array.from({ length: count }, (_, i) => 3 * i), count, shape: [1, 2], classes: 1000 };
}

/** The labels of two epochs in their order. */
const orders = (seed: number): string[] =>
  [...batches(numbered(50), { batchSize: 50, seed, epochs: 2 })].map(({ labels }) => labels.join());

describe('batches', () => {
  test('of any size and count hold each image once an epoch, with its label', () => {
    const cases = fc.record({
      count: fc.integer({ min: 1, max: 40 }),
      batchSize: fc.integer({ min: 1, max: 50 }),
      epochs: fc.integer({ min: 0, max: 3 }),
      seed: fc.option(fc.nat(), { nil: undefined }),
      dropRemainder: fc.boolean(),
    });
    fc.assert(
      fc.property(cases, ({ count, batchSize, epochs, seed, dropRemainder }) => {
        const all = [...batches(numbered(count), { batchSize, epochs, dropRemainder, ...(seed !== undefined && { seed }) })];
        expect(all.map(({ step }) => step)).toEqual(all.map((_, i) => i));
        const full = Math.floor(count / batchSize);
        expect(all.length).toBe(epochs * (dropRemainder ? full : Math.ceil(count / batchSize)));
        for (let epoch = 0; epoch < epochs; epoch++) {
          const mine = all.filter((batch) => batch.epoch === epoch);
          const seen = mine.flatMap(({ images, labels, size }) => {
            expect([images.length, labels.length]).toEqual([2 * size, size]);
            labels.forEach((label, i) => expect([3 * images[2 * i]!, images[2 * i + 1]]).toEqual([label, 100]));
            return Array.from(labels, (label) => label / 3);
          });
          expect(new Set(seen).size).toBe(seen.length);
          expect(seen.length).toBe(dropRemainder ? full * batchSize : count);
          if (seed === undefined) expect(seen).toEqual(seen.toSorted((a, b) => a - b));
        }
      }),
    );
  });

  test('the seed decides the order, which is another in each epoch', () => {
    expect(orders(1)).toEqual(orders(1));
    expect(new Set([...orders(1), ...orders(2)]).size).toBe(4);
  });

  test('go on for ever where wanted, and leave the data as it was', () => {
    const data = numbered(5);
    const copy = data.images.slice();
    let steps = 0;
    for (const { images, epoch } of batches(data, { batchSize: 2, seed: 1, epochs: Infinity })) {
      images.fill(0);
      steps++;
      if (epoch === 100) break;
    }
    expect(steps).toBe(301);
    expect(data.images).toEqual(copy);
  });

  test("have pixels of the data set's kind", () => {
    const [batch] = batches(loadDigits(), { batchSize: 3 });
    expect(batch!.images).toBeInstanceOf(Float32Array);
    expect(batch!.images).toEqual(loadDigits({ limit: 3 }).images);
  });

  test.each([
    ['batchSize', { batchSize: 0 }, 'batchSize is 0, expected an integer >= 1'],
    ['epochs', { batchSize: 1, epochs: -1 }, 'epochs is -1, expected an integer >= 0 or Infinity'],
    ['seed', { batchSize: 1, seed: 0.5 }, 'seed is 0.5, expected an integer >= 0'],
  ])('refuse a bad %s at the call', (_, options, message) => {
    expect(() => batches(numbered(3), options)).toThrow(`batches: ${message}`);
  });

  test('refuse a data set without images', () => {
    expect(() => batches({ ...numbered(1), count: 0 }, { batchSize: 1 })).toThrow('batches: data is 0, expected at least one image');
  });
});
