import { describe, expect, test } from 'vitest';
import { loadDigits } from './index.ts';

describe('loadDigits', () => {
  test('has all 1,797 digits, in proportion', () => {
    const { images, labels, count, shape, classes } = loadDigits();
    expect([count, shape, classes, images.length]).toEqual([1797, [8, 8], 10, 1797 * 64]);
    expect(Array.from({ length: 10 }, (_, digit) => labels.filter((label) => label === digit).length)).toEqual([
      178, 182, 177, 183, 181, 182, 181, 179, 174, 180,
    ]);
    expect(images.reduce((sum, pixel) => sum + pixel, 0) / images.length).toBeCloseTo(4.884165 / 16, 5);
    expect([Math.min(...images.subarray(0, 64_000)), Math.max(...images.subarray(0, 64_000))]).toEqual([0, 1]);
  });

  test('the first digit is a zero that one can see', () => {
    const { images, labels } = loadDigits({ limit: 1, raw: true });
    const rows = Array.from({ length: 8 }, (_, row) =>
      Array.from(images.subarray(row * 8, row * 8 + 8), (pixel) => (pixel > 7 ? '#' : '.')).join(''),
    );
    expect(images).toBeInstanceOf(Uint8Array);
    expect([labels[0], ...rows]).toEqual([
      0,
      '...##...',
      '..####..',
      '..#..##.',
      '..#..##.',
      '..#..##.',
      '..#..#..',
      '..#.##..',
      '...##...',
    ]);
  });

  test('a range is that part of the whole', () => {
    const whole = loadDigits();
    const part = loadDigits({ offset: 1400, limit: 1000 });
    expect(part.count).toBe(397);
    expect(part.images).toEqual(whole.images.slice(1400 * 64));
    expect(part.labels).toEqual(whole.labels.slice(1400));
  });

  test('refuses a range that is not there', () => {
    expect(() => loadDigits({ offset: 1797 })).toThrow('loadDigits: offset is 1797, expected less than 1797, the number of images');
    expect(() => loadDigits({ limit: -1 })).toThrow('loadDigits: limit is -1, expected an integer >= 1');
  });
});
