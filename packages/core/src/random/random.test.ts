import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isEvenkeelError } from '../errors.ts';
import { multiplyHigh, philox, type Key } from './philox.ts';
import { random } from './random.ts';

const hex = (words: Iterable<number>): string => Array.from(words, (word) => word.toString(16).padStart(8, '0')).join(' ');

function words(counter: readonly number[], key: Key): Uint32Array {
  const out = new Uint32Array(4);
  philox(counter[0]!, counter[1]!, counter[2]!, counter[3]!, key, out);
  return out;
}

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isEvenkeelError(error, 'INVALID_ARGUMENT')) return error.message;
    throw error;
  }
  return 'accepted';
}

const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

/** The first draws of seeds and streams that might be mistaken for each other. */
const draws = (): string[] => {
  const sequence = random(1);
  const streams = ['', 'a', 'b', 'ab', '\0', 'a\0', 'twelve bytes', 'twelve bytes\0', 0, 1, 97, 2 ** 32].map((name) =>
    sequence.stream(name),
  );
  return [sequence, sequence, random(2), random(2 ** 32), random(1).stream('a').stream('b'), ...streams].map((each) => hex(each.bits(4)));
};

describe('philox', () => {
  // The known answers that the authors of the generator publish with their implementation.
  test.each([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ] as const)('%j with key %j', (counter, key, expected) => {
    expect(hex(words(counter, key))).toBe(expected);
  });

  test('the upper half of a product is exact', () => {
    const word = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(0, 1, 0xffff, 0x10000, 0xffffffff, 0x80000000));
    fc.assert(fc.property(word, word, (a, b) => multiplyHigh(a, b) === Number((BigInt(a) * BigInt(b)) >> 32n)));
  });
});

describe('random', () => {
  test('a seed is the key, and blocks are counted from 0', () => {
    expect(hex(random(0).bits(4))).toBe('6627e8d5 e169c58d bc57ac4c 9b00dbd8');
    const { key } = random(2 ** 53 - 1);
    expect(key).toEqual([0xffffffff, 0x1fffff]);
    expect(
      random(2 ** 53 - 1)
        .bits(8)
        .slice(4),
    ).toEqual(words([1, 0, 0, 0], key));
  });

  test('the numbers are these, now and in every version', () => {
    const sequence = random(42);
    expect(hex(sequence.bits(3))).toBe('9ceaf053 77f5493b 12bf50ad');
    expect(Array.from(sequence.uniform(3))).toEqual([0.9877186417579651, 0.32706332206726074, 0.5139061212539673]);
    expect(Array.from(sequence.normal(3))).toEqual([-0.33696186542510986, -0.5187487006187439, 0.14856696128845215]);
    expect(Array.from(sequence.integers(6, 10))).toEqual([7, 6, 5, 3, 3, 8]);
    expect(Array.from(sequence.permutation(8))).toEqual([3, 7, 1, 6, 5, 0, 2, 4]);
    expect(sequence.offset).toBe(7);
    expect(random(42).stream('weights').key).toEqual([1722393718, 296967736]);
    expect(random(42).stream(3).key).toEqual([3682492421, 2878063105]);
  });

  test('the same seed gives the same numbers; another seed, a later draw, and each stream others', () => {
    expect(draws()).toEqual(draws());
    expect(new Set(draws()).size).toBe(draws().length);
  });

  test('a stream does not depend on what was drawn before', () => {
    const sequence = random(5);
    const before = sequence.stream('x').uniform(5);
    sequence.normal(100);
    expect(sequence.stream('x').uniform(5)).toEqual(before);
  });

  test('reserve tells where the next numbers are, and passes over them', () => {
    const [a, b] = [random(9), random(9)];
    a.bits(5);
    expect(a.reserve(6)).toEqual({ key: [9, 0], offset: 2 });
    expect(a.offset).toBe(4);
    b.bits(16);
    expect(a.bits(4)).toEqual(b.bits(4));
    expect(a.reserve(0)).toEqual({ key: [9, 0], offset: 5 });
    expect(a.offset).toBe(5);
  });

  test('uniform numbers are those of the words, in [0, 1), and spread evenly', () => {
    const values = random(3).uniform(100_000);
    const bits = random(3).bits(100_000);
    expect(values.every((value, i) => value === (bits[i]! >>> 8) / 2 ** 24)).toBe(true);
    expect(Math.max(...values.subarray(0, 50_000)) < 1).toBe(true);
    const counts = new Float64Array(64);
    for (const value of values) counts[Math.floor(value * 64)]!++;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 100_000 / 64) ** 2 / (100_000 / 64), 0);
    // 63 degrees of freedom: the interval that a fair generator stays in with 99.98 %.
    expect(chiSquare).toBeGreaterThan(29);
    expect(chiSquare).toBeLessThan(113);
  });

  test('normal numbers are Box-Muller of the words, to float32', () => {
    const values = random(4).normal(40_000);
    const bits = random(4).bits(40_000);
    let worst = 0;
    for (let i = 0; i < values.length; i += 2) {
      const unit = 2 ** Math.max(0, Math.floor(Math.log2(bits[i]!)) - 23);
      const radius = Math.sqrt(-2 * Math.log((Math.floor(bits[i]! / unit) * unit) / 2 ** 32));
      const angle = (2 * Math.PI * bits[i + 1]!) / 2 ** 32;
      worst = Math.max(worst, Math.abs(values[i]! - radius * Math.cos(angle)), Math.abs(values[i + 1]! - radius * Math.sin(angle)));
    }
    expect(worst).toBeLessThan(1e-6);
  });

  test('normal numbers have the moments and the tails of the normal distribution', () => {
    const values = random(6).normal(200_000);
    const moment = (power: number): number => mean(values.map((value) => value ** power));
    expect(Math.abs(moment(1))).toBeLessThan(0.01);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.015);
    expect(Math.abs(moment(3))).toBeLessThan(0.03);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.1);
    const beyond = (limit: number): number => values.filter((value) => Math.abs(value) > limit).length / values.length;
    expect(Math.abs(beyond(1) - 0.3173)).toBeLessThan(0.005);
    expect(Math.abs(beyond(3) - 0.0027)).toBeLessThan(0.0006);
    expect(values.every(Number.isFinite)).toBe(true);
  });

  test('an odd count of normal numbers is the beginning of a longer draw', () => {
    for (const count of [0, 1, 2, 3, 5, 7]) expect(random(8).normal(count)).toEqual(random(8).normal(20).slice(0, count));
  });

  test('integers are below their bound, each as often, also where words do not divide evenly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 }), fc.nat(), (below, seed) =>
        random(seed)
          .integers(20, below)
          .every((value) => value >= 0 && value < below),
      ),
    );
    expect(Array.from(random(0).integers(3, 1))).toEqual([0, 0, 0]);
    // Without a second attempt, a third of these numbers would be twice as likely as the others.
    const below = 3 * 2 ** 29;
    const values = random(12).integers(60_000, below);
    const thirds = [0, 1, 2].map((third) => values.filter((value) => Math.floor(value / 2 ** 29) === third).length);
    for (const count of thirds) expect(Math.abs(count - 20_000)).toBeLessThan(500);
    const remainders = [0, 1, 2].map((remainder) => values.filter((value) => value % 3 === remainder).length);
    for (const count of remainders) expect(Math.abs(count - 20_000)).toBeLessThan(500);
  });

  test('a permutation holds each number once, and each order is as likely', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), fc.nat(), (count, seed) => {
        expect(random(seed).permutation(count).toSorted()).toEqual(Int32Array.from({ length: count }, (_, i) => i));
      }),
    );
    const sequence = random(13);
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const order = sequence.permutation(4).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  test.each([
    ['a negative seed', () => random(-1), 'random: seed is -1, expected an integer from 0 to 2^53 - 1'],
    ['a fraction as seed', () => random(0.5), 'seed is 0.5'],
    ['2^53 as seed', () => random(2 ** 53), 'seed is 9007199254740992'],
    ['no seed', () => random(undefined as never), 'seed is undefined'],
    ['a negative count', () => random(1).uniform(-1), 'uniform: count is -1, expected an integer from 0 to 2^31 - 1'],
    ['a fraction as count', () => random(1).permutation(1.5), 'permutation: count is 1.5'],
    ['a bound of 0', () => random(1).integers(1, 0), 'integers: below is 0, expected an integer from 1 to 2^31'],
    ['a bound beyond int32', () => random(1).integers(1, 2 ** 31 + 1), 'integers: below is 2147483649'],
    ['a negative stream', () => random(1).stream(-1), 'stream: name is -1, expected text or an integer >= 0'],
    ['a stream without name', () => random(1).stream(undefined as never), 'stream: name is undefined'],
  ])('refuses %s', (_, run, message) => {
    expect(refusal(run)).toContain(message);
  });

  test('what is refused draws nothing', () => {
    const sequence = random(1);
    refusal(() => sequence.integers(4, 0));
    refusal(() => sequence.normal(Number.NaN));
    expect(sequence.offset).toBe(0);
  });
});
