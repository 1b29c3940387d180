// UnMix-TNS of channels that stand last, an image at a time: its statistics in one sweep, its assignment to the components, its mixture, the
// result. What there is of each component and channel is summed over components in registers, four channels at a time.
// An image's `positions` of `channels` are handled as positions / copies rows of channels * copies columns.
import { affine, gather, gradientSums, moments, pool, pooledMean, pooledSquares, repeat, spread } from '../_columns.as';
import { exponential } from '../_logarithm.as';

export { fill } from '../_simd.as';

/** Vectors shorter than this have no direction. */
const SHORTEST: f64 = 1e-12;

// @ts-ignore: decorator
@inline
function finite(value: f32): bool {
  return value - value == 0;
}

function product(a: usize, b: usize, width: usize): f64 {
  let sum: f64 = 0;
  for (let i: usize = 0; i < width; i += 4) sum += <f64>load<f32>(a + i) * <f64>load<f32>(b + i);
  return sum;
}

// @ts-ignore: decorator
@inline
function length(vector: usize, width: usize): f64 {
  const norm = sqrt(product(vector, vector, width));
  return norm < SHORTEST ? SHORTEST : norm;
}

/** row = softmax of the cosines between an image's mean and the components', over the temperature. */
function assign(
  own: usize,
  means: usize,
  lengths: usize,
  scores: usize,
  row: usize,
  components: usize,
  width: usize,
  temperature: f64,
): void {
  const norm = length(own, width);
  let largest: f64 = -Infinity;
  for (let k: usize = 0; k < components; k++) {
    const cosine = product(own, means + k * width, width) / (norm * load<f64>(lengths + (k << 3)));
    const score = cosine / temperature;
    store<f64>(scores + (k << 3), score);
    if (score > largest) largest = score;
  }
  let sum: f64 = 0;
  for (let k: usize = 0; k < components; k++) {
    const at = scores + (k << 3);
    const share = exponential(load<f64>(at) - largest);
    store<f64>(at, share);
    sum += share;
  }
  for (let k: usize = 0; k < components; k++) store<f32>(row + (k << 2), <f32>(load<f64>(scores + (k << 3)) / sum));
}

/** From an image's own mean and variance: the mean and variance of its mixture, and d variance / d own mean. */
function mix(
  own: usize,
  ownVariance: usize,
  means: usize,
  variances: usize,
  row: usize,
  center: usize,
  variance: usize,
  slope: usize,
  components: usize,
  width: usize,
  exact: f32,
): void {
  const end = row + (components << 2);
  const part: f32 = 1 / <f32>components;
  const parts = f32x4.splat(part);
  const one = f32x4.splat(1);
  const exacts = f32x4.splat(exact);
  let i: usize = 0;
  for (; i + 16 <= width; i += 16) {
    const mu = v128.load(own + i);
    const s = v128.load(ownVariance + i);
    let offset = f32x4.splat(0);
    let within = f32x4.splat(0);
    let at = i;
    for (let r = row; r < end; r += 4) {
      const p = v128.load32_splat(r);
      const away = f32x4.sub(v128.load(means + at), mu);
      const distance = f32x4.mul(f32x4.sub(one, p), away);
      const v = v128.load(variances + at);
      const between = f32x4.mul(f32x4.mul(p, distance), away);
      offset = f32x4.add(offset, distance);
      within = f32x4.add(within, f32x4.add(f32x4.add(v, f32x4.mul(p, f32x4.sub(s, v))), f32x4.mul(between, exacts)));
      at += width;
    }
    offset = f32x4.mul(offset, parts);
    let pull = f32x4.splat(0);
    at = i;
    for (let r = row; r < end; r += 4) {
      const p = v128.load32_splat(r);
      const distance = f32x4.mul(f32x4.sub(one, p), f32x4.sub(v128.load(means + at), mu));
      const t = f32x4.sub(distance, offset);
      within = f32x4.add(within, f32x4.mul(t, t));
      pull = f32x4.add(pull, f32x4.mul(p, f32x4.sub(t, f32x4.mul(distance, exacts))));
      at += width;
    }
    v128.store(center + i, f32x4.add(mu, offset));
    v128.store(variance + i, f32x4.mul(within, parts));
    v128.store(slope + i, f32x4.mul(f32x4.add(pull, pull), parts));
  }
  for (; i < width; i += 4) {
    const mu = load<f32>(own + i);
    const s = load<f32>(ownVariance + i);
    let offset: f32 = 0;
    let within: f32 = 0;
    let at = i;
    for (let r = row; r < end; r += 4) {
      const p = load<f32>(r);
      const away = load<f32>(means + at) - mu;
      const distance = (<f32>1 - p) * away;
      const v = load<f32>(variances + at);
      offset += distance;
      within += v + p * (s - v) + p * distance * away * exact;
      at += width;
    }
    offset *= part;
    let pull: f32 = 0;
    at = i;
    for (let r = row; r < end; r += 4) {
      const p = load<f32>(r);
      const distance = (<f32>1 - p) * (load<f32>(means + at) - mu);
      const t = distance - offset;
      within += t * t;
      pull += p * (t - distance * exact);
      at += width;
    }
    store<f32>(center + i, mu + offset);
    store<f32>(variance + i, within * part);
    store<f32>(slope + i, (pull + pull) * part);
  }
}

/** sums += p (own - bank) for each component. */
function collect(own: usize, bank: usize, row: usize, sums: usize, components: usize, width: usize): void {
  for (let k: usize = 0; k < components; k++) {
    const p = load<f32>(row + (k << 2));
    const ps = f32x4.splat(p);
    let i: usize = 0;
    for (; i + 16 <= width; i += 16) {
      const step = f32x4.mul(ps, f32x4.sub(v128.load(own + i), v128.load(bank + i)));
      v128.store(sums + i, f32x4.add(v128.load(sums + i), step));
    }
    for (; i < width; i += 4) store<f32>(sums + i, load<f32>(sums + i) + p * (load<f32>(own + i) - load<f32>(bank + i)));
    bank += width;
    sums += width;
  }
}

function multiply(values: usize, size: usize, factor: f32): void {
  for (let i: usize = 0; i < size; i += 4) store<f32>(values + i, load<f32>(values + i) * factor);
}

/** `share`: of what the components move by. */
export function forward(
  x: usize,
  means: usize,
  variances: usize,
  gamma: usize,
  beta: usize,
  y: usize,
  meansStep: usize,
  variancesStep: usize,
  assignment: usize,
  statistics: usize,
  skipped: usize,
  scratch: usize,
  samples: usize,
  positions: usize,
  channels: usize,
  copies: usize,
  components: usize,
  epsilon: f32,
  temperature: f64,
  share: f64,
  exact: f32,
): void {
  const width = channels << 2;
  const bytes = width * copies;
  const room = (bytes + 15) & ~15;
  const columnMeans = scratch;
  const columnSquares = columnMeans + (room << 1);
  const wideMean = columnSquares + (room << 1);
  const scale = wideMean + room;
  const shift = scale + room;
  const ownVariance = shift + room;
  const lengths = ownVariance + room;
  const scores = lengths + (components << 3);
  const tall = positions / copies;
  const bank = components * width;
  memory.copy(shift, beta, width);
  repeat(shift, channels, copies);
  memory.fill(meansStep, 0, bank);
  memory.fill(variancesStep, 0, bank);
  for (let k: usize = 0; k < components; k++) store<f64>(lengths + (k << 3), length(means + k * width, width));
  let counted: usize = 0;
  for (let sample: usize = 0; sample < samples; sample++) {
    const own = statistics;
    const center = own + width;
    const variance = center + width;
    // The columns of float32 are not in use yet: room for a block's sums.
    moments(x, tall, bytes, columnMeans, columnSquares, wideMean);
    let counts = true;
    for (let c: usize = 0; c < channels; c++) {
      pool(columnMeans, columnSquares, c, 1, channels, copies, tall);
      const mu = <f32>pooledMean;
      const s = <f32>(pooledSquares / <f64>positions);
      store<f32>(own + (c << 2), mu);
      store<f32>(ownVariance + (c << 2), s);
      counts = counts && finite(mu) && finite(s);
    }
    assign(own, means, lengths, scores, assignment, components, width, temperature);
    mix(own, ownVariance, means, variances, assignment, center, variance, variance + width, components, width, exact);
    memory.copy(wideMean, center, width);
    for (let at: usize = 0; at < width; at += 4) {
      store<f32>(scale + at, load<f32>(gamma + at) / sqrt<f32>(load<f32>(variance + at) + epsilon));
    }
    repeat(wideMean, channels, copies);
    repeat(scale, channels, copies);
    affine(x, y, tall, bytes, wideMean, scale, shift);
    // One score that is not finite makes all shares NaN.
    if (counts && finite(load<f32>(assignment))) {
      collect(own, means, assignment, meansStep, components, width);
      collect(ownVariance, variances, assignment, variancesStep, components, width);
      counted++;
    }
    x += bytes * tall;
    y += bytes * tall;
    statistics += width << 2;
    assignment += components << 2;
  }
  const factor: f32 = counted == 0 ? 0 : <f32>(share / <f64>counted);
  multiply(meansStep, bank, factor);
  multiply(variancesStep, bank, factor);
  store<f32>(skipped, <f32>(samples - counted));
}

/** dx, dgamma and dbeta, the assignment being constant. */
export function gradient(
  x: usize,
  dy: usize,
  statistics: usize,
  gamma: usize,
  dx: usize,
  dgamma: usize,
  dbeta: usize,
  scratch: usize,
  samples: usize,
  positions: usize,
  channels: usize,
  copies: usize,
  components: usize,
  epsilon: f32,
): void {
  const width = channels << 2;
  const bytes = width * copies;
  const room = (bytes + 15) & ~15;
  const ofDy = scratch;
  const ofProduct = ofDy + (room << 1);
  const wideMean = ofProduct + (room << 1);
  const scale = wideMean + room;
  const slope = scale + room;
  const offset = slope + room;
  const ofGamma = offset + room;
  const ofBeta = ofGamma + (channels << 3);
  const tall = positions / copies;
  const n = <f64>positions;
  const all = <f64>components;
  memory.fill(ofGamma, 0, channels << 4);
  for (; samples > 0; samples--) {
    const variance = statistics + (width << 1);
    memory.copy(wideMean, statistics + width, width);
    repeat(wideMean, channels, copies);
    gradientSums(x, dy, tall, bytes, wideMean, ofDy, ofProduct, scale);
    gather(ofDy, channels, copies);
    gather(ofProduct, channels, copies);
    for (let c: usize = 0; c < channels; c++) {
      const at = c << 2;
      const wide = c << 3;
      const r = 1 / sqrt<f64>(<f64>(load<f32>(variance + at) + epsilon));
      const sum = load<f64>(ofDy + wide);
      const xhat = load<f64>(ofProduct + wide) * r;
      const factor = <f64>load<f32>(gamma + at) * r;
      const dvariance = -0.5 * factor * r * xhat;
      store<f64>(ofGamma + wide, load<f64>(ofGamma + wide) + xhat);
      store<f64>(ofBeta + wide, load<f64>(ofBeta + wide) + sum);
      store<f32>(scale + at, <f32>factor);
      store<f32>(slope + at, <f32>((2 * dvariance) / (all * n)));
      store<f32>(offset + at, <f32>((dvariance * <f64>load<f32>(variance + width + at) - (factor * sum) / all) / n));
    }
    memory.copy(wideMean, statistics, width);
    repeat(wideMean, channels, copies);
    repeat(scale, channels, copies);
    repeat(slope, channels, copies);
    repeat(offset, channels, copies);
    spread(x, dy, dx, tall, bytes, wideMean, scale, slope, offset);
    x += bytes * tall;
    dy += bytes * tall;
    dx += bytes * tall;
    statistics += width << 2;
  }
  for (let c: usize = 0; c < channels; c++) {
    store<f32>(dgamma + (c << 2), <f32>load<f64>(ofGamma + (c << 3)));
    store<f32>(dbeta + (c << 2), <f32>load<f64>(ofBeta + (c << 3)));
  }
}
