// Layer and root-mean-square normalization whose gamma and beta belong to a sample: `groups` of rows, each with its own. A stride of 0
// gives all groups the same.
import { forward as layerForward, gradient as layerGradient } from '../layer-norm/layer-norm.as';
import { ofGX, ofXX, squareSums, squaresOf, standardize } from '../_rows.as';
import { flush, settle } from '../_simd.as';

export { fill } from '../_simd.as';

/** Rows whose contributions to dgamma and dbeta are summed in float32 before they enter the float64 totals. */
const BLOCK: usize = 128;

/** y = (x - mean) / sqrt(variance + epsilon) gamma + beta. */
export function layer(
  x: usize,
  gamma: usize,
  beta: usize,
  y: usize,
  groups: usize,
  rows: usize,
  width: usize,
  gammaStride: usize,
  betaStride: usize,
  epsilon: f32,
): void {
  const size = (rows * width) << 2;
  for (; groups > 0; groups--) {
    layerForward(x, gamma, beta, y, rows, width, epsilon, 0);
    x += size;
    y += size;
    gamma += gammaStride;
    beta += betaStride;
  }
}

/** y = x / (sqrt(mean(x^2)) + epsilon) gamma + beta. */
export function rms(
  x: usize,
  gamma: usize,
  beta: usize,
  y: usize,
  groups: usize,
  rows: usize,
  width: usize,
  gammaStride: usize,
  betaStride: usize,
  epsilon: f32,
): void {
  const bytes = width << 2;
  for (; groups > 0; groups--) {
    for (let row: usize = 0; row < rows; row++) {
      const root = sqrt<f32>(<f32>(squaresOf(x, bytes, 0) / <f64>width));
      standardize(x, gamma, beta, y, bytes, 0, 1 / (root + epsilon));
      x += bytes;
      y += bytes;
    }
    gamma += gammaStride;
    beta += betaStride;
  }
}

/** Gradient of `layer`; dgamma and dbeta have a row for each group. `totals` has room for 2 width float64. */
export function layerBackward(
  x: usize,
  dy: usize,
  gamma: usize,
  dx: usize,
  dgamma: usize,
  dbeta: usize,
  totals: usize,
  groups: usize,
  rows: usize,
  width: usize,
  gammaStride: usize,
  epsilon: f32,
): void {
  const bytes = width << 2;
  const size = rows * bytes;
  for (; groups > 0; groups--) {
    layerGradient(x, dy, gamma, 0, 0, dx, dgamma, dbeta, totals, rows, width, epsilon, 0);
    x += size;
    dy += size;
    dx += size;
    gamma += gammaStride;
    dgamma += bytes;
    dbeta += bytes;
  }
}

/** dx = dy gamma r + x slope, dgamma += dy x scale, dbeta += dy of one row. */
function spread(
  x: usize,
  dy: usize,
  gamma: usize,
  dx: usize,
  dgamma: usize,
  dbeta: usize,
  bytes: usize,
  r: f32,
  scale: f32,
  slope: f32,
): void {
  const vr = f32x4.splat(r);
  const vs = f32x4.splat(scale);
  const a = f32x4.splat(slope);
  const end = x + bytes;
  for (; x + 16 <= end; x += 16) {
    const value = v128.load(x);
    const d = v128.load(dy);
    v128.store(dx, f32x4.add(f32x4.mul(f32x4.mul(d, v128.load(gamma)), vr), f32x4.mul(value, a)));
    v128.store(dgamma, f32x4.add(v128.load(dgamma), f32x4.mul(f32x4.mul(d, vs), value)));
    v128.store(dbeta, f32x4.add(v128.load(dbeta), d));
    dy += 16;
    gamma += 16;
    dx += 16;
    dgamma += 16;
    dbeta += 16;
  }
  for (; x < end; x += 4) {
    const value = load<f32>(x);
    const d = load<f32>(dy);
    store<f32>(dx, d * load<f32>(gamma) * r + value * slope);
    store<f32>(dgamma, load<f32>(dgamma) + d * scale * value);
    store<f32>(dbeta, load<f32>(dbeta) + d);
    dy += 4;
    gamma += 4;
    dx += 4;
    dgamma += 4;
    dbeta += 4;
  }
}

/**
 * Gradient of `rms`: dx = r g - xhat mean(g xhat) / root with g = dy gamma, and 0 for a row of zeros; dgamma and dbeta have a row for each
 * group. `totals` has room for 2 width float64.
 */
export function rmsBackward(
  x: usize,
  dy: usize,
  gamma: usize,
  dx: usize,
  dgamma: usize,
  dbeta: usize,
  totals: usize,
  groups: usize,
  rows: usize,
  width: usize,
  gammaStride: usize,
  epsilon: f32,
): void {
  const bytes = width << 2;
  const n = <f64>width;
  for (; groups > 0; groups--) {
    memory.fill(dgamma, 0, bytes);
    memory.fill(dbeta, 0, bytes);
    memory.fill(totals, 0, bytes << 2);
    for (let row: usize = 1; row <= rows; row++) {
      squareSums(x, dy, gamma, bytes);
      const root = sqrt<f32>(<f32>(ofXX / n));
      const scale: f32 = 1 / (root + epsilon);
      const some = root != 0;
      const slope: f32 = some ? (-scale * scale * <f32>(ofGX / n)) / root : 0;
      spread(x, dy, gamma, dx, dgamma, dbeta, bytes, some ? scale : 0, scale, slope);
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
    gamma += gammaStride;
    dgamma += bytes;
    dbeta += bytes;
  }
}
