// Layer normalization, row by row: mean, centred squares, result, while the row is in the L1 cache.
import { activate, deactivate, together } from '../_activation.as';
import { add, PIECE, squaresOf, standardize, sumOf } from '../_rows.as';
import { flush, lanes, min, settle } from '../_simd.as';

export * from '../_activation.as';
export * from '../_sigmoid.as';
export { fill } from '../_simd.as';

/** Rows whose contributions to dgamma and dbeta are summed in float32 before they enter the float64 totals. */
const BLOCK: usize = 128;

/** y = (x - mean) / sqrt(variance + epsilon) gamma + beta for every row of `width`. */
function normalize(x: usize, gamma: usize, beta: usize, y: usize, rows: usize, width: usize, epsilon: f32): void {
  const bytes = width << 2;
  for (; rows > 0; rows--) {
    const mean = <f32>(sumOf(x, bytes) / <f64>width);
    const variance = <f32>(squaresOf(x, bytes, mean) / <f64>width);
    standardize(x, gamma, beta, y, bytes, mean, 1 / sqrt<f32>(variance + epsilon));
    x += bytes;
    y += bytes;
  }
}

/** The same, activated. */
export function forward(
  x: usize,
  gamma: usize,
  beta: usize,
  y: usize,
  rows: usize,
  width: usize,
  epsilon: f32,
  activation: i32,
): void {
  const bytes = width << 2;
  while (rows > 0) {
    const some = together(rows, bytes, activation);
    normalize(x, gamma, beta, y, some, width, epsilon);
    activate(y, some * bytes, activation);
    x += some * bytes;
    y += some * bytes;
    rows -= some;
  }
}

/** sum = x + residual, y as in `forward` of the sum. */
export function addForward(
  x: usize,
  residual: usize,
  gamma: usize,
  beta: usize,
  y: usize,
  sum: usize,
  rows: usize,
  width: usize,
  epsilon: f32,
  activation: i32,
): void {
  const bytes = width << 2;
  for (; rows > 0; rows--) {
    add(x, residual, sum, bytes);
    forward(sum, gamma, beta, y, 1, width, epsilon, activation);
    x += bytes;
    residual += bytes;
    sum += bytes;
    y += bytes;
  }
}

/** What the two functions below find. */
let ofX: f64 = 0;
let ofG: f64 = 0;

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

/** Sums of (x - mean)^2 and of g (x - mean). */
function centredSums(x: usize, dy: usize, gamma: usize, bytes: usize, mean: f32): void {
  const m = f32x4.splat(mean);
  ofX = 0;
  ofG = 0;
  for (const end = x + bytes; x < end;) {
    const stop = x + min(PIECE, end - x);
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let p = f32x4.splat(0);
    let q = f32x4.splat(0);
    for (; x + 32 <= stop; x += 32) {
      const c = f32x4.sub(v128.load(x), m);
      a = f32x4.add(a, f32x4.mul(c, c));
      p = f32x4.add(p, f32x4.mul(c, f32x4.mul(v128.load(dy), v128.load(gamma))));
      const d = f32x4.sub(v128.load(x, 16), m);
      b = f32x4.add(b, f32x4.mul(d, d));
      q = f32x4.add(q, f32x4.mul(d, f32x4.mul(v128.load(dy, 16), v128.load(gamma, 16))));
      dy += 32;
      gamma += 32;
    }
    let sum = lanes(f32x4.add(a, b));
    let sumG = lanes(f32x4.add(p, q));
    for (; x < stop; x += 4) {
      const c = load<f32>(x) - mean;
      sum += c * c;
      sumG += c * (load<f32>(dy) * load<f32>(gamma));
      dy += 4;
      gamma += 4;
    }
    ofX += <f64>sum;
    ofG += <f64>sumG;
  }
}

/**
 * dx = dy gamma r + (x - mean) slope + offset, dgamma += dy (x - mean) r, dbeta += dy of one row.
 * dx may be dy. One row at a time: with two, V8 runs out of registers and takes 1.7 times as long.
 */
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
  slope: f32,
  offset: f32,
): void {
  const m = f32x4.splat(mean);
  const scale = f32x4.splat(r);
  const a = f32x4.splat(slope);
  const b = f32x4.splat(offset);
  const end = x + bytes;
  for (; x + 16 <= end; x += 16) {
    const centred = f32x4.sub(v128.load(x), m);
    const dz = v128.load(dy);
    const scaled = f32x4.mul(dz, scale);
    v128.store(dx, f32x4.add(f32x4.mul(scaled, v128.load(gamma)), f32x4.add(f32x4.mul(centred, a), b)));
    v128.store(dgamma, f32x4.add(v128.load(dgamma), f32x4.mul(scaled, centred)));
    v128.store(dbeta, f32x4.add(v128.load(dbeta), dz));
    dy += 16;
    gamma += 16;
    dx += 16;
    dgamma += 16;
    dbeta += 16;
  }
  for (; x < end; x += 4) {
    const centred = load<f32>(x) - mean;
    const dz = load<f32>(dy);
    const scaled = dz * r;
    store<f32>(dx, scaled * load<f32>(gamma) + (centred * slope + offset));
    store<f32>(dgamma, load<f32>(dgamma) + scaled * centred);
    store<f32>(dbeta, load<f32>(dbeta) + dz);
    dy += 4;
    gamma += 4;
    dx += 4;
    dgamma += 4;
    dbeta += 4;
  }
}

/**
 * dx = r (g - mean(g) - xhat mean(g xhat)) + dsum with g = dy gamma, dgamma = sum of dy xhat, dbeta = sum of dy, in one sweep.
 * `dsum` may be 0. `totals` has room for 2 width float64. Where there is an activation, dx holds dy times its slope first.
 */
export function gradient(
  x: usize,
  dy: usize,
  gamma: usize,
  beta: usize,
  dsum: usize,
  dx: usize,
  dgamma: usize,
  dbeta: usize,
  totals: usize,
  rows: usize,
  width: usize,
  epsilon: f32,
  activation: i32,
): void {
  const bytes = width << 2;
  const n = <f64>width;
  memory.fill(dgamma, 0, bytes);
  memory.fill(dbeta, 0, bytes);
  memory.fill(totals, 0, bytes << 2);
  for (let row: usize = 1; row <= rows; row++) {
    let dz = dy;
    if (activation != 0) {
      normalize(x, gamma, beta, dx, 1, width, epsilon);
      deactivate(dx, dy, bytes, activation);
      dz = dx;
    }
    sums(x, dz, gamma, bytes);
    const mean = <f32>(ofX / n);
    const meanG = <f32>(ofG / n);
    centredSums(x, dz, gamma, bytes, mean);
    const r: f32 = 1 / sqrt<f32>(<f32>(ofX / n) + epsilon);
    const meanGXhat = <f32>(ofG / n) * r;
    spread(x, dz, gamma, dx, dgamma, dbeta, bytes, mean, r, -r * r * meanGXhat, -r * meanG);
    if (dsum != 0) {
      add(dx, dsum, dx, bytes);
      dsum += bytes;
    }
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
