// The k best items of each query, of scale * (query . item) - offset, without the matrix of scores: a tile of 2 x 16 of them at a time.

import { madd, pack, products } from './_tile.as';

/** Up to so many queries items are read in place, where packing them would cost more than it saves. */
const FEW: usize = 4;
/** Bytes of queries that a panel of items meets: they stay in the cache while all panels pass by. */
const BLOCK: usize = 262144;

/** Puts an item into the sorted list of a query if it is better than the last. Among equals the earlier stays before. */
function insert(values: usize, indices: usize, k: usize, score: f32, item: i32): void {
  let at = (k - 1) << 2;
  if (!(score > load<f32>(values + at))) return;
  while (at > 0 && score > load<f32>(values + at - 4)) {
    store<f32>(values + at, load<f32>(values + at - 4));
    store<i32>(indices + at, load<i32>(indices + at - 4));
    at -= 4;
  }
  store<f32>(values + at, score);
  store<i32>(indices + at, item);
}

/** Scores of up to 16 items from their products, and their way into the list of a query. */
// @ts-ignore: decorator
@inline
function take(tile: usize, offsets: usize, scale: v128, values: usize, indices: usize, k: usize, first: usize, count: usize): void {
  const least = v128.load_splat<f32>(values + ((k - 1) << 2));
  const s0 = f32x4.sub(f32x4.mul(v128.load(tile), scale), v128.load(offsets));
  const s1 = f32x4.sub(f32x4.mul(v128.load(tile, 16), scale), v128.load(offsets, 16));
  const s2 = f32x4.sub(f32x4.mul(v128.load(tile, 32), scale), v128.load(offsets, 32));
  const s3 = f32x4.sub(f32x4.mul(v128.load(tile, 48), scale), v128.load(offsets, 48));
  const better = v128.or(v128.or(f32x4.gt(s0, least), f32x4.gt(s1, least)), v128.or(f32x4.gt(s2, least), f32x4.gt(s3, least)));
  if (!v128.any_true(better)) return;
  v128.store(tile, s0);
  v128.store(tile, s1, 16);
  v128.store(tile, s2, 32);
  v128.store(tile, s3, 48);
  for (let w: usize = 0; w < count; w++) insert(values, indices, k, load<f32>(tile + (w << 2)), <i32>(first + w));
}

// @ts-ignore: decorator
@inline
function total(v: v128): f32 {
  const pair = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(pair, 0) + f32x4.extract_lane(pair, 1);
}

/** Products of one query with up to 16 items of floats, read in place, four at a time. */
function dots(query: usize, items: usize, depth: usize, count: usize, tile: usize): void {
  const pitch = depth << 2;
  const whole = depth & ~3;
  for (let j: usize = 0; j < count; j += 4) {
    let b0 = items + j * pitch;
    let b1 = items + min<usize>(j + 1, count - 1) * pitch;
    let b2 = items + min<usize>(j + 2, count - 1) * pitch;
    let b3 = items + min<usize>(j + 3, count - 1) * pitch;
    let x = query;
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    const end = x + (whole << 2);
    while (x < end) {
      const v = v128.load(x);
      s0 = madd(v, v128.load(b0), s0);
      s1 = madd(v, v128.load(b1), s1);
      s2 = madd(v, v128.load(b2), s2);
      s3 = madd(v, v128.load(b3), s3);
      x += 16;
      b0 += 16;
      b1 += 16;
      b2 += 16;
      b3 += 16;
    }
    let d0 = total(s0);
    let d1 = total(s1);
    let d2 = total(s2);
    let d3 = total(s3);
    for (let rest = whole; rest < depth; rest++) {
      const v = load<f32>(x);
      d0 += v * load<f32>(b0);
      d1 += v * load<f32>(b1);
      d2 += v * load<f32>(b2);
      d3 += v * load<f32>(b3);
      x += 4;
      b0 += 4;
      b1 += 4;
      b2 += 4;
      b3 += 4;
    }
    store<f32>(tile + (j << 2), d0);
    store<f32>(tile + (j << 2), d1, 4);
    store<f32>(tile + (j << 2), d2, 8);
    store<f32>(tile + (j << 2), d3, 12);
  }
}

/** 16 offsets to the edge of scratch; beyond the items infinite, so that no padding is ever taken. */
function edgeOf(offsets: usize, first: usize, count: usize, edge: usize): usize {
  if (offsets != 0 && count == 16) return offsets + (first << 2);
  for (let w: usize = 0; w < 16; w++) {
    store<f32>(edge + (w << 2), w >= count ? Infinity : offsets == 0 ? 0 : load<f32>(offsets + ((first + w) << 2)));
  }
  return edge;
}

/**
 * values, indices [q, k] of queries [q, depth] and items [n, words]. `scales` is null for floats (words = depth), else items are int8 codes.
 * `offsets` may be null. Scratch: 64 floats, then a panel of 16 * 4 * words floats at most.
 */
export function topK(queries: usize, items: usize, scales: usize, offsets: usize, values: usize, indices: usize, q: usize, n: usize, depth: usize, words: usize, k: usize, factor: f32, scratch: usize): void {
  for (let i: usize = 0; i < q * k; i++) {
    store<f32>(values + (i << 2), -Infinity);
    store<i32>(indices + (i << 2), -1);
  }
  const scale = f32x4.splat(factor);
  const edge = scratch;
  const tile = scratch + 64;
  const panel = scratch + 256;
  const few = q <= FEW && scales == 0;
  const block = few ? q : max<usize>(2, min<usize>(q, BLOCK / (depth << 2)));
  const list = k << 2;
  for (let q0: usize = 0; q0 < q; q0 += block) {
    const rows = min<usize>(block, q - q0);
    const from = queries + q0 * depth * 4;
    const lists = q0 * list;
    for (let first: usize = 0; first < n; first += 16) {
      const count = min<usize>(16, n - first);
      const offset = edgeOf(offsets, first, count, edge);
      if (few) {
        for (let i: usize = 0; i < rows; i++) {
          dots(from + i * depth * 4, items + first * words * 4, depth, count, tile);
          take(tile, offset, scale, values + lists + i * list, indices + lists + i * list, k, first, count);
        }
        continue;
      }
      pack(items, scales, first, count, words, panel);
      for (let i: usize = 0; i < rows; i += 2) {
        const second = min<usize>(i + 1, rows - 1);
        products(from + i * depth * 4, from + second * depth * 4, depth, panel, tile);
        take(tile, offset, scale, values + lists + i * list, indices + lists + i * list, k, first, count);
        if (second > i) take(tile + 64, offset, scale, values + lists + second * list, indices + lists + second * list, k, first, count);
      }
    }
  }
}
