// EvoNorm-B of channels that stand last. One sweep gives each sample's moments by channel, which merge into those of the batch.
// A sample's `positions` of `channels` are handled as positions / copies rows of channels * copies columns.
// R = slope x + offset by channel and sample: B0 v x + si, B1 qi x + qi, B2 -x + qi. `variant` is 0, 1 or 2.
import { accumulate, blockRows, gather, moments, pool, pooledMean, pooledSquares, repeat } from '../_columns.as';
import { min } from '../_simd.as';

export { fill } from '../_simd.as';

/** si or qi of a sample's channel, by what `pool` found. */
// @ts-ignore: decorator
@inline
function rootOf(positions: usize, variant: i32, epsilon: f32): f32 {
  const square = pooledSquares / <f64>positions;
  return sqrt<f32>(<f32>(variant === 0 ? square : square + pooledMean * pooledMean) + epsilon);
}

/** Slope and offset of R, by column. */
function lines(roots: usize, v: usize, slope: usize, offset: usize, channels: usize, copies: usize, variant: i32): void {
  for (let at: usize = 0; at < channels << 2; at += 4) {
    const root = load<f32>(roots + at);
    store<f32>(offset + at, root);
    store<f32>(slope + at, variant === 0 ? load<f32>(v + at) : variant === 1 ? root : -1);
  }
  repeat(offset, channels, copies);
  repeat(slope, channels, copies);
}

/** y = x / max(left, slope x + offset) scale + shift by column. */
function divide(
  x: usize,
  y: usize,
  rows: usize,
  bytes: usize,
  left: usize,
  slope: usize,
  offset: usize,
  scale: usize,
  shift: usize,
): void {
  for (; rows > 0; rows--) {
    let i: usize = 0;
    for (; i + 16 <= bytes; i += 16) {
      const at = v128.load(x + i);
      const right = f32x4.add(f32x4.mul(at, v128.load(slope + i)), v128.load(offset + i));
      const z = f32x4.div(at, f32x4.max(v128.load(left + i), right));
      v128.store(y + i, f32x4.add(f32x4.mul(z, v128.load(scale + i)), v128.load(shift + i)));
    }
    for (; i < bytes; i += 4) {
      const at = load<f32>(x + i);
      const z = at / max<f32>(load<f32>(left + i), at * load<f32>(slope + i) + load<f32>(offset + i));
      store<f32>(y + i, z * load<f32>(scale + i) + load<f32>(shift + i));
    }
    x += bytes;
    y += bytes;
  }
}

/** sqrt(variance + epsilon), gamma and beta by column. */
function prepare(
  variance: usize,
  gamma: usize,
  beta: usize,
  left: usize,
  scale: usize,
  shift: usize,
  channels: usize,
  copies: usize,
  epsilon: f32,
): void {
  for (let at: usize = 0; at < channels << 2; at += 4) store<f32>(left + at, sqrt<f32>(load<f32>(variance + at) + epsilon));
  memory.copy(scale, gamma, channels << 2);
  memory.copy(shift, beta, channels << 2);
  repeat(left, channels, copies);
  repeat(scale, channels, copies);
  repeat(shift, channels, copies);
}

/** y = x / max(L, R) gamma + beta with the batch's own variance, which comes out. */
export function forward(
  x: usize,
  gamma: usize,
  beta: usize,
  v: usize,
  y: usize,
  variance: usize,
  scratch: usize,
  samples: usize,
  positions: usize,
  channels: usize,
  copies: usize,
  epsilon: f32,
  variant: i32,
): void {
  const bytes = (channels * copies) << 2;
  const room = (bytes + 15) & ~15;
  const means = scratch;
  const squares = means + (room << 1);
  const left = squares + (room << 1);
  const scale = left + room;
  const shift = scale + room;
  const slope = shift + room;
  const offset = slope + room;
  const batchMean = offset + room;
  const batchSquares = batchMean + (channels << 3);
  const roots = batchSquares + (channels << 3);
  const tall = positions / copies;
  const size = bytes * tall;
  memory.fill(batchMean, 0, channels << 4);
  for (let sample: usize = 0; sample < samples; sample++) {
    // The columns of float32 are not in use yet: room for a block's sums.
    moments(x + sample * size, tall, bytes, means, squares, left);
    const before = <f64>sample;
    for (let c: usize = 0; c < channels; c++) {
      pool(means, squares, c, 1, channels, copies, tall);
      store<f32>(roots + ((sample * channels + c) << 2), rootOf(positions, variant, epsilon));
      // Chan's merge of as many values as each sample before has had.
      const wide = c << 3;
      const mean = load<f64>(batchMean + wide);
      const delta = pooledMean - mean;
      store<f64>(batchMean + wide, mean + delta / (before + 1));
      const between = (delta * delta * <f64>positions * before) / (before + 1);
      store<f64>(batchSquares + wide, load<f64>(batchSquares + wide) + pooledSquares + between);
    }
  }
  const n = <f64>(samples * positions);
  for (let c: usize = 0; c < channels; c++) store<f32>(variance + (c << 2), <f32>(load<f64>(batchSquares + (c << 3)) / n));
  prepare(variance, gamma, beta, left, scale, shift, channels, copies, epsilon);
  for (let sample: usize = 0; sample < samples; sample++) {
    lines(roots + ((sample * channels) << 2), v, slope, offset, channels, copies, variant);
    divide(x + sample * size, y + sample * size, tall, bytes, left, slope, offset, scale, shift);
  }
}

/** y = x / max(L, R) gamma + beta with a given variance. */
export function inference(
  x: usize,
  variance: usize,
  gamma: usize,
  beta: usize,
  v: usize,
  y: usize,
  scratch: usize,
  samples: usize,
  positions: usize,
  channels: usize,
  copies: usize,
  epsilon: f32,
  variant: i32,
): void {
  const bytes = (channels * copies) << 2;
  const room = (bytes + 15) & ~15;
  const means = scratch;
  const squares = means + (room << 1);
  const left = squares + (room << 1);
  const scale = left + room;
  const shift = scale + room;
  const slope = shift + room;
  const offset = slope + room;
  const roots = offset + room;
  const tall = positions / copies;
  prepare(variance, gamma, beta, left, scale, shift, channels, copies, epsilon);
  for (; samples > 0; samples--) {
    moments(x, tall, bytes, means, squares, slope);
    for (let c: usize = 0; c < channels; c++) {
      pool(means, squares, c, 1, channels, copies, tall);
      store<f32>(roots + (c << 2), rootOf(positions, variant, epsilon));
    }
    lines(roots, v, slope, offset, channels, copies, variant);
    divide(x, y, tall, bytes, left, slope, offset, scale, shift);
    x += bytes * tall;
    y += bytes * tall;
  }
}

/**
 * Sums of the columns in a block, five rows of `room` bytes: dy, dy z, and with e = -dy z / max(L, R) that of e where it is L's, of e where
 * it is R's, and of e x there.
 */
function blockSums(
  x: usize,
  dy: usize,
  rows: usize,
  bytes: usize,
  left: usize,
  slope: usize,
  offset: usize,
  sums: usize,
  room: usize,
): void {
  const size = rows * bytes;
  const toDy = dy - x;
  const one = f32x4.splat(1);
  let i: usize = 0;
  while (i < bytes) {
    const whole = i + 16 <= bytes;
    const l = whole ? v128.load(left + i) : v128.load32_splat(left + i);
    const m = whole ? v128.load(slope + i) : v128.load32_splat(slope + i);
    const o = whole ? v128.load(offset + i) : v128.load32_splat(offset + i);
    let ofDy = f32x4.splat(0);
    let ofProduct = f32x4.splat(0);
    let ofLeft = f32x4.splat(0);
    let ofRight = f32x4.splat(0);
    let ofX = f32x4.splat(0);
    const end = x + i + size;
    for (let at = x + i; at < end; at += bytes) {
      const xs = whole ? v128.load(at) : v128.load32_splat(at);
      const g = whole ? v128.load(at + toDy) : v128.load32_splat(at + toDy);
      const right = f32x4.add(f32x4.mul(xs, m), o);
      const inverse = f32x4.div(one, f32x4.max(l, right));
      const product = f32x4.mul(g, f32x4.mul(xs, inverse));
      const e = f32x4.mul(product, inverse);
      // A product, so that NaN goes to both.
      const onLeft = f32x4.mul(e, v128.and(one, f32x4.ge(l, right)));
      const onRight = f32x4.sub(e, onLeft);
      ofDy = f32x4.add(ofDy, g);
      ofProduct = f32x4.add(ofProduct, product);
      ofLeft = f32x4.sub(ofLeft, onLeft);
      ofRight = f32x4.sub(ofRight, onRight);
      ofX = f32x4.sub(ofX, f32x4.mul(onRight, xs));
    }
    const to = sums + i;
    if (whole) {
      v128.store(to, ofDy);
      v128.store(to + room, ofProduct);
      v128.store(to + 2 * room, ofLeft);
      v128.store(to + 3 * room, ofRight);
      v128.store(to + 4 * room, ofX);
      i += 16;
    } else {
      v128.store32_lane(to, ofDy, 0);
      v128.store32_lane(to + room, ofProduct, 0);
      v128.store32_lane(to + 2 * room, ofLeft, 0);
      v128.store32_lane(to + 3 * room, ofRight, 0);
      v128.store32_lane(to + 4 * room, ofX, 0);
      i += 4;
    }
  }
}

/** dx = t - (t z slope where R is larger) + (x - centre) linear + constant by column, with t = dy scale / max(L, R). */
function spread(
  x: usize,
  dy: usize,
  dx: usize,
  rows: usize,
  bytes: usize,
  left: usize,
  slope: usize,
  offset: usize,
  scale: usize,
  centre: usize,
  linear: usize,
  constant: usize,
): void {
  const one = f32x4.splat(1);
  for (; rows > 0; rows--) {
    let i: usize = 0;
    while (i < bytes) {
      const whole = i + 16 <= bytes;
      const xs = whole ? v128.load(x + i) : v128.load32_splat(x + i);
      const l = whole ? v128.load(left + i) : v128.load32_splat(left + i);
      const m = whole ? v128.load(slope + i) : v128.load32_splat(slope + i);
      const right = f32x4.add(f32x4.mul(xs, m), whole ? v128.load(offset + i) : v128.load32_splat(offset + i));
      const inverse = f32x4.div(one, f32x4.max(l, right));
      const g = f32x4.mul(
        whole ? v128.load(dy + i) : v128.load32_splat(dy + i),
        whole ? v128.load(scale + i) : v128.load32_splat(scale + i),
      );
      const t = f32x4.mul(g, inverse);
      const through = v128.andnot(f32x4.mul(f32x4.mul(t, f32x4.mul(xs, inverse)), m), f32x4.ge(l, right));
      const centred = f32x4.sub(xs, whole ? v128.load(centre + i) : v128.load32_splat(centre + i));
      const rest = f32x4.add(
        f32x4.mul(centred, whole ? v128.load(linear + i) : v128.load32_splat(linear + i)),
        whole ? v128.load(constant + i) : v128.load32_splat(constant + i),
      );
      const d = f32x4.add(f32x4.sub(t, through), rest);
      if (whole) {
        v128.store(dx + i, d);
        i += 16;
      } else {
        v128.store32_lane(dx + i, d, 0);
        i += 4;
      }
    }
    x += bytes;
    dy += bytes;
    dx += bytes;
  }
}

/**
 * The gradients, as EvoNormBGrad and EvoNormBInferenceGrad have them. The one in training reads `dvariance`, and `found` is 0; the other
 * writes `found`, and `dvariance` is 0.
 */
export function gradient(
  x: usize,
  dy: usize,
  variance: usize,
  dvariance: usize,
  gamma: usize,
  v: usize,
  dx: usize,
  dgamma: usize,
  dbeta: usize,
  dv: usize,
  found: usize,
  scratch: usize,
  samples: usize,
  positions: usize,
  channels: usize,
  copies: usize,
  epsilon: f32,
  variant: i32,
): void {
  const bytes = (channels * copies) << 2;
  const room = (bytes + 15) & ~15;
  // Five rows of float64; before them, the moments stand there.
  const sums = scratch;
  const means = sums;
  const squares = means + (room << 1);
  const block = sums + 10 * room;
  const left = block + 5 * room;
  const scale = left + room;
  const slope = scale + room;
  const offset = slope + room;
  const centre = offset + room;
  const linear = centre + room;
  const constant = linear + room;
  // dbeta, dgamma, that of L, dv, mean of the batch
  const totals = constant + room;
  const wide = channels << 3;
  const narrow = channels << 2;
  const batchMean = totals + 4 * wide;
  const roots = totals + 5 * wide;
  const ownMeans = roots + samples * narrow;
  const throughRoots = ownMeans + samples * narrow;
  const tall = positions / copies;
  const size = bytes * tall;
  const most = blockRows(bytes << 1);
  memory.fill(totals, 0, 5 * wide);
  // The shift is not needed: the last row takes it.
  prepare(variance, gamma, gamma, left, scale, constant, channels, copies, epsilon);

  for (let sample: usize = 0; sample < samples; sample++) {
    const own = sample * narrow;
    const from = x + sample * size;
    const fromDy = dy + sample * size;
    moments(from, tall, bytes, means, squares, block);
    for (let c: usize = 0; c < channels; c++) {
      pool(means, squares, c, 1, channels, copies, tall);
      store<f32>(roots + own + (c << 2), rootOf(positions, variant, epsilon));
      store<f32>(ownMeans + own + (c << 2), <f32>pooledMean);
      store<f64>(batchMean + (c << 3), load<f64>(batchMean + (c << 3)) + pooledMean / <f64>samples);
    }
    lines(roots + own, v, slope, offset, channels, copies, variant);
    memory.fill(sums, 0, 10 * room);
    for (let done: usize = 0; done < tall;) {
      const count = min(most, tall - done);
      blockSums(from + done * bytes, fromDy + done * bytes, count, bytes, left, slope, offset, block, room);
      for (let k: usize = 0; k < 5; k++) accumulate(sums + 2 * k * room, block + k * room, bytes);
      done += count;
    }
    for (let k: usize = 0; k < 5; k++) gather(sums + 2 * k * room, channels, copies);
    for (let c: usize = 0; c < channels; c++) {
      const at = sums + (c << 3);
      const ofRight = load<f64>(at + 6 * room);
      const ofX = load<f64>(at + 8 * room);
      const total = totals + (c << 3);
      store<f64>(total, load<f64>(total) + load<f64>(at));
      store<f64>(total + wide, load<f64>(total + wide) + load<f64>(at + 2 * room));
      store<f64>(total + 2 * wide, load<f64>(total + 2 * wide) + load<f64>(at + 4 * room));
      store<f64>(total + 3 * wide, load<f64>(total + 3 * wide) + ofX);
      const ofRoot = <f64>load<f32>(gamma + (c << 2)) * (variant === 1 ? ofRight + ofX : ofRight);
      const root = <f64>load<f32>(roots + own + (c << 2));
      store<f32>(throughRoots + own + (c << 2), <f32>(ofRoot / (root * <f64>positions)));
    }
  }

  // By channel, through the variance: what (x - mean of the batch) is multiplied by.
  for (let c: usize = 0; c < channels; c++) {
    const at = c << 2;
    const total = totals + (c << 3);
    const factor = <f64>load<f32>(gamma + at);
    store<f32>(dbeta + at, <f32>load<f64>(total));
    store<f32>(dgamma + at, <f32>load<f64>(total + wide));
    store<f32>(dv + at, variant === 0 ? <f32>(factor * load<f64>(total + 3 * wide)) : 0);
    const ofVariance = (factor * load<f64>(total + 2 * wide)) / (2 * <f64>load<f32>(left + at));
    let throughVariance: f64 = 0;
    if (found !== 0) store<f32>(found + at, <f32>ofVariance);
    else throughVariance = (2 * (<f64>load<f32>(dvariance + at) + ofVariance)) / <f64>(samples * positions);
    store<f64>(total, throughVariance);
  }
  for (let sample: usize = 0; sample < samples; sample++) {
    const own = sample * narrow;
    lines(roots + own, v, slope, offset, channels, copies, variant);
    for (let c: usize = 0; c < channels; c++) {
      const at = c << 2;
      const ownMean = load<f32>(ownMeans + own + at);
      // In inference nothing goes to other samples, NaN neither.
      const mean = found !== 0 ? <f64>ownMean : load<f64>(batchMean + (c << 3));
      const throughVariance = load<f64>(totals + (c << 3));
      const throughRoot = load<f32>(throughRoots + own + at);
      store<f32>(linear + at, <f32>throughVariance + throughRoot);
      if (variant === 0) {
        store<f32>(centre + at, ownMean);
        store<f32>(constant + at, <f32>((<f64>ownMean - mean) * throughVariance));
      } else {
        store<f32>(centre + at, <f32>mean);
        store<f32>(constant + at, <f32>(mean * <f64>throughRoot));
      }
    }
    repeat(centre, channels, copies);
    repeat(linear, channels, copies);
    repeat(constant, channels, copies);
    spread(
      x + sample * size,
      dy + sample * size,
      dx + sample * size,
      tall,
      bytes,
      left,
      slope,
      offset,
      scale,
      centre,
      linear,
      constant,
    );
  }
}
