// Layer normalization by the mean absolute deviation, row by row: mean, deviations, result, while the row is in the L1 cache.
import { PIECE, standardize, sumOf } from '../_rows.as';
import { flush, lanes, min, settle, signOf } from '../_simd.as';

export { fill } from '../_simd.as';

/** Rows whose contributions to dgamma and dbeta are summed in float32 before they enter the float64 totals. */
const BLOCK: usize = 128;

/** All bits of a float32 but that of its sign. Not a constant: V8 would make it anew at each use. */
export let magnitude: i32 = 0x7fffffff;

/** Sum of |x - mean|. */
function deviationsOf(x: usize, bytes: usize, mean: f32): f64 {
  const m = f32x4.splat(mean);
  const mask = i32x4.splat(magnitude);
  let total: f64 = 0;
  for (const end = x + bytes; x < end;) {
    const stop = x + min(PIECE, end - x);
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    for (; x + 64 <= stop; x += 64) {
      a = f32x4.add(a, v128.and(f32x4.sub(v128.load(x), m), mask));
      b = f32x4.add(b, v128.and(f32x4.sub(v128.load(x, 16), m), mask));
      c = f32x4.add(c, v128.and(f32x4.sub(v128.load(x, 32), m), mask));
      d = f32x4.add(d, v128.and(f32x4.sub(v128.load(x, 48), m), mask));
    }
    for (; x + 16 <= stop; x += 16) a = f32x4.add(a, v128.and(f32x4.sub(v128.load(x), m), mask));
    let sum = lanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
    for (; x < stop; x += 4) sum += abs<f32>(load<f32>(x) - mean);
    total += <f64>sum;
  }
  return total;
}

/** y = (x - mean) / (factor mean |x - mean| + epsilon) gamma + beta for every row of `width`. */
export function forward(x: usize, gamma: usize, beta: usize, y: usize, rows: usize, width: usize, factor: f32, epsilon: f32): void {
  const bytes = width << 2;
  for (; rows > 0; rows--) {
    const mean = <f32>(sumOf(x, bytes) / <f64>width);
    const deviation = <f32>(deviationsOf(x, bytes, mean) / <f64>width);
    standardize(x, gamma, beta, y, bytes, mean, 1 / (factor * deviation + epsilon));
    x += bytes;
    y += bytes;
  }
}

/** What the two functions below find. */
let ofX: f64 = 0;
let ofG: f64 = 0;
let ofSigns: f64 = 0;

/** Sums of x and of g = dy gamma. */
function sums(x: usize, dy: usize, gamma: usize, bytes: usize): void {
  ofX = 0;
  ofG = 0;
  for (const end = x + bytes; x < end;) {
    const stop = x + min(PIECE, end - x);
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let p = f32x4.splat(0);
    let q = f32x4.splat(0);
    for (; x + 32 <= stop; x += 32) {
      a = f32x4.add(a, v128.load(x));
      b = f32x4.add(b, v128.load(x, 16));
      p = f32x4.add(p, f32x4.mul(v128.load(dy), v128.load(gamma)));
      q = f32x4.add(q, f32x4.mul(v128.load(dy, 16), v128.load(gamma, 16)));
      dy += 32;
      gamma += 32;
    }
    let sum = lanes(f32x4.add(a, b));
    let sumG = lanes(f32x4.add(p, q));
    for (; x < stop; x += 4) {
      sum += load<f32>(x);
      sumG += load<f32>(dy) * load<f32>(gamma);
      dy += 4;
      gamma += 4;
    }
    ofX += <f64>sum;
    ofG += <f64>sumG;
  }
}

/** Sums of |x - mean|, of g (x - mean), and of sign(x - mean). */
function deviationSums(x: usize, dy: usize, gamma: usize, bytes: usize, mean: f32): void {
  const m = f32x4.splat(mean);
  const mask = i32x4.splat(magnitude);
  const zero = f32x4.splat(0);
  ofX = 0;
  ofG = 0;
  ofSigns = 0;
  for (const end = x + bytes; x < end;) {
    const stop = x + min(PIECE, end - x);
    let a = f32x4.splat(0);
    let p = f32x4.splat(0);
    let s = i32x4.splat(0);
    for (; x + 16 <= stop; x += 16) {
      const c = f32x4.sub(v128.load(x), m);
      a = f32x4.add(a, v128.and(c, mask));
      p = f32x4.add(p, f32x4.mul(c, f32x4.mul(v128.load(dy), v128.load(gamma))));
      // Comparisons give -1 where they hold.
      s = i32x4.add(s, i32x4.sub(f32x4.lt(c, zero), f32x4.gt(c, zero)));
      dy += 16;
      gamma += 16;
    }
    let sum = lanes(a);
    let sumG = lanes(p);
    let signs = <f32>(i32x4.extract_lane(s, 0) + i32x4.extract_lane(s, 1) + i32x4.extract_lane(s, 2) + i32x4.extract_lane(s, 3));
    for (; x < stop; x += 4) {
      const c = load<f32>(x) - mean;
      sum += abs<f32>(c);
      sumG += c * (load<f32>(dy) * load<f32>(gamma));
      signs += signOf(c);
      dy += 4;
      gamma += 4;
    }
    ofX += <f64>sum;
    ofG += <f64>sumG;
    ofSigns += <f64>signs;
  }
}

/** dx = (dy gamma - sign(x - mean) slope + offset) r, dgamma += dy (x - mean) scale, dbeta += dy of one row. */
function spread(
  x: usize,
  dy: usize,
  gamma: usize,
  dx: usize,
  dgamma: usize,
  dbeta: usize,
  bytes: usize,
  mean: f32,
  r: f32,
  scale: f32,
  slope: f32,
  offset: f32,
): void {
  const m = f32x4.splat(mean);
  const zero = f32x4.splat(0);
  const vr = f32x4.splat(r);
  const vs = f32x4.splat(scale);
  const up = f32x4.splat(slope);
  const b = f32x4.splat(offset);
  const end = x + bytes;
  for (; x + 16 <= end; x += 16) {
    const c = f32x4.sub(v128.load(x), m);
    const d = v128.load(dy);
    const g = f32x4.add(f32x4.mul(d, v128.load(gamma)), b);
    const signed = f32x4.sub(v128.and(f32x4.gt(c, zero), up), v128.and(f32x4.lt(c, zero), up));
    v128.store(dx, f32x4.mul(f32x4.sub(g, signed), vr));
    v128.store(dgamma, f32x4.add(v128.load(dgamma), f32x4.mul(f32x4.mul(d, vs), c)));
    v128.store(dbeta, f32x4.add(v128.load(dbeta), d));
    dy += 16;
    gamma += 16;
    dx += 16;
    dgamma += 16;
    dbeta += 16;
  }
  for (; x < end; x += 4) {
    const c = load<f32>(x) - mean;
    const d = load<f32>(dy);
    store<f32>(dx, (d * load<f32>(gamma) + offset - signOf(c) * slope) * r);
    store<f32>(dgamma, load<f32>(dgamma) + d * scale * c);
    store<f32>(dbeta, load<f32>(dbeta) + d);
    dy += 4;
    gamma += 4;
    dx += 4;
    dgamma += 4;
    dbeta += 4;
  }
}

/**
 * dx = (g - mean(g) - factor (s - mean(s)) mean(g xhat)) / (factor deviation + epsilon) with g = dy gamma and s = sign(x - mean), or 0 where
 * the deviation is below `floor`; dgamma = sum of dy xhat, dbeta = sum of dy, in one sweep. `totals` has room for 2 width float64.
 */
export function gradient(
  x: usize,
  dy: usize,
  gamma: usize,
  dx: usize,
  dgamma: usize,
  dbeta: usize,
  totals: usize,
  rows: usize,
  width: usize,
  factor: f32,
  epsilon: f32,
  floor: f32,
): void {
  const bytes = width << 2;
  const n = <f64>width;
  memory.fill(dgamma, 0, bytes);
  memory.fill(dbeta, 0, bytes);
  memory.fill(totals, 0, bytes << 2);
  for (let row: usize = 1; row <= rows; row++) {
    sums(x, dy, gamma, bytes);
    const mean = <f32>(ofX / n);
    const meanG = <f32>(ofG / n);
    deviationSums(x, dy, gamma, bytes, mean);
    const deviation = <f32>(ofX / n);
    const scale: f32 = 1 / (factor * deviation + epsilon);
    const r: f32 = deviation < floor ? 0 : scale;
    const slope = factor * (<f32>(ofG / n) * scale);
    spread(x, dy, gamma, dx, dgamma, dbeta, bytes, mean, r, scale, slope, slope * <f32>(ofSigns / n) - meanG);
    x += bytes;
    dy += bytes;
    dx += bytes;
    if (row % BLOCK == 0 || row == rows) {
      flush(dgamma, totals, bytes);
      flush(dbeta, totals + (bytes << 1), bytes);
    }
  }
  settle(dgamma, totals, bytes);
  settle(dbeta, totals + (bytes << 1), bytes);
}
