// Batch normalization by the mean absolute deviation, of channels that stand last. `rows` positions of `channels`, handled as
// rows / copies of channels * copies columns. Deviations need the mean of all rows, so x is read three times.
import { accumulate, affine, blockRows, gather, repeat } from '../_columns.as';
import { fill, min, signOf } from '../_simd.as';

export { fill };

/** All bits of a float32 but that of its sign. Not a constant: V8 would make it anew at each use. */
export let magnitude: i32 = 0x7fffffff;

/** Sums of the columns of a block: of x, or of |x - mean|. */
function blockSums(x: usize, rows: usize, bytes: usize, mean: usize, deviations: bool, sums: usize): void {
  const size = rows * bytes;
  const mask = deviations ? i32x4.splat(magnitude) : i32x4.splat(-1);
  let i: usize = 0;
  for (; i + 64 <= bytes; i += 64) {
    const ma = v128.load(mean + i);
    const mb = v128.load(mean + i, 16);
    const mc = v128.load(mean + i, 32);
    const md = v128.load(mean + i, 48);
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    const end = x + i + size;
    for (let p = x + i; p < end; p += bytes) {
      a = f32x4.add(a, v128.and(f32x4.sub(v128.load(p), ma), mask));
      b = f32x4.add(b, v128.and(f32x4.sub(v128.load(p, 16), mb), mask));
      c = f32x4.add(c, v128.and(f32x4.sub(v128.load(p, 32), mc), mask));
      d = f32x4.add(d, v128.and(f32x4.sub(v128.load(p, 48), md), mask));
    }
    v128.store(sums + i, a);
    v128.store(sums + i, b, 16);
    v128.store(sums + i, c, 32);
    v128.store(sums + i, d, 48);
  }
  for (; i + 16 <= bytes; i += 16) {
    const m = v128.load(mean + i);
    let a = f32x4.splat(0);
    const end = x + i + size;
    for (let p = x + i; p < end; p += bytes) a = f32x4.add(a, v128.and(f32x4.sub(v128.load(p), m), mask));
    v128.store(sums + i, a);
  }
  for (; i < bytes; i += 4) {
    const m = load<f32>(mean + i);
    let a: f32 = 0;
    const end = x + i + size;
    for (let p = x + i; p < end; p += bytes) {
      const c = load<f32>(p) - m;
      a += deviations ? abs<f32>(c) : c;
    }
    store<f32>(sums + i, a);
  }
}

/** Sums of the columns of x - mean, or of |x - mean|, float64. `block` has room for a row of float32. */
function columnSums(x: usize, rows: usize, bytes: usize, mean: usize, deviations: bool, totals: usize, block: usize): void {
  const room = (bytes + 15) & ~15;
  const most = blockRows(bytes);
  memory.fill(totals, 0, room << 1);
  while (rows > 0) {
    const count = min(most, rows);
    blockSums(x, count, bytes, mean, deviations, block);
    accumulate(totals, block, bytes);
    x += count * bytes;
    rows -= count;
  }
}

/** y = (x - mean) / (factor deviation + epsilon) gamma + beta with the batch's own statistics, which come out. */
export function forward(
  x: usize,
  gamma: usize,
  beta: usize,
  y: usize,
  mean: usize,
  deviation: usize,
  scratch: usize,
  rows: usize,
  channels: usize,
  copies: usize,
  factor: f32,
  epsilon: f32,
  _floor: f32,
): void {
  const bytes = (channels * copies) << 2;
  const room = (bytes + 15) & ~15;
  const totals = scratch;
  const wideMean = totals + (room << 1);
  const scale = wideMean + room;
  const shift = scale + room;
  const tall = rows / copies;
  const n = <f64>rows;
  // The first row stands in for the mean, so that the sum is of small numbers. The columns of float32 are not in use yet: room for a block.
  memory.copy(wideMean, x, channels << 2);
  repeat(wideMean, channels, copies);
  columnSums(x, tall, bytes, wideMean, false, totals, scale);
  gather(totals, channels, copies);
  for (let c: usize = 0; c < channels; c++) {
    const at = c << 2;
    const value = <f32>(<f64>load<f32>(x + at) + load<f64>(totals + (c << 3)) / n);
    store<f32>(mean + at, value);
    store<f32>(wideMean + at, value);
  }
  repeat(wideMean, channels, copies);
  columnSums(x, tall, bytes, wideMean, true, totals, scale);
  gather(totals, channels, copies);
  for (let c: usize = 0; c < channels; c++) {
    const at = c << 2;
    const value = <f32>(load<f64>(totals + (c << 3)) / n);
    store<f32>(deviation + at, value);
    store<f32>(scale + at, load<f32>(gamma + at) / (factor * value + epsilon));
    store<f32>(shift + at, load<f32>(beta + at));
  }
  repeat(scale, channels, copies);
  repeat(shift, channels, copies);
  affine(x, y, tall, bytes, wideMean, scale, shift);
}

/** Sums of the columns of dy, of dy (x - mean) and of sign(x - mean) in a block. */
function blockGradientSums(x: usize, dy: usize, rows: usize, bytes: usize, mean: usize, ofDy: usize, ofProduct: usize, ofSigns: usize): void {
  const size = rows * bytes;
  const toDy = dy - x;
  const zero = f32x4.splat(0);
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) {
    const m = v128.load(mean + i);
    let a = f32x4.splat(0);
    let p = f32x4.splat(0);
    let s = i32x4.splat(0);
    const end = x + i + size;
    for (let at = x + i; at < end; at += bytes) {
      const g = v128.load(at + toDy);
      const c = f32x4.sub(v128.load(at), m);
      a = f32x4.add(a, g);
      p = f32x4.add(p, f32x4.mul(g, c));
      // Comparisons give -1 where they hold.
      s = i32x4.add(s, i32x4.sub(f32x4.lt(c, zero), f32x4.gt(c, zero)));
    }
    v128.store(ofDy + i, a);
    v128.store(ofProduct + i, p);
    v128.store(ofSigns + i, f32x4.convert_i32x4_s(s));
  }
  for (; i < bytes; i += 4) {
    const m = load<f32>(mean + i);
    let a: f32 = 0;
    let p: f32 = 0;
    let s: f32 = 0;
    const end = x + i + size;
    for (let at = x + i; at < end; at += bytes) {
      const g = load<f32>(at + toDy);
      const c = load<f32>(at) - m;
      a += g;
      p += g * c;
      s += signOf(c);
    }
    store<f32>(ofDy + i, a);
    store<f32>(ofProduct + i, p);
    store<f32>(ofSigns + i, s);
  }
}

/** dx = dy scale + sign(x - mean) slope + offset by column. */
function spread(
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
  const zero = f32x4.splat(0);
  for (; rows > 0; rows--) {
    let i: usize = 0;
    for (; i + 16 <= bytes; i += 16) {
      const c = f32x4.sub(v128.load(x + i), v128.load(mean + i));
      const up = v128.load(slope + i);
      const signed = f32x4.sub(v128.and(f32x4.gt(c, zero), up), v128.and(f32x4.lt(c, zero), up));
      const g = f32x4.add(f32x4.mul(v128.load(dy + i), v128.load(scale + i)), v128.load(offset + i));
      v128.store(dx + i, f32x4.add(g, signed));
    }
    for (; i < bytes; i += 4) {
      const c = load<f32>(x + i) - load<f32>(mean + i);
      store<f32>(dx + i, load<f32>(dy + i) * load<f32>(scale + i) + load<f32>(offset + i) + signOf(c) * load<f32>(slope + i));
    }
    x += bytes;
    dy += bytes;
    dx += bytes;
  }
}

/**
 * dx = gamma r (dy - mean(dy) - factor (s - mean(s)) mean(dy xhat)) + dmean / n + ddeviation (s - mean(s)) / n with s = sign(x - mean) and
 * r = 1 / (factor deviation + epsilon), in the first term 0 where the deviation is below `floor`; dgamma = sum of dy xhat, dbeta = sum of dy.
 */
export function gradient(
  x: usize,
  dy: usize,
  mean: usize,
  deviation: usize,
  dmean: usize,
  ddeviation: usize,
  gamma: usize,
  dx: usize,
  dgamma: usize,
  dbeta: usize,
  scratch: usize,
  rows: usize,
  channels: usize,
  copies: usize,
  factor: f32,
  epsilon: f32,
  floor: f32,
): void {
  const bytes = (channels * copies) << 2;
  const room = (bytes + 15) & ~15;
  const n = <f64>rows;
  const ofDy = scratch;
  const ofProduct = ofDy + (room << 1);
  const ofSigns = ofProduct + (room << 1);
  const wideMean = ofSigns + (room << 1);
  const scale = wideMean + room;
  const slope = scale + room;
  const offset = slope + room;
  const most = blockRows(bytes << 1);
  memory.copy(wideMean, mean, channels << 2);
  repeat(wideMean, channels, copies);
  memory.fill(scratch, 0, room * 6);
  let at = x;
  let atDy = dy;
  for (let left = rows / copies; left > 0;) {
    const count = min(most, left);
    // The columns of float32 are not in use yet: room for a block's sums.
    blockGradientSums(at, atDy, count, bytes, wideMean, scale, slope, offset);
    accumulate(ofDy, scale, bytes);
    accumulate(ofProduct, slope, bytes);
    accumulate(ofSigns, offset, bytes);
    at += count * bytes;
    atDy += count * bytes;
    left -= count;
  }
  gather(ofDy, channels, copies);
  gather(ofProduct, channels, copies);
  gather(ofSigns, channels, copies);
  for (let c: usize = 0; c < channels; c++) {
    const i = c << 2;
    const spreadOfC = load<f32>(deviation + i);
    const r = 1 / <f64>(factor * spreadOfC + epsilon);
    const sum = load<f64>(ofDy + (c << 3));
    const product = load<f64>(ofProduct + (c << 3)) * r;
    const kept = spreadOfC < floor ? 0 : <f64>load<f32>(gamma + i) * r;
    const up = (<f64>load<f32>(ddeviation + i) - kept * <f64>factor * product) / n;
    store<f32>(dgamma + i, <f32>product);
    store<f32>(dbeta + i, <f32>sum);
    store<f32>(scale + i, <f32>kept);
    store<f32>(slope + i, <f32>up);
    store<f32>(offset + i, <f32>((<f64>load<f32>(dmean + i) - kept * sum - up * load<f64>(ofSigns + (c << 3))) / n));
  }
  repeat(scale, channels, copies);
  repeat(slope, channels, copies);
  repeat(offset, channels, copies);
  spread(x, dy, dx, rows / copies, bytes, wideMean, scale, slope, offset);
}
