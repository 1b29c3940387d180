// Group normalization of channels that stand last, a sample at a time: its channels' statistics in one sweep, pooled by group, then the result.
// A sample's `positions` of `channels` are handled as positions / copies rows of channels * copies columns.
import { activate, deactivate, together } from '../_activation.as';
import { affine, gather, gradientSums, moments, pool, pooledMean, pooledSquares, repeat, spread } from '../_columns.as';

export * from '../_activation.as';
export * from '../_sigmoid.as';
export { fill } from '../_simd.as';

/** y = f((x - mean) scale + shift) by column. */
function activated(
  x: usize,
  y: usize,
  rows: usize,
  bytes: usize,
  mean: usize,
  scale: usize,
  shift: usize,
  activation: i32,
): void {
  while (rows > 0) {
    const some = together(rows, bytes, activation);
    affine(x, y, some, bytes, mean, scale, shift);
    activate(y, some * bytes, activation);
    x += some * bytes;
    y += some * bytes;
    rows -= some;
  }
}

/** dz = dy f'((x - mean) scale + shift) by column. */
function deactivated(
  x: usize,
  dy: usize,
  dz: usize,
  rows: usize,
  bytes: usize,
  mean: usize,
  scale: usize,
  shift: usize,
  activation: i32,
): void {
  while (rows > 0) {
    const some = together(rows, bytes, activation);
    affine(x, dz, some, bytes, mean, scale, shift);
    deactivate(dz, dy, some * bytes, activation);
    x += some * bytes;
    dy += some * bytes;
    dz += some * bytes;
    rows -= some;
  }
}

/** y = f((x - mean) / sqrt(variance + epsilon) gamma + beta) with mean and variance per sample and group. */
export function forward(
  x: usize,
  gamma: usize,
  beta: usize,
  y: usize,
  scratch: usize,
  samples: usize,
  positions: usize,
  channels: usize,
  groups: usize,
  copies: usize,
  epsilon: f32,
  activation: i32,
): void {
  const bytes = (channels * copies) << 2;
  const room = (bytes + 15) & ~15;
  const means = scratch;
  const squares = means + (room << 1);
  const shift = squares + (room << 1);
  const wideMean = shift + room;
  const scale = wideMean + room;
  const width = channels / groups;
  const tall = positions / copies;
  memory.copy(shift, beta, channels << 2);
  repeat(shift, channels, copies);
  for (; samples > 0; samples--) {
    moments(x, tall, bytes, means, squares, wideMean);
    for (let first: usize = 0; first < channels; first += width) {
      pool(means, squares, first, width, channels, copies, tall);
      const mean = <f32>pooledMean;
      const r: f32 = 1 / sqrt<f32>(<f32>(pooledSquares / <f64>(positions * width)) + epsilon);
      for (let at = first << 2; at < (first + width) << 2; at += 4) {
        store<f32>(wideMean + at, mean);
        store<f32>(scale + at, load<f32>(gamma + at) * r);
      }
    }
    repeat(wideMean, channels, copies);
    repeat(scale, channels, copies);
    activated(x, y, tall, bytes, wideMean, scale, shift, activation);
    x += bytes * tall;
    y += bytes * tall;
  }
}

/**
 * dx = r (g - mean(g) - xhat mean(g xhat)) with g = dy gamma and means over the group, dgamma = sum of dy xhat, dbeta = sum of dy.
 * Where there is an activation, dx holds dy times its slope first.
 */
export function gradient(
  x: usize,
  dy: usize,
  gamma: usize,
  beta: usize,
  dx: usize,
  dgamma: usize,
  dbeta: usize,
  scratch: usize,
  samples: usize,
  positions: usize,
  channels: usize,
  groups: usize,
  copies: usize,
  epsilon: f32,
  activation: i32,
): void {
  const bytes = (channels * copies) << 2;
  const room = (bytes + 15) & ~15;
  const means = scratch;
  const squares = means + (room << 1);
  const wideMean = squares + (room << 1);
  const scale = wideMean + room;
  const slope = scale + room;
  const offset = slope + room;
  const ofGamma = offset + room;
  const ofBeta = ofGamma + (channels << 3);
  // Once the moments are pooled, sums of dy and of dy (x - mean) take their place.
  const ofDy = means;
  const ofProduct = squares;
  const width = channels / groups;
  const tall = positions / copies;
  const n = <f64>(positions * width);
  memory.fill(ofGamma, 0, channels << 4);
  for (; samples > 0; samples--) {
    moments(x, tall, bytes, means, squares, slope);
    for (let first: usize = 0; first < channels; first += width) {
      pool(means, squares, first, width, channels, copies, tall);
      const mean = <f32>pooledMean;
      const r: f32 = 1 / sqrt<f32>(<f32>(pooledSquares / n) + epsilon);
      for (let at = first << 2; at < (first + width) << 2; at += 4) {
        store<f32>(wideMean + at, mean);
        store<f32>(scale + at, r);
      }
    }
    repeat(wideMean, channels, copies);
    let dz = dy;
    if (activation != 0) {
      // Slope and offset are found later: until then they hold gamma / root and beta.
      for (let at: usize = 0; at < channels << 2; at += 4) {
        store<f32>(slope + at, load<f32>(gamma + at) * load<f32>(scale + at));
        store<f32>(offset + at, load<f32>(beta + at));
      }
      repeat(slope, channels, copies);
      repeat(offset, channels, copies);
      deactivated(x, dy, dx, tall, bytes, wideMean, slope, offset, activation);
      dz = dx;
    }
    gradientSums(x, dz, tall, bytes, wideMean, ofDy, ofProduct, slope);
    gather(ofDy, channels, copies);
    gather(ofProduct, channels, copies);
    for (let first: usize = 0; first < channels; first += width) {
      const r = <f64>load<f32>(scale + (first << 2));
      let sumG: f64 = 0;
      let sumGXhat: f64 = 0;
      for (let c = first; c < first + width; c++) {
        const sum = load<f64>(ofDy + (c << 3));
        const product = load<f64>(ofProduct + (c << 3)) * r;
        const factor = <f64>load<f32>(gamma + (c << 2));
        sumG += factor * sum;
        sumGXhat += factor * product;
        store<f64>(ofBeta + (c << 3), load<f64>(ofBeta + (c << 3)) + sum);
        store<f64>(ofGamma + (c << 3), load<f64>(ofGamma + (c << 3)) + product);
      }
      for (let at = first << 2; at < (first + width) << 2; at += 4) {
        store<f32>(scale + at, <f32>(<f64>load<f32>(gamma + at) * r));
        store<f32>(slope + at, <f32>((-r * r * sumGXhat) / n));
        store<f32>(offset + at, <f32>((-r * sumG) / n));
      }
    }
    repeat(scale, channels, copies);
    repeat(slope, channels, copies);
    repeat(offset, channels, copies);
    spread(x, dz, dx, tall, bytes, wideMean, scale, slope, offset);
    x += bytes * tall;
    dy += bytes * tall;
    dx += bytes * tall;
  }
  for (let c: usize = 0; c < channels; c++) {
    store<f32>(dgamma + (c << 2), <f32>load<f64>(ofGamma + (c << 3)));
    store<f32>(dbeta + (c << 2), <f32>load<f64>(ofBeta + (c << 3)));
  }
}
