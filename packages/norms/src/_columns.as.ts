// Statistics of the columns of a matrix whose rows are contiguous: of channels over a batch or over the positions of a sample.
//
// Columns are summed in float32 within a block of rows that stays in the caches, and in float64 across blocks. Means and centred squares of
// blocks are merged by Chan's formula: no difference of large numbers anywhere. A caller with few channels takes several rows for one, so that
// vectors are full, and pools the columns of a channel afterwards. Arrays of columns have room for a multiple of four.
import { min } from './_simd.as';

/** Bytes of a block, if it has no fewer than 8 rows and no more than 128. */
const BLOCK: usize = 65536;

// @ts-ignore: decorator
@inline
export function blockRows(bytes: usize): usize {
  const rows = BLOCK / bytes;
  return rows < 8 ? 8 : min(rows, 128);
}

// @ts-ignore: decorator
@inline
function promoted(at: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(at));
}

/** Means of the columns of a block and their sums of centred squares, a strip of columns at a time: its lines stay in the L1 cache. */
function blockMoments(x: usize, rows: usize, bytes: usize, means: usize, squares: usize): void {
  const part: f32 = 1 / <f32>rows;
  const factor = f32x4.splat(part);
  const size = rows * bytes;
  let i: usize = 0;
  for (; i + 64 <= bytes; i += 64) {
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    const end = x + i + size;
    for (let p = x + i; p < end; p += bytes) {
      a = f32x4.add(a, v128.load(p));
      b = f32x4.add(b, v128.load(p, 16));
      c = f32x4.add(c, v128.load(p, 32));
      d = f32x4.add(d, v128.load(p, 48));
    }
    const ma = f32x4.mul(a, factor);
    const mb = f32x4.mul(b, factor);
    const mc = f32x4.mul(c, factor);
    const md = f32x4.mul(d, factor);
    a = f32x4.splat(0);
    b = f32x4.splat(0);
    c = f32x4.splat(0);
    d = f32x4.splat(0);
    for (let p = x + i; p < end; p += bytes) {
      const q = f32x4.sub(v128.load(p), ma);
      a = f32x4.add(a, f32x4.mul(q, q));
      const r = f32x4.sub(v128.load(p, 16), mb);
      b = f32x4.add(b, f32x4.mul(r, r));
      const s = f32x4.sub(v128.load(p, 32), mc);
      c = f32x4.add(c, f32x4.mul(s, s));
      const t = f32x4.sub(v128.load(p, 48), md);
      d = f32x4.add(d, f32x4.mul(t, t));
    }
    v128.store(means + i, ma);
    v128.store(means + i, mb, 16);
    v128.store(means + i, mc, 32);
    v128.store(means + i, md, 48);
    v128.store(squares + i, a);
    v128.store(squares + i, b, 16);
    v128.store(squares + i, c, 32);
    v128.store(squares + i, d, 48);
  }
  for (; i + 16 <= bytes; i += 16) {
    let a = f32x4.splat(0);
    const end = x + i + size;
    for (let p = x + i; p < end; p += bytes) a = f32x4.add(a, v128.load(p));
    const mean = f32x4.mul(a, factor);
    a = f32x4.splat(0);
    for (let p = x + i; p < end; p += bytes) {
      const q = f32x4.sub(v128.load(p), mean);
      a = f32x4.add(a, f32x4.mul(q, q));
    }
    v128.store(means + i, mean);
    v128.store(squares + i, a);
  }
  for (; i < bytes; i += 4) {
    let a: f32 = 0;
    const end = x + i + size;
    for (let p = x + i; p < end; p += bytes) a += load<f32>(p);
    const mean = a * part;
    a = 0;
    for (let p = x + i; p < end; p += bytes) {
      const q = load<f32>(p) - mean;
      a += q * q;
    }
    store<f32>(means + i, mean);
    store<f32>(squares + i, a);
  }
}

/** Chan's merge of a block of `added` rows (float32) into the moments of `before` rows (float64). */
export function merge(mean: usize, squares: usize, blockMean: usize, blockSquares: usize, bytes: usize, before: usize, added: usize): void {
  const share = <f64>added / <f64>(before + added);
  const part = f64x2.splat(share);
  const weight = f64x2.splat(<f64>before * share);
  for (let i: usize = 0; i < bytes; i += 8) {
    const at = i << 1;
    const old = v128.load(mean + at);
    const delta = f64x2.sub(promoted(blockMean + i), old);
    v128.store(mean + at, f64x2.add(old, f64x2.mul(delta, part)));
    const between = f64x2.mul(f64x2.mul(delta, delta), weight);
    v128.store(squares + at, f64x2.add(v128.load(squares + at), f64x2.add(promoted(blockSquares + i), between)));
  }
}

/** Means of the columns and their sums of centred squares, both float64. `block` has room for two rows of float32. */
export function moments(x: usize, rows: usize, bytes: usize, mean: usize, squares: usize, block: usize): void {
  const room = (bytes + 15) & ~15;
  const most = blockRows(bytes);
  memory.fill(mean, 0, room << 1);
  memory.fill(squares, 0, room << 1);
  for (let done: usize = 0; done < rows;) {
    const count = min(most, rows - done);
    blockMoments(x, count, bytes, block, block + room);
    merge(mean, squares, block, block + room, bytes, done, count);
    x += count * bytes;
    done += count;
  }
}

/** What `pool` finds. */
export let pooledMean: f64 = 0;
export let pooledSquares: f64 = 0;

/**
 * Mean and sum of centred squares of the values of several columns, each of `rows` rows: `width` neighbours from column `first` on, and those
 * `channels` columns further, `copies` times.
 */
export function pool(mean: usize, squares: usize, first: usize, width: usize, channels: usize, copies: usize, rows: usize): void {
  let sum: f64 = 0;
  for (let copy: usize = 0; copy < copies; copy++) {
    const from = (copy * channels + first) << 3;
    for (let i: usize = 0; i < width << 3; i += 8) sum += load<f64>(mean + from + i);
  }
  const common = sum / <f64>(width * copies);
  let within: f64 = 0;
  let between: f64 = 0;
  for (let copy: usize = 0; copy < copies; copy++) {
    const from = (copy * channels + first) << 3;
    for (let i: usize = 0; i < width << 3; i += 8) {
      const delta = load<f64>(mean + from + i) - common;
      between += delta * delta;
      within += load<f64>(squares + from + i);
    }
  }
  pooledMean = common;
  pooledSquares = within + between * <f64>rows;
}

/** Repeats the first `channels` float32 to make `copies` of them. */
export function repeat(values: usize, channels: usize, copies: usize): void {
  const bytes = channels << 2;
  for (let copy: usize = 1; copy < copies; copy++) memory.copy(values + copy * bytes, values, bytes);
}

/** Adds the float64 of all copies to the first one's. */
export function gather(values: usize, channels: usize, copies: usize): void {
  const bytes = channels << 3;
  for (let copy: usize = 1; copy < copies; copy++) {
    const from = values + copy * bytes;
    for (let i: usize = 0; i < bytes; i += 8) store<f64>(values + i, load<f64>(values + i) + load<f64>(from + i));
  }
}

/** y = (x - mean) scale + shift by column. */
export function affine(x: usize, y: usize, rows: usize, bytes: usize, mean: usize, scale: usize, shift: usize): void {
  for (; rows > 0; rows--) {
    let i: usize = 0;
    for (; i + 32 <= bytes; i += 32) {
      const p = f32x4.mul(f32x4.sub(v128.load(x + i), v128.load(mean + i)), v128.load(scale + i));
      const q = f32x4.mul(f32x4.sub(v128.load(x + i, 16), v128.load(mean + i, 16)), v128.load(scale + i, 16));
      v128.store(y + i, f32x4.add(p, v128.load(shift + i)));
      v128.store(y + i, f32x4.add(q, v128.load(shift + i, 16)), 16);
    }
    for (; i + 16 <= bytes; i += 16) {
      const p = f32x4.mul(f32x4.sub(v128.load(x + i), v128.load(mean + i)), v128.load(scale + i));
      v128.store(y + i, f32x4.add(p, v128.load(shift + i)));
    }
    for (; i < bytes; i += 4) {
      store<f32>(y + i, (load<f32>(x + i) - load<f32>(mean + i)) * load<f32>(scale + i) + load<f32>(shift + i));
    }
    x += bytes;
    y += bytes;
  }
}

/** Sums of the columns of dy and of dy (x - mean) in a block. */
function blockSums(x: usize, dy: usize, rows: usize, bytes: usize, mean: usize, ofDy: usize, ofProduct: usize): void {
  const size = rows * bytes;
  const toDy = dy - x;
  let i: usize = 0;
  for (; i + 32 <= bytes; i += 32) {
    const ma = v128.load(mean + i);
    const mb = v128.load(mean + i, 16);
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let p = f32x4.splat(0);
    let q = f32x4.splat(0);
    const end = x + i + size;
    for (let at = x + i; at < end; at += bytes) {
      const g = v128.load(at + toDy);
      a = f32x4.add(a, g);
      p = f32x4.add(p, f32x4.mul(g, f32x4.sub(v128.load(at), ma)));
      const h = v128.load(at + toDy, 16);
      b = f32x4.add(b, h);
      q = f32x4.add(q, f32x4.mul(h, f32x4.sub(v128.load(at, 16), mb)));
    }
    v128.store(ofDy + i, a);
    v128.store(ofDy + i, b, 16);
    v128.store(ofProduct + i, p);
    v128.store(ofProduct + i, q, 16);
  }
  for (; i + 16 <= bytes; i += 16) {
    const m = v128.load(mean + i);
    let a = f32x4.splat(0);
    let p = f32x4.splat(0);
    const end = x + i + size;
    for (let at = x + i; at < end; at += bytes) {
      const g = v128.load(at + toDy);
      a = f32x4.add(a, g);
      p = f32x4.add(p, f32x4.mul(g, f32x4.sub(v128.load(at), m)));
    }
    v128.store(ofDy + i, a);
    v128.store(ofProduct + i, p);
  }
  for (; i < bytes; i += 4) {
    const m = load<f32>(mean + i);
    let a: f32 = 0;
    let p: f32 = 0;
    const end = x + i + size;
    for (let at = x + i; at < end; at += bytes) {
      const g = load<f32>(at + toDy);
      a += g;
      p += g * (load<f32>(at) - m);
    }
    store<f32>(ofDy + i, a);
    store<f32>(ofProduct + i, p);
  }
}

/** totals += sums, float64 and float32. */
export function accumulate(totals: usize, sums: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 8) {
    const total = totals + (i << 1);
    v128.store(total, f64x2.add(v128.load(total), promoted(sums + i)));
  }
}

/** Sums of the columns of dy and of dy (x - mean), float64. `block` has room for two rows of float32. */
export function gradientSums(
  x: usize,
  dy: usize,
  rows: usize,
  bytes: usize,
  mean: usize,
  ofDy: usize,
  ofProduct: usize,
  block: usize,
): void {
  const room = (bytes + 15) & ~15;
  const most = blockRows(bytes << 1);
  memory.fill(ofDy, 0, room << 1);
  memory.fill(ofProduct, 0, room << 1);
  while (rows > 0) {
    const count = min(most, rows);
    blockSums(x, dy, count, bytes, mean, block, block + room);
    accumulate(ofDy, block, bytes);
    accumulate(ofProduct, block + room, bytes);
    x += count * bytes;
    dy += count * bytes;
    rows -= count;
  }
}

/** dx = dy scale + (x - mean) slope + offset by column. */
export function spread(
  x: usize,
  dy: usize,
  dx: usize,
  rows: usize,
  bytes: usize,
  mean: usize,
  scale: usize,
  slope: usize,
  offset: usize,
): void {
  for (; rows > 0; rows--) {
    let i: usize = 0;
    for (; i + 16 <= bytes; i += 16) {
      const centred = f32x4.sub(v128.load(x + i), v128.load(mean + i));
      const g = f32x4.mul(v128.load(dy + i), v128.load(scale + i));
      v128.store(dx + i, f32x4.add(g, f32x4.add(f32x4.mul(centred, v128.load(slope + i)), v128.load(offset + i))));
    }
    for (; i < bytes; i += 4) {
      const centred = load<f32>(x + i) - load<f32>(mean + i);
      store<f32>(dx + i, load<f32>(dy + i) * load<f32>(scale + i) + (centred * load<f32>(slope + i) + load<f32>(offset + i)));
    }
    x += bytes;
    dy += bytes;
    dx += bytes;
  }
}
