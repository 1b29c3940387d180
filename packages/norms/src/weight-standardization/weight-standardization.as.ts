// Standardizes the columns of a matrix: filters stand last, `rows` weights each. Lanes lie across filters, so that all loads are contiguous.
import { affine, gather, gradientSums, moments, pool, pooledMean, pooledSquares, repeat, spread } from '../_columns.as';
import { fill } from '../_simd.as';

/** y = (kernel - mean) / s */
export function forward(
  kernel: usize,
  y: usize,
  scratch: usize,
  rows: usize,
  filters: usize,
  copies: usize,
  count: f64,
  insideRoot: bool,
  epsilon: f64,
): void {
  const bytes = (filters * copies) << 2;
  const room = (bytes + 15) & ~15;
  const means = scratch;
  const squares = means + (room << 1);
  const wideMean = squares + (room << 1);
  const scale = wideMean + room;
  const shift = scale + room;
  const tall = rows / copies;
  moments(kernel, tall, bytes, means, squares, wideMean);
  for (let f: usize = 0; f < filters; f++) {
    pool(means, squares, f, 1, filters, copies, tall);
    const variance = pooledSquares / count;
    store<f32>(wideMean + (f << 2), <f32>pooledMean);
    store<f32>(scale + (f << 2), <f32>(1 / (insideRoot ? sqrt(variance + epsilon) : sqrt(variance) + epsilon)));
  }
  repeat(wideMean, filters, copies);
  repeat(scale, filters, copies);
  fill(shift, filters * copies, 0);
  affine(kernel, y, tall, bytes, wideMean, scale, shift);
}

/** dkernel = (dy - mean(dy)) / s - (kernel - mean) sum(dy (kernel - mean)) / (s^2 sigma count) */
export function gradient(
  kernel: usize,
  dy: usize,
  dkernel: usize,
  scratch: usize,
  rows: usize,
  filters: usize,
  copies: usize,
  count: f64,
  insideRoot: bool,
  epsilon: f64,
): void {
  const bytes = (filters * copies) << 2;
  const room = (bytes + 15) & ~15;
  const means = scratch;
  const squares = means + (room << 1);
  const wideMean = squares + (room << 1);
  const scale = wideMean + room;
  const slope = scale + room;
  const offset = slope + room;
  const factor = offset + room;
  // Once the moments are pooled, sums of dy and of dy (kernel - mean) take their place.
  const ofDy = means;
  const ofProduct = squares;
  const tall = rows / copies;
  moments(kernel, tall, bytes, means, squares, slope);
  for (let f: usize = 0; f < filters; f++) {
    pool(means, squares, f, 1, filters, copies, tall);
    const variance = pooledSquares / count;
    const s = insideRoot ? sqrt(variance + epsilon) : sqrt(variance) + epsilon;
    const sigma = insideRoot ? s : sqrt(variance);
    const at = f << 2;
    store<f32>(wideMean + at, <f32>pooledMean);
    store<f32>(scale + at, <f32>(1 / s));
    // A constant filter's deviation does not change.
    store<f32>(factor + at, sigma > 0 ? <f32>(1 / (s * sigma * count)) : 0);
  }
  repeat(wideMean, filters, copies);
  gradientSums(kernel, dy, tall, bytes, wideMean, ofDy, ofProduct, slope);
  gather(ofDy, filters, copies);
  gather(ofProduct, filters, copies);
  for (let f: usize = 0; f < filters; f++) {
    const at = f << 2;
    const r = <f64>load<f32>(scale + at);
    store<f32>(slope + at, <f32>(-load<f64>(ofProduct + (f << 3)) * r * <f64>load<f32>(factor + at)));
    store<f32>(offset + at, <f32>((-load<f64>(ofDy + (f << 3)) * r) / <f64>rows));
  }
  repeat(scale, filters, copies);
  repeat(slope, filters, copies);
  repeat(offset, filters, copies);
  spread(kernel, dy, dkernel, tall, bytes, wideMean, scale, slope, offset);
}
