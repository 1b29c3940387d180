// PowerNorm: `rows` tokens of `channels`, a block of them at a time. The block's statistics are taken and the block is normalized while it is
// in the caches: memory is read once, but where the batch's own statistic normalizes.
import { blockRows, blockScale, blockScaleAndSquares, blockSquares, countedRows, groupFactors, MOST_ROWS } from '../_mean-squares.as';
import { squaresOf } from '../_rows.as';
import { flush, lanes, min } from '../_simd.as';

export { fill } from '../_simd.as';

// @ts-ignore: decorator
@inline
function max(a: usize, b: usize): usize {
  return a > b ? a : b;
}

/** scale = gamma / sqrt(phi + epsilon) */
function scales(phi: usize, gamma: usize, scale: usize, bytes: usize, epsilon: f32): void {
  for (let at: usize = 0; at < bytes; at += 4) store<f32>(scale + at, load<f32>(gamma + at) / sqrt<f32>(load<f32>(phi + at) + epsilon));
}

/** y = gamma xs / sqrt(phi + epsilon) + beta with a given phi. `factors`: room for those of a block. */
export function inference(
  x: usize,
  phi: usize,
  gamma: usize,
  beta: usize,
  y: usize,
  scale: usize,
  factors: usize,
  rows: usize,
  channels: usize,
  groups: usize,
  epsilon: f32,
): void {
  const bytes = channels << 2;
  const most = blockRows(bytes << 1);
  scales(phi, gamma, scale, bytes, epsilon);
  while (rows > 0) {
    const count = min(most, rows);
    groupFactors(x, count, bytes, groups, epsilon, factors);
    blockScale(x, y, count, bytes, max(groups, 1), factors, scale, beta);
    x += count * bytes;
    y += count * bytes;
    rows -= count;
  }
}

/**
 * y as above with the running phi, or with the batch's own (`batch`), which comes out. `scratch` has room for an array of columns of
 * float64, two of float32, the factors of a block and a word for each of its rows.
 */
export function forward(
  x: usize,
  runningPhi: usize,
  gamma: usize,
  beta: usize,
  mask: usize,
  y: usize,
  phi: usize,
  scratch: usize,
  rows: usize,
  channels: usize,
  groups: usize,
  epsilon: f32,
  batch: bool,
): void {
  const bytes = channels << 2;
  const parts = max(groups, 1);
  const totals = scratch;
  const scale = totals + (bytes << 1);
  const sums = scale + bytes;
  const counted = sums + bytes;
  const factors = counted + (MOST_ROWS << 2);
  const most = blockRows(bytes << 1);
  memory.fill(totals, 0, bytes << 1);
  memory.fill(sums, 0, bytes);
  if (!batch) scales(runningPhi, gamma, scale, bytes, epsilon);
  let kept: usize = 0;
  let summed: usize = 0;
  for (let done: usize = 0; done < rows;) {
    const count = min(most, rows - done);
    const from = x + done * bytes;
    kept += countedRows(mask == 0 ? 0 : mask + (done << 2), count, counted);
    groupFactors(from, count, bytes, groups, epsilon, factors);
    if (batch) blockSquares(from, count, bytes, parts, factors, counted, sums);
    else blockScaleAndSquares(from, y + done * bytes, count, bytes, parts, factors, counted, scale, beta, sums);
    done += count;
    summed += count;
    if (summed >= MOST_ROWS || done == rows) {
      flush(sums, totals, bytes);
      summed = 0;
    }
  }
  for (let at: usize = 0; at < bytes; at += 4) {
    store<f32>(phi + at, kept == 0 ? load<f32>(runningPhi + at) : <f32>(load<f64>(totals + (at << 1)) / <f64>kept));
  }
  if (batch) inference(x, phi, gamma, beta, y, scale, factors, rows, channels, groups, epsilon);
}

/**
 * With xs = x s and dxs = dy a - xs b: s of a row's groups, and m = mean(dxs xs) of each. The gradient through a group's scale is
 * s (dxs - xs m). Of `groups` 0, s = 1 and m = 0.
 */
function rowFactors(
  x: usize,
  dy: usize,
  rows: usize,
  bytes: usize,
  groups: usize,
  epsilon: f32,
  a: usize,
  b: usize,
  factors: usize,
  means: usize,
): void {
  if (groups == 0) {
    for (let row: usize = 0; row < rows; row++) {
      store<f32>(factors + (row << 2), 1);
      store<f32>(means + (row << 2), 0);
    }
    return;
  }
  const part = bytes / groups;
  const n = <f64>(part >> 2);
  for (; rows > 0; rows--) {
    let i: usize = 0;
    for (let group: usize = 0; group < groups; group++) {
      const square = <f32>(squaresOf(x + i, part, 0) / n);
      const s: f32 = 1 / sqrt<f32>(square + epsilon);
      const factor = f32x4.splat(s);
      let sum = f32x4.splat(0);
      const end = i + part;
      for (; i + 16 <= end; i += 16) {
        const xs = f32x4.mul(v128.load(x + i), factor);
        const dxs = f32x4.sub(f32x4.mul(v128.load(dy + i), v128.load(a + i)), f32x4.mul(xs, v128.load(b + i)));
        sum = f32x4.add(sum, f32x4.mul(dxs, xs));
      }
      let total = <f64>lanes(sum);
      for (; i < end; i += 4) {
        const xs = load<f32>(x + i) * s;
        total += <f64>((load<f32>(dy + i) * load<f32>(a + i) - xs * load<f32>(b + i)) * xs);
      }
      store<f32>(factors, s);
      store<f32>(means, <f32>(total / n));
      factors += 4;
      means += 4;
    }
    x += bytes;
    dy += bytes;
  }
}

/** dx of a block of rows; adds up by column dy xs, dy, and, over rows that count, dxs xs. */
function blockGradient(
  x: usize,
  dy: usize,
  dx: usize,
  rows: usize,
  bytes: usize,
  groups: usize,
  a: usize,
  b: usize,
  factors: usize,
  means: usize,
  counted: usize,
  ofProduct: usize,
  ofDy: usize,
  ofStep: usize,
): void {
  const part = bytes / groups;
  const stride = groups << 2;
  const toDy = dy - x;
  const toDx = dx - x;
  const toMean = means - factors;
  for (let group: usize = 0; group < groups; group++) {
    let i = group * part;
    const end = i + part;
    for (; i + 16 <= end; i += 16) {
      const scale = v128.load(a + i);
      const slope = v128.load(b + i);
      let product = v128.load(ofProduct + i);
      let sum = v128.load(ofDy + i);
      let step = v128.load(ofStep + i);
      let at = x + i;
      let f = factors + (group << 2);
      for (let row: usize = 0; row < rows; row++) {
        const s = v128.load32_splat(f);
        const g = v128.load(at + toDy);
        const xs = f32x4.mul(v128.load(at), s);
        const dxs = f32x4.sub(f32x4.mul(g, scale), f32x4.mul(xs, slope));
        v128.store(at + toDx, f32x4.mul(s, f32x4.sub(dxs, f32x4.mul(xs, v128.load32_splat(f + toMean)))));
        product = f32x4.add(product, f32x4.mul(g, xs));
        sum = f32x4.add(sum, g);
        step = f32x4.add(step, v128.and(f32x4.mul(dxs, xs), v128.load32_splat(counted + (row << 2))));
        at += bytes;
        f += stride;
      }
      v128.store(ofProduct + i, product);
      v128.store(ofDy + i, sum);
      v128.store(ofStep + i, step);
    }
    for (; i < end; i += 4) {
      const scale = load<f32>(a + i);
      const slope = load<f32>(b + i);
      let product = load<f32>(ofProduct + i);
      let sum = load<f32>(ofDy + i);
      let step = load<f32>(ofStep + i);
      let at = x + i;
      let f = factors + (group << 2);
      for (let row: usize = 0; row < rows; row++) {
        const s = load<f32>(f);
        const g = load<f32>(at + toDy);
        const xs = load<f32>(at) * s;
        const dxs = g * scale - xs * slope;
        store<f32>(at + toDx, s * (dxs - xs * load<f32>(f + toMean)));
        product += g * xs;
        sum += g;
        if (load<i32>(counted + (row << 2)) != 0) step += dxs * xs;
        at += bytes;
        f += stride;
      }
      store<f32>(ofProduct + i, product);
      store<f32>(ofDy + i, sum);
      store<f32>(ofStep + i, step);
    }
  }
}

/**
 * With z = xs / sqrt(forwardPhi + epsilon) and a = dy gamma - (1 - alpha) emaGz z: the gradient of xs is a / sqrt(backwardPhi + epsilon), and
 * the step of emaGz the mean of a z. `scratch` has room for three arrays of columns of float64, five of float32, twice the factors of a block
 * and a word for each of its rows.
 */
export function gradient(
  x: usize,
  dy: usize,
  forwardPhi: usize,
  backwardPhi: usize,
  emaGz: usize,
  gamma: usize,
  mask: usize,
  dx: usize,
  dgamma: usize,
  dbeta: usize,
  emaGzStep: usize,
  scratch: usize,
  rows: usize,
  channels: usize,
  groups: usize,
  epsilon: f32,
  alphaBackward: f32,
): void {
  const bytes = channels << 2;
  const parts = max(groups, 1);
  const totals = scratch;
  const sums = totals + 6 * bytes;
  const a = sums + 3 * bytes;
  const b = a + bytes;
  const counted = b + bytes;
  const factors = counted + (MOST_ROWS << 2);
  const means = factors + ((MOST_ROWS * parts) << 2);
  const most = blockRows(3 * bytes);
  memory.fill(totals, 0, 6 * bytes);
  memory.fill(sums, 0, 3 * bytes);
  for (let at: usize = 0; at < bytes; at += 4) {
    const r: f32 = 1 / sqrt<f32>(load<f32>(backwardPhi + at) + epsilon);
    store<f32>(a + at, load<f32>(gamma + at) * r);
    store<f32>(b + at, ((1 - alphaBackward) * load<f32>(emaGz + at) * r) / sqrt<f32>(load<f32>(forwardPhi + at) + epsilon));
  }
  let kept: usize = 0;
  let summed: usize = 0;
  for (let done: usize = 0; done < rows;) {
    const count = min(most, rows - done);
    const from = done * bytes;
    kept += countedRows(mask == 0 ? 0 : mask + (done << 2), count, counted);
    rowFactors(x + from, dy + from, count, bytes, groups, epsilon, a, b, factors, means);
    const ofDy = sums + bytes;
    const ofStep = ofDy + bytes;
    blockGradient(x + from, dy + from, dx + from, count, bytes, parts, a, b, factors, means, counted, sums, ofDy, ofStep);
    done += count;
    summed += count;
    if (summed >= MOST_ROWS || done == rows) {
      flush(sums, totals, 3 * bytes);
      summed = 0;
    }
  }
  for (let at: usize = 0; at < bytes; at += 4) {
    const total = totals + (at << 1);
    const toZ = 1 / sqrt<f64>(<f64>(load<f32>(forwardPhi + at) + epsilon));
    const toA = sqrt<f64>(<f64>(load<f32>(backwardPhi + at) + epsilon));
    store<f32>(dgamma + at, <f32>(load<f64>(total) * toZ));
    store<f32>(dbeta + at, <f32>load<f64>(total + (bytes << 1)));
    store<f32>(emaGzStep + at, kept == 0 ? 0 : <f32>((load<f64>(total + (bytes << 2)) * toA * toZ) / <f64>kept));
  }
}
