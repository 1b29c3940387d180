// EvoNorm-S of channels that stand last, a sample at a time: its channels' statistics in one sweep, pooled by group, then the result.
// A sample's `positions` of `channels` are handled as positions / copies rows of channels * copies columns.
import { accumulate, blockRows, gather, moments, pool, pooledMean, pooledSquares, repeat } from '../_columns.as';
import { min } from '../_simd.as';
import { magic, minusLog2e, outermost, power1, power2, power3, power4, power5, sigmoid } from '../_sigmoid.as';

export { fill } from '../_simd.as';
export * from '../_sigmoid.as';

/** The root of variance or mean square of a group, by what `pool` found. */
// @ts-ignore: decorator
@inline
function rootOf(count: usize, centred: bool, epsilon: f32): f32 {
  const square = pooledSquares / <f64>count;
  return sqrt<f32>(<f32>(centred ? square : square + pooledMean * pooledMean) + epsilon);
}

/** y = x sigmoid(v x) scale + shift by column. */
function activate(x: usize, y: usize, rows: usize, bytes: usize, v: usize, scale: usize, shift: usize): void {
  const one = f32x4.splat(1);
  const log2e = f32x4.splat(minusLog2e);
  const least = f32x4.splat(-outermost);
  const most = f32x4.splat(outermost);
  const round = f32x4.splat(magic);
  const c5 = f32x4.splat(power5);
  const c4 = f32x4.splat(power4);
  const c3 = f32x4.splat(power3);
  const c2 = f32x4.splat(power2);
  const c1 = f32x4.splat(power1);
  for (; rows > 0; rows--) {
    let i: usize = 0;
    for (; i + 16 <= bytes; i += 16) {
      const at = v128.load(x + i);
      const a = f32x4.mul(at, sigmoid(f32x4.mul(at, v128.load(v + i)), one, log2e, least, most, round, c5, c4, c3, c2, c1));
      v128.store(y + i, f32x4.add(f32x4.mul(a, v128.load(scale + i)), v128.load(shift + i)));
    }
    for (; i < bytes; i += 4) {
      const at = v128.load32_zero(x + i);
      const a = f32x4.mul(at, sigmoid(f32x4.mul(at, v128.load32_zero(v + i)), one, log2e, least, most, round, c5, c4, c3, c2, c1));
      store<f32>(y + i, f32x4.extract_lane(a, 0) * load<f32>(scale + i) + load<f32>(shift + i));
    }
    x += bytes;
    y += bytes;
  }
}

/** y = x sigmoid(v x) / root gamma + beta. */
export function forward(
  x: usize,
  gamma: usize,
  beta: usize,
  v: usize,
  y: usize,
  scratch: usize,
  samples: usize,
  positions: usize,
  channels: usize,
  groups: usize,
  copies: usize,
  epsilon: f32,
  centred: bool,
): void {
  const bytes = (channels * copies) << 2;
  const room = (bytes + 15) & ~15;
  const means = scratch;
  const squares = means + (room << 1);
  const shift = squares + (room << 1);
  const wideV = shift + room;
  const scale = wideV + room;
  const width = channels / groups;
  const tall = positions / copies;
  memory.copy(shift, beta, channels << 2);
  memory.copy(wideV, v, channels << 2);
  repeat(shift, channels, copies);
  repeat(wideV, channels, copies);
  for (; samples > 0; samples--) {
    // A block's sums need two rows: that of the scales is not in use yet, and the one behind it.
    moments(x, tall, bytes, means, squares, scale);
    for (let first: usize = 0; first < channels; first += width) {
      pool(means, squares, first, width, channels, copies, tall);
      const root = rootOf(positions * width, centred, epsilon);
      for (let at = first << 2; at < (first + width) << 2; at += 4) store<f32>(scale + at, load<f32>(gamma + at) / root);
    }
    repeat(scale, channels, copies);
    activate(x, y, tall, bytes, wideV, scale, shift);
    x += bytes * tall;
    y += bytes * tall;
  }
}

/** Sums of the columns of dy a, dy, and dy x a (1 - s) in a block, with s = sigmoid(v x) and a = x s. */
function blockSums(x: usize, dy: usize, rows: usize, bytes: usize, v: usize, ofA: usize, ofDy: usize, ofV: usize): void {
  const one = f32x4.splat(1);
  const log2e = f32x4.splat(minusLog2e);
  const least = f32x4.splat(-outermost);
  const most = f32x4.splat(outermost);
  const round = f32x4.splat(magic);
  const c5 = f32x4.splat(power5);
  const c4 = f32x4.splat(power4);
  const c3 = f32x4.splat(power3);
  const c2 = f32x4.splat(power2);
  const c1 = f32x4.splat(power1);
  const size = rows * bytes;
  const toDy = dy - x;
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) {
    const vs = v128.load(v + i);
    let p = f32x4.splat(0);
    let q = f32x4.splat(0);
    let r = f32x4.splat(0);
    const end = x + i + size;
    for (let at = x + i; at < end; at += bytes) {
      const xs = v128.load(at);
      const g = v128.load(at + toDy);
      const s = sigmoid(f32x4.mul(xs, vs), one, log2e, least, most, round, c5, c4, c3, c2, c1);
      const ga = f32x4.mul(g, f32x4.mul(xs, s));
      p = f32x4.add(p, ga);
      q = f32x4.add(q, g);
      r = f32x4.add(r, f32x4.mul(ga, f32x4.mul(xs, f32x4.sub(one, s))));
    }
    v128.store(ofA + i, p);
    v128.store(ofDy + i, q);
    v128.store(ofV + i, r);
  }
  for (; i < bytes; i += 4) {
    const vs = v128.load32_zero(v + i);
    let p = f32x4.splat(0);
    let q = f32x4.splat(0);
    let r = f32x4.splat(0);
    const end = x + i + size;
    for (let at = x + i; at < end; at += bytes) {
      const xs = v128.load32_zero(at);
      const g = v128.load32_zero(at + toDy);
      const s = sigmoid(f32x4.mul(xs, vs), one, log2e, least, most, round, c5, c4, c3, c2, c1);
      const ga = f32x4.mul(g, f32x4.mul(xs, s));
      p = f32x4.add(p, ga);
      q = f32x4.add(q, g);
      r = f32x4.add(r, f32x4.mul(ga, f32x4.mul(xs, f32x4.sub(one, s))));
    }
    v128.store32_lane(ofA + i, p, 0);
    v128.store32_lane(ofDy + i, q, 0);
    v128.store32_lane(ofV + i, r, 0);
  }
}

/** dx = dy scale s (1 + v x (1 - s)) + (x - mean) slope by column. */
function spread(
  x: usize,
  dy: usize,
  dx: usize,
  rows: usize,
  bytes: usize,
  v: usize,
  scale: usize,
  mean: usize,
  slope: usize,
): void {
  const one = f32x4.splat(1);
  const log2e = f32x4.splat(minusLog2e);
  const least = f32x4.splat(-outermost);
  const most = f32x4.splat(outermost);
  const round = f32x4.splat(magic);
  const c5 = f32x4.splat(power5);
  const c4 = f32x4.splat(power4);
  const c3 = f32x4.splat(power3);
  const c2 = f32x4.splat(power2);
  const c1 = f32x4.splat(power1);
  for (; rows > 0; rows--) {
    let i: usize = 0;
    for (; i + 16 <= bytes; i += 16) {
      const xs = v128.load(x + i);
      const t = f32x4.mul(xs, v128.load(v + i));
      const s = sigmoid(t, one, log2e, least, most, round, c5, c4, c3, c2, c1);
      const direct = f32x4.mul(s, f32x4.add(one, f32x4.mul(t, f32x4.sub(one, s))));
      const g = f32x4.mul(v128.load(dy + i), v128.load(scale + i));
      const through = f32x4.mul(f32x4.sub(xs, v128.load(mean + i)), v128.load(slope + i));
      v128.store(dx + i, f32x4.add(f32x4.mul(g, direct), through));
    }
    for (; i < bytes; i += 4) {
      const xs = v128.load32_zero(x + i);
      const t = f32x4.mul(xs, v128.load32_zero(v + i));
      const s = sigmoid(t, one, log2e, least, most, round, c5, c4, c3, c2, c1);
      const direct = f32x4.mul(s, f32x4.add(one, f32x4.mul(t, f32x4.sub(one, s))));
      const through = (load<f32>(x + i) - load<f32>(mean + i)) * load<f32>(slope + i);
      store<f32>(dx + i, load<f32>(dy + i) * load<f32>(scale + i) * f32x4.extract_lane(direct, 0) + through);
    }
    x += bytes;
    dy += bytes;
    dx += bytes;
  }
}

/** The gradients, as EvoNormSGrad has them. */
export function gradient(
  x: usize,
  dy: usize,
  gamma: usize,
  v: usize,
  dx: usize,
  dgamma: usize,
  dbeta: usize,
  dv: usize,
  scratch: usize,
  samples: usize,
  positions: usize,
  channels: usize,
  groups: usize,
  copies: usize,
  epsilon: f32,
  centred: bool,
): void {
  const bytes = (channels * copies) << 2;
  const room = (bytes + 15) & ~15;
  const ofA = scratch;
  const ofDy = ofA + (room << 1);
  const ofV = ofDy + (room << 1);
  const wideV = ofV + (room << 1);
  const mean = wideV + room;
  const scale = mean + room;
  const slope = scale + room;
  const block = slope + room;
  const totalGamma = block + 3 * room;
  const totalBeta = totalGamma + (channels << 3);
  const totalV = totalBeta + (channels << 3);
  // Once the moments are pooled, the sums take their place.
  const means = ofA;
  const squares = ofDy;
  const width = channels / groups;
  const tall = positions / copies;
  const most = blockRows(bytes << 1);
  memory.fill(totalGamma, 0, 24 * channels);
  memory.copy(wideV, v, channels << 2);
  repeat(wideV, channels, copies);
  for (; samples > 0; samples--) {
    moments(x, tall, bytes, means, squares, block);
    for (let first: usize = 0; first < channels; first += width) {
      pool(means, squares, first, width, channels, copies, tall);
      const root = rootOf(positions * width, centred, epsilon);
      const centre: f32 = centred ? <f32>pooledMean : 0;
      for (let at = first << 2; at < (first + width) << 2; at += 4) {
        store<f32>(mean + at, centre);
        store<f32>(scale + at, 1 / root);
      }
    }
    memory.fill(ofA, 0, 6 * room);
    for (let done: usize = 0; done < tall;) {
      const count = min(most, tall - done);
      blockSums(x + done * bytes, dy + done * bytes, count, bytes, wideV, block, block + room, block + (room << 1));
      accumulate(ofA, block, bytes);
      accumulate(ofDy, block + room, bytes);
      accumulate(ofV, block + (room << 1), bytes);
      done += count;
    }
    gather(ofA, channels, copies);
    gather(ofDy, channels, copies);
    gather(ofV, channels, copies);
    for (let first: usize = 0; first < channels; first += width) {
      const r = <f64>load<f32>(scale + (first << 2));
      let product: f64 = 0;
      for (let c = first; c < first + width; c++) {
        const factor = <f64>load<f32>(gamma + (c << 2)) * r;
        const wide = c << 3;
        product += factor * load<f64>(ofA + wide);
        store<f64>(totalGamma + wide, load<f64>(totalGamma + wide) + load<f64>(ofA + wide) * r);
        store<f64>(totalBeta + wide, load<f64>(totalBeta + wide) + load<f64>(ofDy + wide));
        store<f64>(totalV + wide, load<f64>(totalV + wide) + load<f64>(ofV + wide) * factor);
        store<f32>(scale + (c << 2), <f32>factor);
      }
      const through = <f32>((-product * r * r) / <f64>(positions * width));
      for (let at = first << 2; at < (first + width) << 2; at += 4) store<f32>(slope + at, through);
    }
    repeat(mean, channels, copies);
    repeat(scale, channels, copies);
    repeat(slope, channels, copies);
    spread(x, dy, dx, tall, bytes, wideV, scale, mean, slope);
    x += bytes * tall;
    dy += bytes * tall;
    dx += bytes * tall;
  }
  for (let c: usize = 0; c < channels; c++) {
    store<f32>(dgamma + (c << 2), <f32>load<f64>(totalGamma + (c << 3)));
    store<f32>(dbeta + (c << 2), <f32>load<f64>(totalBeta + (c << 3)));
    store<f32>(dv + (c << 2), <f32>load<f64>(totalV + (c << 3)));
  }
}
