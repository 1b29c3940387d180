// Root-mean-square normalization, row by row: squares, then the result, while the row is in the L1 cache.
import { activate, deactivate, together } from '../_activation.as';
import { add, ofGX, ofXX, squareSums, squaresOf } from '../_rows.as';
import { flush, settle } from '../_simd.as';

export * from '../_activation.as';
export * from '../_sigmoid.as';
export { fill } from '../_simd.as';

/** Rows whose contributions to dgamma are summed in float32 before they enter the float64 totals. */
const BLOCK: usize = 128;

/** y = x r gamma of one row. */
function scale(x: usize, gamma: usize, y: usize, bytes: usize, r: f32): void {
  const factor = f32x4.splat(r);
  const end = x + bytes;
  for (; x + 64 <= end; x += 64) {
    v128.store(y, f32x4.mul(f32x4.mul(v128.load(x), factor), v128.load(gamma)));
    v128.store(y, f32x4.mul(f32x4.mul(v128.load(x, 16), factor), v128.load(gamma, 16)), 16);
    v128.store(y, f32x4.mul(f32x4.mul(v128.load(x, 32), factor), v128.load(gamma, 32)), 32);
    v128.store(y, f32x4.mul(f32x4.mul(v128.load(x, 48), factor), v128.load(gamma, 48)), 48);
    gamma += 64;
    y += 64;
  }
  for (; x + 16 <= end; x += 16) {
    v128.store(y, f32x4.mul(f32x4.mul(v128.load(x), factor), v128.load(gamma)));
    gamma += 16;
    y += 16;
  }
  for (; x < end; x += 4) {
    store<f32>(y, load<f32>(x) * r * load<f32>(gamma));
    gamma += 4;
    y += 4;
  }
}

/** y = x / sqrt(mean(x^2) + epsilon) gamma for every row of `width`. */
function normalize(x: usize, gamma: usize, y: usize, rows: usize, width: usize, epsilon: f32): void {
  const bytes = width << 2;
  for (; rows > 0; rows--) {
    const square = <f32>(squaresOf(x, bytes, 0) / <f64>width);
    scale(x, gamma, y, bytes, 1 / sqrt<f32>(square + epsilon));
    x += bytes;
    y += bytes;
  }
}

/** The same, activated. */
export function forward(x: usize, gamma: usize, y: usize, rows: usize, width: usize, epsilon: f32, activation: i32): void {
  const bytes = width << 2;
  while (rows > 0) {
    const some = together(rows, bytes, activation);
    normalize(x, gamma, y, some, width, epsilon);
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
    forward(sum, gamma, y, 1, width, epsilon, activation);
    x += bytes;
    residual += bytes;
    sum += bytes;
    y += bytes;
  }
}

/** dx = dy gamma r + x slope, dgamma += dy x r of one row. */
function spread(x: usize, dy: usize, gamma: usize, dx: usize, dgamma: usize, bytes: usize, r: f32, slope: f32): void {
  const factor = f32x4.splat(r);
  const a = f32x4.splat(slope);
  const end = x + bytes;
  for (; x + 16 <= end; x += 16) {
    const value = v128.load(x);
    const scaled = f32x4.mul(v128.load(dy), factor);
    v128.store(dx, f32x4.add(f32x4.mul(scaled, v128.load(gamma)), f32x4.mul(value, a)));
    v128.store(dgamma, f32x4.add(v128.load(dgamma), f32x4.mul(scaled, value)));
    dy += 16;
    gamma += 16;
    dx += 16;
    dgamma += 16;
  }
  for (; x < end; x += 4) {
    const value = load<f32>(x);
    const scaled = load<f32>(dy) * r;
    store<f32>(dx, scaled * load<f32>(gamma) + value * slope);
    store<f32>(dgamma, load<f32>(dgamma) + scaled * value);
    dy += 4;
    gamma += 4;
    dx += 4;
    dgamma += 4;
  }
}

/**
 * dx = r (g - xhat mean(g xhat)) + dsum with g = dy gamma, dgamma = sum of dy xhat, in one sweep. `dsum` may be 0. `totals` has room for
 * `width` float64. Where there is an activation, dx holds dy times its slope first.
 */
export function gradient(
  x: usize,
  dy: usize,
  gamma: usize,
  dsum: usize,
  dx: usize,
  dgamma: usize,
  totals: usize,
  rows: usize,
  width: usize,
  epsilon: f32,
  activation: i32,
): void {
  const bytes = width << 2;
  const n = <f64>width;
  memory.fill(dgamma, 0, bytes);
  memory.fill(totals, 0, bytes << 1);
  for (let row: usize = 1; row <= rows; row++) {
    let dz = dy;
    if (activation != 0) {
      normalize(x, gamma, dx, 1, width, epsilon);
      deactivate(dx, dy, bytes, activation);
      dz = dx;
    }
    squareSums(x, dz, gamma, bytes);
    const r: f32 = 1 / sqrt<f32>(<f32>(ofXX / n) + epsilon);
    const meanGXhat = <f32>(ofGX / n) * r;
    spread(x, dz, gamma, dx, dgamma, bytes, r, -r * r * meanGXhat);
    if (dsum != 0) {
      add(dx, dsum, dx, bytes);
      dsum += bytes;
    }
    x += bytes;
    dy += bytes;
    dx += bytes;
    if (row % BLOCK == 0 || row == rows) flush(dgamma, totals, bytes);
  }
  settle(dgamma, totals, bytes);
}
