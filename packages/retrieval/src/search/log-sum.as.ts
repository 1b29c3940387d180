// Largest of each item's scores with all rows of a bank, and the sum of exp(score - largest), without the matrix of scores.

import { madd, pack, products } from './_tile.as';

// Constants come from globals that nobody folds, and are loaded once: newer V8 builds a literal vector anew at each use within a loop.
export let log2e: f32 = 1.44269504;
/** 1.5 * 2^23 + 127: what is added to it is rounded to an integer, whose bits, as an exponent, are then the lowest of the sum. */
export let magic: f32 = 12583039;
export let tiny: f32 = -87;
/** (2^f - 1) / f on [-1/2, 1/2], of least relative error of the power: 1e-7. */
export let c5: f32 = 0.001326467277;
export let c4: f32 = 0.009671555260;
export let c3: f32 = 0.05550734259;
export let c2: f32 = 0.2402224143;
export let c1: f32 = 0.6931469771;
/** By so much a score may exceed what its column is summed about: e^20 times a bank is far from the largest float. */
export let most: f32 = 20;
/** What a row adds to the item that it is itself. */
export let nothing: f32 = -1e30;

/** exp(x), 0 from -87 down. */
// @ts-ignore: decorator
@inline
function exp(x: v128, l2e: v128, m: v128, t: v128, p5: v128, p4: v128, p3: v128, p2: v128, p1: v128): v128 {
  const y = f32x4.mul(x, l2e);
  const shifted = f32x4.add(y, m);
  const f = f32x4.sub(y, f32x4.sub(shifted, m));
  const power = i32x4.shl(shifted, 23);
  let p = madd(p5, f, p4);
  p = madd(p, f, p3);
  p = madd(p, f, p2);
  p = madd(p, f, p1);
  return v128.andnot(madd(p, f32x4.mul(f, power), power), f32x4.lt(x, t));
}

/** Adds four columns of a row of scores. State: what it is summed about, the largest, the sum of this block, the sum before, 64 bytes apart. */
// @ts-ignore: decorator
@inline
function addScores(score: v128, state: usize, bound: v128, l2e: v128, m: v128, t: v128, p5: v128, p4: v128, p3: v128, p2: v128, p1: v128): void {
  let about = v128.load(state);
  const difference = f32x4.sub(score, about);
  v128.store(state, f32x4.pmax(v128.load(state, 64), score), 64);
  if (v128.any_true(f32x4.gt(difference, bound))) {
    // Rare: moves the point up where a score lies far above it.
    const next = f32x4.pmax(about, score);
    const shrink = exp(f32x4.sub(about, next), l2e, m, t, p5, p4, p3, p2, p1);
    v128.store(state, f32x4.mul(v128.load(state, 128), shrink), 128);
    v128.store(state, f32x4.mul(v128.load(state, 192), shrink), 192);
    v128.store(state, next);
    about = next;
  }
  const term = exp(f32x4.sub(score, about), l2e, m, t, p5, p4, p3, p2, p1);
  // A NaN has no exponential in the polynomial: it is carried on as it is.
  v128.store(state, f32x4.add(v128.load(state, 128), v128.bitselect(term, score, f32x4.eq(score, score))), 128);
}

/** Rows whose terms are summed before they are added to the sum of all: so small terms do not vanish in it. */
const ROWS: usize = 256;

/**
 * largest, sums [n] of a bank [b, depth] and items [n, words], of scores scale * (row . item) - offset of the row. `scales`, `offsets` and
 * `exclude` (the item that a row is itself, or -1) may be null. Scratch: 128 floats, then a panel.
 */
export function logSum(bank: usize, items: usize, scales: usize, offsets: usize, exclude: usize, largest: usize, sums: usize, b: usize, n: usize, depth: usize, words: usize, factor: f32, scratch: usize): void {
  const scale = f32x4.splat(factor);
  const l2e = f32x4.splat(log2e);
  const m = f32x4.splat(magic);
  const t = f32x4.splat(tiny);
  const p5 = f32x4.splat(c5);
  const p4 = f32x4.splat(c4);
  const p3 = f32x4.splat(c3);
  const p2 = f32x4.splat(c2);
  const p1 = f32x4.splat(c1);
  const bound = f32x4.splat(most);
  const tile = scratch;
  const state = scratch + 128;
  const panel = scratch + 512;
  for (let first: usize = 0; first < n; first += 16) {
    const count = min<usize>(16, n - first);
    pack(items, scales, first, count, words, panel);
    for (let w: usize = 0; w < 64; w += 16) {
      v128.store(state + w, f32x4.splat(nothing));
      v128.store(state + w, f32x4.splat(-Infinity), 64);
      v128.store(state + w, f32x4.splat(0), 128);
      v128.store(state + w, f32x4.splat(0), 192);
    }
    for (let a: usize = 0; a < b; a++) {
      if ((a & 1) == 0) {
        const second = min<usize>(a + 1, b - 1);
        products(bank + a * depth * 4, bank + second * depth * 4, depth, panel, tile);
      }
      const row = tile + ((a & 1) << 6);
      const offset = f32x4.splat(offsets == 0 ? 0 : load<f32>(offsets + (a << 2)));
      for (let w: usize = 0; w < 64; w += 16) v128.store(row + w, f32x4.sub(f32x4.mul(v128.load(row + w), scale), offset));
      if (exclude != 0) {
        const own = <usize>load<i32>(exclude + (a << 2)) - first;
        if (own < count) store<f32>(row + (own << 2), nothing);
      }
      for (let w: usize = 0; w < 64; w += 16) addScores(v128.load(row + w), state + w, bound, l2e, m, t, p5, p4, p3, p2, p1);
      if (a % ROWS == ROWS - 1) {
        for (let w: usize = 0; w < 64; w += 16) {
          v128.store(state + w, f32x4.add(v128.load(state + w, 192), v128.load(state + w, 128)), 192);
          v128.store(state + w, f32x4.splat(0), 128);
        }
      }
    }
    for (let w: usize = 0; w < 64; w += 16) {
      const top = v128.load(state + w, 64);
      const sum = f32x4.add(v128.load(state + w, 128), v128.load(state + w, 192));
      // The sum about the largest. That is at most 20 above what it was summed about, and may be below it where all are excluded.
      const moved = f32x4.mul(sum, exp(f32x4.sub(v128.load(state + w), top), l2e, m, t, p5, p4, p3, p2, p1));
      v128.store(state + w, v128.bitselect(moved, sum, f32x4.eq(sum, sum)));
    }
    memory.copy(largest + (first << 2), state + 64, count << 2);
    memory.copy(sums + (first << 2), state, count << 2);
  }
}
