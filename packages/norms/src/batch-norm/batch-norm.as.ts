// Batch normalization of channels that stand last. `rows` positions of `channels`, handled as rows / copies of channels * copies columns.
import { affine, gather, gradientSums, moments, pool, pooledMean, pooledSquares, repeat, spread } from '../_columns.as';
import { fill } from '../_simd.as';

export { fill };

/** y = (x - mean) / sqrt(variance + epsilon) gamma + beta with the batch's own mean and variance, which come out. */
export function forward(
  x: usize,
  gamma: usize,
  beta: usize,
  y: usize,
  mean: usize,
  variance: usize,
  scratch: usize,
  rows: usize,
  channels: usize,
  copies: usize,
  epsilon: f32,
): void {
  const bytes = (channels * copies) << 2;
  const room = (bytes + 15) & ~15;
  const means = scratch;
  const squares = means + (room << 1);
  const wideMean = squares + (room << 1);
  const scale = wideMean + room;
  const shift = scale + room;
  const tall = rows / copies;
  // The columns of float32 are not in use yet: room for a block's sums.
  moments(x, tall, bytes, means, squares, wideMean);
  for (let c: usize = 0; c < channels; c++) {
    pool(means, squares, c, 1, channels, copies, tall);
    const at = c << 2;
    const spreadOfC = <f32>(pooledSquares / <f64>rows);
    store<f32>(mean + at, <f32>pooledMean);
    store<f32>(variance + at, spreadOfC);
    store<f32>(wideMean + at, <f32>pooledMean);
    store<f32>(scale + at, load<f32>(gamma + at) / sqrt<f32>(spreadOfC + epsilon));
    store<f32>(shift + at, load<f32>(beta + at));
  }
  repeat(wideMean, channels, copies);
  repeat(scale, channels, copies);
  repeat(shift, channels, copies);
  affine(x, y, tall, bytes, wideMean, scale, shift);
}

/** y = (x - mean) / sqrt(variance + epsilon) gamma + beta with given statistics. */
export function inference(
  x: usize,
  mean: usize,
  variance: usize,
  gamma: usize,
  beta: usize,
  y: usize,
  scratch: usize,
  rows: usize,
  channels: usize,
  copies: usize,
  epsilon: f32,
): void {
  const bytes = (channels * copies) << 2;
  const wideMean = scratch;
  const scale = wideMean + bytes;
  const shift = scale + bytes;
  for (let at: usize = 0; at < channels << 2; at += 4) {
    store<f32>(wideMean + at, load<f32>(mean + at));
    store<f32>(scale + at, load<f32>(gamma + at) / sqrt<f32>(load<f32>(variance + at) + epsilon));
    store<f32>(shift + at, load<f32>(beta + at));
  }
  repeat(wideMean, channels, copies);
  repeat(scale, channels, copies);
  repeat(shift, channels, copies);
  affine(x, y, rows / copies, bytes, wideMean, scale, shift);
}

/**
 * dx = gamma r (dy - mean(dy) - xhat mean(dy xhat)) + dmean / n + 2 dvariance (x - mean) / n, dgamma = sum of dy xhat, dbeta = sum of dy;
 * with `constant` statistics dx = gamma r dy, and dmean and dvariance are not read.
 */
export function gradient(
  x: usize,
  dy: usize,
  mean: usize,
  variance: usize,
  dmean: usize,
  dvariance: usize,
  gamma: usize,
  dx: usize,
  dgamma: usize,
  dbeta: usize,
  scratch: usize,
  rows: usize,
  channels: usize,
  copies: usize,
  epsilon: f32,
  constant: bool,
): void {
  const bytes = (channels * copies) << 2;
  const room = (bytes + 15) & ~15;
  const n = <f64>rows;
  const ofDy = scratch;
  const ofProduct = ofDy + (room << 1);
  const wideMean = ofProduct + (room << 1);
  const scale = wideMean + room;
  const slope = scale + room;
  const offset = slope + room;
  const tall = rows / copies;
  memory.copy(wideMean, mean, channels << 2);
  repeat(wideMean, channels, copies);
  gradientSums(x, dy, tall, bytes, wideMean, ofDy, ofProduct, scale);
  gather(ofDy, channels, copies);
  gather(ofProduct, channels, copies);
  for (let c: usize = 0; c < channels; c++) {
    const at = c << 2;
    const r = 1 / sqrt<f64>(<f64>(load<f32>(variance + at) + epsilon));
    const sum = load<f64>(ofDy + (c << 3));
    const product = load<f64>(ofProduct + (c << 3)) * r;
    const factor = <f64>load<f32>(gamma + at) * r;
    store<f32>(dgamma + at, <f32>product);
    store<f32>(dbeta + at, <f32>sum);
    store<f32>(scale + at, <f32>factor);
    if (constant) continue;
    store<f32>(slope + at, <f32>((2 * <f64>load<f32>(dvariance + at) - factor * r * product) / n));
    store<f32>(offset + at, <f32>((<f64>load<f32>(dmean + at) - factor * sum) / n));
  }
  repeat(scale, channels, copies);
  if (constant) {
    // What x is does not matter, not even where it is NaN.
    fill(slope, channels * copies, 0);
    affine(dy, dx, tall, bytes, slope, scale, slope);
    return;
  }
  repeat(slope, channels, copies);
  repeat(offset, channels, copies);
  spread(x, dy, dx, tall, bytes, wideMean, scale, slope, offset);
}
