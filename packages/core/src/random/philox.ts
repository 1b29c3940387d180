/** Two words that choose one of 2^64 sequences. */
export type Key = readonly [number, number];

/** The upper 32 bits of the product of two 32-bit numbers. Doubles hold every product of 16 by 32 bits exactly. */
export function multiplyHigh(a: number, b: number): number {
  return Math.floor(((a >>> 16) * b + Math.floor(((a & 0xffff) * b) / 0x10000)) / 0x10000);
}

/**
 * Philox4x32-10: four random words of a counter of four words and a key of two. The same in `_philox.as.ts` and `philox.wgsl`, bit for bit.
 *
 * @param out - where the words go, from `at` on
 *
 * Source: Salmon, Moraes, Dror, Shaw 2011, "Parallel Random Numbers: As Easy as 1, 2, 3", section 3.3.
 */
export function philox(c0: number, c1: number, c2: number, c3: number, key: Key, out: Uint32Array, at = 0): void {
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(c0, 0xd2511f53);
    const high1 = multiplyHigh(c2, 0xcd9e8d57);
    const low0 = Math.imul(c0, 0xd2511f53);
    const low1 = Math.imul(c2, 0xcd9e8d57);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  out[at] = c0;
  out[at + 1] = c1;
  out[at + 2] = c2;
  out[at + 3] = c3;
}

/** Lower and upper word of an integer from 0 to 2^53. */
export function wordsOf(integer: number): [low: number, high: number] {
  return [integer >>> 0, Math.floor(integer / 2 ** 32)];
}
