import { describe, expect, test } from 'vitest';
import { narrowToBfloat, narrowToHalf, widenBfloat, widenHalf } from './half.ts';

const all = Uint16Array.from({ length: 65536 }, (_, i) => i);

/** The value of a float by the definition of its fields. */
function valueOf(bits: number, exponentBits: number, fractionBits: number): number {
  const bias = 2 ** (exponentBits - 1) - 1;
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> fractionBits) & (2 ** exponentBits - 1);
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Infinity : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias);
}

const words = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer);

/** The float32 next to a positive one. */
function next(value: number, by: 1 | -1): number {
  const one = Float32Array.of(value);
  words(one)[0]! += by;
  return one[0]!;
}

describe.each([
  ['binary16', widenHalf, narrowToHalf, 5, 10],
  ['bfloat16', widenBfloat, narrowToBfloat, 8, 7],
] as const)('%s', (_, widen, narrow, exponentBits, fractionBits) => {
  const infinity = (2 ** exponentBits - 1) << fractionBits;
  const isNaN = (bits: number): boolean => (bits & 0x7fff) > infinity;

  test('all 65,536 widen to what their fields say', () => {
    const values = widen(all);
    expect(all.filter((bits) => !Object.is(values[bits], valueOf(bits, exponentBits, fractionBits)))).toEqual(new Uint16Array(0));
  });

  test('all narrow back to themselves, NaNs to NaNs', () => {
    const back = narrow(widen(all));
    expect(all.filter((bits) => (isNaN(bits) ? !isNaN(back[bits]!) : back[bits] !== bits))).toEqual(new Uint16Array(0));
  });

  test('between two neighbours the nearer one wins, the even one at the middle; the last neighbour is infinity', () => {
    const wrong: number[] = [];
    for (let below = 0; below < infinity; below++) {
      const low = valueOf(below, exponentBits, fractionBits);
      // Beyond the largest number the step is that of its own binade.
      const high =
        below + 1 === infinity
          ? low + (low - valueOf(below - 1, exponentBits, fractionBits))
          : valueOf(below + 1, exponentBits, fractionBits);
      const middle = (low + high) / 2;
      const [down, at, up, negative] = narrow(Float32Array.of(next(middle, -1), middle, next(middle, 1), -middle));
      const even = below % 2 === 0 ? below : below + 1;
      if (down !== below || at !== even || up !== below + 1 || negative !== (0x8000 | even)) wrong.push(below);
    }
    expect(wrong).toEqual([]);
  });

  test('what is far too large becomes infinite', () => {
    expect(Array.from(narrow(Float32Array.of(3.4e38, -3.4028235e38, Infinity, -Infinity)))).toEqual(
      exponentBits === 8
        ? [narrow(Float32Array.of(3.4e38))[0], 0xff80, 0x7f80, 0xff80]
        : [infinity, 0x8000 | infinity, infinity, 0x8000 | infinity],
    );
  });
});
