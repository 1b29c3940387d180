// Unified normalization: what goes over the tokens, a sweep each, and the windows, a few rows of channels.
import { gather, gradientSums, repeat, spread } from '../_columns.as';
import { exponential, logarithm } from '../_logarithm.as';
import { blockRows, blockSquares, countedRows, groupFactors, MOST_ROWS } from '../_mean-squares.as';
import { flush, min as smaller } from '../_simd.as';

export { fill } from '../_simd.as';

/**
 * Mean squares of the columns over rows that count, or `fallback`. `scratch` has room for an array of columns of float64, one of float32, and
 * two words for each row of a block.
 */
export function meanSquare(x: usize, fallback: usize, mask: usize, y: usize, scratch: usize, rows: usize, channels: usize): void {
  const bytes = channels << 2;
  const totals = scratch;
  const sums = totals + (bytes << 1);
  const counted = sums + bytes;
  const factors = counted + (MOST_ROWS << 2);
  const most = blockRows(bytes);
  memory.fill(totals, 0, 3 * bytes);
  groupFactors(x, MOST_ROWS, bytes, 0, 0, factors);
  let kept: usize = 0;
  let summed: usize = 0;
  for (let done: usize = 0; done < rows;) {
    const count = smaller(most, rows - done);
    kept += countedRows(mask == 0 ? 0 : mask + (done << 2), count, counted);
    blockSquares(x + done * bytes, count, bytes, 1, factors, counted, sums);
    done += count;
    summed += count;
    if (summed >= MOST_ROWS || done == rows) {
      flush(sums, totals, bytes);
      summed = 0;
    }
  }
  for (let at: usize = 0; at < bytes; at += 4) {
    store<f32>(y + at, kept == 0 ? load<f32>(fallback + at) : <f32>(load<f64>(totals + (at << 1)) / <f64>kept));
  }
}

/** Sums of the columns of dy x and of dy. `rows` of `channels` are handled as rows / copies of channels * copies. */
export function tokenSums(
  x: usize,
  dy: usize,
  products: usize,
  sums: usize,
  scratch: usize,
  rows: usize,
  channels: usize,
  copies: usize,
): void {
  const bytes = (channels * copies) << 2;
  const room = (bytes + 15) & ~15;
  const ofDy = scratch;
  const ofProduct = ofDy + (room << 1);
  const mean = ofProduct + (room << 1);
  memory.fill(mean, 0, room);
  gradientSums(x, dy, rows / copies, bytes, mean, ofDy, ofProduct, mean + room);
  gather(ofDy, channels, copies);
  gather(ofProduct, channels, copies);
  for (let c: usize = 0; c < channels; c++) {
    store<f32>(products + (c << 2), <f32>load<f64>(ofProduct + (c << 3)));
    store<f32>(sums + (c << 2), <f32>load<f64>(ofDy + (c << 3)));
  }
}

/** y = dy scale + x slope by column. */
export function blend(
  x: usize,
  dy: usize,
  scale: usize,
  slope: usize,
  y: usize,
  scratch: usize,
  rows: usize,
  channels: usize,
  copies: usize,
): void {
  const bytes = (channels * copies) << 2;
  const room = (bytes + 15) & ~15;
  const none = scratch;
  const wideScale = none + room;
  const wideSlope = wideScale + room;
  memory.fill(none, 0, room);
  memory.copy(wideScale, scale, channels << 2);
  memory.copy(wideSlope, slope, channels << 2);
  repeat(wideScale, channels, copies);
  repeat(wideSlope, channels, copies);
  spread(x, dy, y, rows / copies, bytes, none, wideScale, wideSlope, none);
}

/** Unbiased variance of the roots of `count` numbers, `stride` bytes from one to the next. */
function varianceOfRoots(at: usize, count: usize, stride: usize): f64 {
  let mean: f64 = 0;
  for (let i: usize = 0; i < count; i++) mean += sqrt<f64>(<f64>load<f32>(at + i * stride));
  mean /= <f64>count;
  let squares: f64 = 0;
  for (let i: usize = 0; i < count; i++) {
    const difference = sqrt<f64>(<f64>load<f32>(at + i * stride)) - mean;
    squares += difference * difference;
  }
  return squares / <f64>(count - 1);
}

/** The window of a forward pass: see UnifiedWindow in op.ts. */
export function forwardWindow(
  meanSquare: usize,
  runningVar: usize,
  squares: usize,
  square: usize,
  factor: usize,
  nextRunningVar: usize,
  nextSquares: usize,
  skip: usize,
  channels: usize,
  size: usize,
  epsilon: f32,
  momentum: f32,
  slot: usize,
  smooth: bool,
  filter: bool,
  byChannel: bool,
  rescale: bool,
  protect: bool,
): void {
  const bytes = channels << 2;
  const ownRow = nextSquares + slot * bytes;
  memory.copy(nextSquares, squares, size * bytes);
  memory.copy(ownRow, meanSquare, bytes);
  memory.copy(square, meanSquare, bytes);
  let outlier = false;
  if (size > 1 && (smooth || filter)) {
    let tau = filter && !byChannel ? varianceOfRoots(squares, size * channels, 4) : 0;
    for (let at: usize = 0; at < bytes; at += 4) {
      let sum: f64 = 0;
      let logs: f64 = 0;
      for (let i: usize = 0; i < size; i++) {
        const value = <f64>load<f32>(nextSquares + i * bytes + at);
        sum += value;
        logs += logarithm(max<f64>(value, 1e-30));
      }
      const geometric = exponential(logs / <f64>size);
      if (smooth) store<f32>(square + at, <f32>geometric);
      if (!filter) continue;
      if (byChannel) tau = varianceOfRoots(squares + at, size, bytes);
      if (sum / <f64>size - geometric > tau * <f64>size) outlier = true;
    }
  }
  if (outlier) {
    memory.copy(ownRow, runningVar, bytes);
    memory.copy(square, meanSquare, bytes);
  }
  store<f32>(skip, outlier ? 1 : 0);
  const alone = outlier || size == 1;
  for (let at: usize = 0; at < bytes; at += 4) {
    const running = load<f32>(runningVar + at);
    const chosen = load<f32>(square + at);
    const ratio = sqrt<f32>((chosen + epsilon) / (running + epsilon));
    store<f32>(factor + at, rescale && !alone ? withinFive(ratio) : 1);
    const entering = protect && outlier ? min<f32>(max<f32>(chosen, running * 0.25), running * 4) : chosen;
    store<f32>(nextRunningVar + at, running * momentum + entering * (1 - momentum));
  }
}

/** At least 1/5, at most 5. */
function withinFive(ratio: f32): f32 {
  return min<f32>(max<f32>(ratio, 0.2), 5);
}

/** The window of a backward pass: see UnifiedGradWindow in op.ts. */
export function backwardWindow(
  products: usize,
  square: usize,
  factor: usize,
  skip: usize,
  emaGz: usize,
  gradients: usize,
  gamma: usize,
  scale: usize,
  slope: usize,
  dgamma: usize,
  nextEmaGz: usize,
  nextGradients: usize,
  channels: usize,
  size: usize,
  epsilon: f32,
  momentum: f32,
  slot: usize,
  smooth: bool,
  alone: bool,
  count: f32,
): void {
  const bytes = channels << 2;
  const skipped = alone || load<f32>(skip) > 0;
  memory.copy(nextGradients, gradients, size * bytes);
  for (let at: usize = 0; at < bytes; at += 4) {
    const r: f32 = 1 / sqrt<f32>(load<f32>(square + at) + epsilon);
    const upstream = r * load<f32>(factor + at);
    const product = load<f32>(products + at) * upstream;
    const weight = load<f32>(gamma + at);
    const gz = (product * weight) / count;
    const before = load<f32>(emaGz + at);
    store<f32>(nextGradients + slot * bytes + at, skipped ? before : gz);
    let smoothed = gz;
    if (smooth && !skipped) {
      let sum: f64 = 0;
      for (let i: usize = 0; i < size; i++) sum += <f64>load<f32>(nextGradients + i * bytes + at);
      smoothed = <f32>(sum / <f64>size);
    }
    const next = before * momentum + smoothed * (1 - momentum);
    store<f32>(scale + at, upstream * weight);
    store<f32>(slope + at, -(skipped ? smoothed : next) * r * r);
    store<f32>(dgamma + at, product);
    store<f32>(nextEmaGz + at, next);
  }
}
