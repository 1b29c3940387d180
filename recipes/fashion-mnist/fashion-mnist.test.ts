import { expect, test } from 'vitest';
import { halved, loadFashion, standardize } from './index.ts';

test('halves a picture: each pixel is the mean of four', () => {
  const picture = Array.from({ length: 784 }, (_, i) => (i === 0 || i === 29 ? 255 : 0));
  const half = halved(picture);
  expect(half).toHaveLength(196);
  expect([half[0], half[1], half[14]]).toEqual([0.5, 0, 0]);
});

test('standardizes pixels by the first set', () => {
  const [first, other] = [Float32Array.of(1, 5, 3, 5), Float32Array.of(2, 5)];
  standardize([first, other], 2);
  [-1, 0, 1, 0].forEach((wanted, i) => expect(first[i]).toBeCloseTo(wanted, 3));
  expect([...other]).toEqual([0, 0]);
});

test('has 4,000 and 1,000 other pictures, as many of each class, standardized', async () => {
  const { train, test: held } = await loadFashion();
  expect([train.count, held.count]).toEqual([4_000, 1_000]);
  for (const { images, labels, count } of [train, held]) {
    expect([images.length, labels.length]).toEqual([count * 196, count]);
    for (let label = 0; label < 10; label++) expect(labels.filter((each) => each === label)).toHaveLength(count / 10);
    expect(images.every(Number.isFinite)).toBe(true);
  }
  const middle = train.images.filter((_, i) => i % 196 === 105);
  expect(middle.reduce((sum, value) => sum + value, 0) / 4_000).toBeCloseTo(0, 4);
  expect(middle.reduce((sum, value) => sum + value ** 2, 0) / 4_000).toBeCloseTo(1, 2);
  const seen = new Set(Array.from({ length: 4_000 }, (_, i) => train.images.subarray(i * 196, i * 196 + 196).join()));
  const again = Array.from({ length: 1_000 }, (_, i) => held.images.subarray(i * 196, i * 196 + 196).join());
  expect(again.filter((picture) => seen.has(picture)).length).toBeLessThan(5);
  expect(await loadFashion()).toBe(await loadFashion());
});
