// Batch-channel normalization with estimated statistics, of channels that stand last. One sweep finds the moments of each channel of each
// sample; new estimates and, since the batch part is affine by channel, the moments of its groups follow from these. A second sweep writes.
// A sample's `positions` of `channels` are handled as positions / copies rows of channels * copies columns.
import { affine, gather, gradientSums, moments, pool, pooledMean, pooledSquares, repeat, spread } from '../_columns.as';
import { fill } from '../_simd.as';

export { fill };

/** Mean and sum of centred squares of each channel of a sample, float64. `means` and `squares` are of columns, `block` has two rows of them. */
function sampleMoments(
  x: usize,
  tall: usize,
  channels: usize,
  copies: usize,
  means: usize,
  squares: usize,
  block: usize,
  ownMeans: usize,
  ownSquares: usize,
): void {
  moments(x, tall, (channels * copies) << 2, means, squares, block);
  for (let c: usize = 0; c < channels; c++) {
    pool(means, squares, c, 1, channels, copies, tall);
    store<f64>(ownMeans + (c << 3), pooledMean);
    store<f64>(ownSquares + (c << 3), pooledSquares);
  }
}

/** gamma / sqrt(variance + epsilon) by channel, float64. */
function slopes(gamma: usize, variance: usize, channels: usize, epsilon: f64, out: usize): void {
  for (let c: usize = 0; c < channels; c++) {
    const root = sqrt(<f64>load<f32>(variance + (c << 2)) + epsilon);
    store<f64>(out + (c << 3), <f64>load<f32>(gamma + (c << 2)) / root);
  }
}

/** What `groupMoments` finds: mean and variance of a group after the batch part. */
let groupMean: f64 = 0;
let groupVariance: f64 = 0;

function groupMoments(
  ownMeans: usize,
  ownSquares: usize,
  mean: usize,
  slope: usize,
  beta: usize,
  first: usize,
  width: usize,
  positions: f64,
): void {
  let sum: f64 = 0;
  for (let c = first; c < first + width; c++) sum += place(ownMeans, mean, slope, beta, c);
  const common = sum / <f64>width;
  let squares: f64 = 0;
  for (let c = first; c < first + width; c++) {
    const apart = place(ownMeans, mean, slope, beta, c) - common;
    const a = load<f64>(slope + (c << 3));
    squares += (a * a * load<f64>(ownSquares + (c << 3))) / positions + apart * apart;
  }
  groupMean = common;
  groupVariance = squares / <f64>width;
}

/** Where the batch part puts a channel's own mean. */
// @ts-ignore: decorator
@inline
function place(ownMeans: usize, mean: usize, slope: usize, beta: usize, c: usize): f64 {
  const distance = load<f64>(ownMeans + (c << 3)) - <f64>load<f32>(mean + (c << 2));
  return load<f64>(slope + (c << 3)) * distance + <f64>load<f32>(beta + (c << 2));
}

/** Writes y of a sample. */
function normalize(
  x: usize,
  y: usize,
  ownMeans: usize,
  ownSquares: usize,
  mean: usize,
  slope: usize,
  beta: usize,
  channelGamma: usize,
  channelBeta: usize,
  center: usize,
  scale: usize,
  shift: usize,
  positions: usize,
  channels: usize,
  width: usize,
  copies: usize,
  perChannel: bool,
  epsilon: f64,
): void {
  for (let first: usize = 0; first < channels; first += width) {
    groupMoments(ownMeans, ownSquares, mean, slope, beta, first, width, <f64>positions);
    const r = 1 / sqrt(groupVariance + epsilon);
    for (let c = first; c < first + width; c++) {
      const at = c << 2;
      const parameter = (perChannel ? c : first / width) << 2;
      const factor = r * <f64>load<f32>(channelGamma + parameter);
      const middle = <f32>load<f64>(ownMeans + (c << 3));
      const after = load<f64>(slope + (c << 3)) * (<f64>middle - <f64>load<f32>(mean + at)) + <f64>load<f32>(beta + at);
      store<f32>(center + at, middle);
      store<f32>(scale + at, <f32>(factor * load<f64>(slope + (c << 3))));
      store<f32>(shift + at, <f32>(factor * (after - groupMean) + <f64>load<f32>(channelBeta + parameter)));
    }
  }
  repeat(center, channels, copies);
  repeat(scale, channels, copies);
  repeat(shift, channels, copies);
  affine(x, y, positions / copies, (channels * copies) << 2, center, scale, shift);
}

/** With given statistics: a sample at a time, whose second sweep finds it in the caches. */
export function inference(
  x: usize,
  mean: usize,
  variance: usize,
  gamma: usize,
  beta: usize,
  channelGamma: usize,
  channelBeta: usize,
  y: usize,
  scratch: usize,
  samples: usize,
  positions: usize,
  channels: usize,
  groups: usize,
  copies: usize,
  perChannel: bool,
  epsilon: f64,
): void {
  const bytes = (channels * copies) << 2;
  const room = (bytes + 15) & ~15;
  const means = scratch;
  const squares = means + (room << 1);
  const center = squares + (room << 1);
  const scale = center + room;
  const shift = scale + room;
  const slope = shift + room;
  const ownMeans = slope + (channels << 3);
  const ownSquares = ownMeans + (channels << 3);
  const tall = positions / copies;
  slopes(gamma, variance, channels, epsilon, slope);
  for (; samples > 0; samples--) {
    sampleMoments(x, tall, channels, copies, means, squares, center, ownMeans, ownSquares);
    normalize(
      x,
      y,
      ownMeans,
      ownSquares,
      mean,
      slope,
      beta,
      channelGamma,
      channelBeta,
      center,
      scale,
      shift,
      positions,
      channels,
      channels / groups,
      copies,
      perChannel,
      epsilon,
    );
    x += bytes * tall;
    y += bytes * tall;
  }
}

/** value, unless the batch's statistics are not finite: then `old`. */
// @ts-ignore: decorator
@inline
function moved(finite: bool, old: f64, batch: f64, rate: f64): f32 {
  return <f32>(finite ? old + rate * (batch - old) : old);
}

/** New estimates of the moments of all samples. */
function estimate(
  ownMeans: usize,
  ownSquares: usize,
  mean: usize,
  variance: usize,
  newMean: usize,
  newVariance: usize,
  batchMean: usize,
  batchVariance: usize,
  samples: usize,
  positions: usize,
  channels: usize,
  rate: f64,
): void {
  for (let c: usize = 0; c < channels; c++) {
    const at = c << 2;
    const old = <f64>load<f32>(mean + at);
    let sum: f64 = 0;
    let squares: f64 = 0;
    for (let n: usize = 0; n < samples; n++) {
      const own = (n * channels + c) << 3;
      const away = load<f64>(ownMeans + own) - old;
      sum += away;
      squares += load<f64>(ownSquares + own) / <f64>positions + away * away;
    }
    const mu = old + sum / <f64>samples;
    const v = squares / <f64>samples;
    // As float32, which is what the statistics are.
    const finite = isFinite<f32>(<f32>mu) && isFinite<f32>(<f32>v);
    store<f32>(batchMean + at, <f32>mu);
    store<f32>(batchVariance + at, <f32>v);
    store<f32>(newMean + at, moved(finite, old, mu, rate));
    store<f32>(newVariance + at, moved(finite, <f64>load<f32>(variance + at), v, rate));
  }
}

/** Moves the estimates, and normalizes with the new ones. */
export function training(
  x: usize,
  mean: usize,
  variance: usize,
  gamma: usize,
  beta: usize,
  channelGamma: usize,
  channelBeta: usize,
  y: usize,
  newMean: usize,
  newVariance: usize,
  batchMean: usize,
  batchVariance: usize,
  scratch: usize,
  samples: usize,
  positions: usize,
  channels: usize,
  groups: usize,
  copies: usize,
  perChannel: bool,
  epsilon: f64,
  rate: f64,
): void {
  const bytes = (channels * copies) << 2;
  const room = (bytes + 15) & ~15;
  const means = scratch;
  const squares = means + (room << 1);
  const center = squares + (room << 1);
  const scale = center + room;
  const shift = scale + room;
  const slope = shift + room;
  const ownMeans = slope + (channels << 3);
  const ownSquares = ownMeans + ((samples * channels) << 3);
  const tall = positions / copies;
  for (let n: usize = 0; n < samples; n++) {
    const own = (n * channels) << 3;
    sampleMoments(x + n * bytes * tall, tall, channels, copies, means, squares, center, ownMeans + own, ownSquares + own);
  }
  estimate(ownMeans, ownSquares, mean, variance, newMean, newVariance, batchMean, batchVariance, samples, positions, channels, rate);
  slopes(gamma, newVariance, channels, epsilon, slope);
  for (let n: usize = 0; n < samples; n++) {
    const own = (n * channels) << 3;
    normalize(
      x + n * bytes * tall,
      y + n * bytes * tall,
      ownMeans + own,
      ownSquares + own,
      newMean,
      slope,
      beta,
      channelGamma,
      channelBeta,
      center,
      scale,
      shift,
      positions,
      channels,
      channels / groups,
      copies,
      perChannel,
      epsilon,
    );
  }
}

/** total += value, float64. */
// @ts-ignore: decorator
@inline
function increase(total: usize, value: f64): void {
  store<f64>(total, load<f64>(total) + value);
}

/**
 * With the statistics as constants. By sample and channel, P positions: a = gamma / root, d the channel's own mean after the batch part less
 * the group's, S1 = sum of dy, S2 = sum of dy (x - own mean), M2 = sum of (x - own mean)^2; by group: r = 1 / sqrt(variance + epsilon),
 * mG and mGz the means of g = dy channelGamma and of g z. Then
 * sum of dy z = r (a S2 + d S1), dx1 = r (g - mG - z mGz), dx = a dx1,
 * sum of dx1 = r (channelGamma S1 - P mG - P mGz r d), sum of dx1 (x - own mean) = r (channelGamma S2 - mGz r a M2).
 */
export function gradient(
  x: usize,
  dy: usize,
  mean: usize,
  variance: usize,
  gamma: usize,
  beta: usize,
  channelGamma: usize,
  dx: usize,
  dgamma: usize,
  dbeta: usize,
  dchannelGamma: usize,
  dchannelBeta: usize,
  scratch: usize,
  samples: usize,
  positions: usize,
  channels: usize,
  groups: usize,
  copies: usize,
  perChannel: bool,
  epsilon: f64,
): void {
  const bytes = (channels * copies) << 2;
  const room = (bytes + 15) & ~15;
  const means = scratch;
  const squares = means + (room << 1);
  const center = squares + (room << 1);
  const scale = center + room;
  const slope = scale + room;
  const offset = slope + room;
  const factor = offset + room;
  const ownMeans = factor + (channels << 3);
  const ownSquares = ownMeans + (channels << 3);
  const ofGamma = ownSquares + (channels << 3);
  const ofBeta = ofGamma + (channels << 3);
  const ofChannelGamma = ofBeta + (channels << 3);
  const ofChannelBeta = ofChannelGamma + (channels << 3);
  // Once the moments are pooled, sums of dy and of dy (x - center) take their place.
  const ofDy = means;
  const ofProduct = squares;
  const width = channels / groups;
  const tall = positions / copies;
  const p = <f64>positions;
  const n = p * <f64>width;
  slopes(gamma, variance, channels, epsilon, factor);
  memory.fill(ofGamma, 0, channels << 5);
  for (; samples > 0; samples--) {
    sampleMoments(x, tall, channels, copies, means, squares, slope, ownMeans, ownSquares);
    for (let c: usize = 0; c < channels; c++) store<f32>(center + (c << 2), <f32>load<f64>(ownMeans + (c << 3)));
    repeat(center, channels, copies);
    gradientSums(x, dy, tall, bytes, center, ofDy, ofProduct, slope);
    gather(ofDy, channels, copies);
    gather(ofProduct, channels, copies);
    for (let first: usize = 0; first < channels; first += width) {
      groupMoments(ownMeans, ownSquares, mean, factor, beta, first, width, p);
      const r = 1 / sqrt(groupVariance + epsilon);
      let sumG: f64 = 0;
      let sumGZ: f64 = 0;
      for (let c = first; c < first + width; c++) {
        const wide = c << 3;
        const s1 = load<f64>(ofDy + wide);
        // The center is the own mean but for its rounding.
        const s2 = load<f64>(ofProduct + wide) + (<f64>load<f32>(center + (c << 2)) - load<f64>(ownMeans + wide)) * s1;
        store<f64>(ofProduct + wide, s2);
        const d = place(ownMeans, mean, factor, beta, c) - groupMean;
        const product = r * (load<f64>(factor + wide) * s2 + d * s1);
        const channel = <f64>load<f32>(channelGamma + ((perChannel ? c : first / width) << 2));
        sumG += channel * s1;
        sumGZ += channel * product;
        increase(ofChannelGamma + wide, product);
        increase(ofChannelBeta + wide, s1);
      }
      const meanG = sumG / n;
      const meanGZ = sumGZ / n;
      for (let c = first; c < first + width; c++) {
        const wide = c << 3;
        const at = c << 2;
        const a = load<f64>(factor + wide);
        const d = place(ownMeans, mean, factor, beta, c) - groupMean;
        const channel = <f64>load<f32>(channelGamma + ((perChannel ? c : first / width) << 2));
        const ofX1 = r * (channel * load<f64>(ofDy + wide) - p * (meanG + meanGZ * r * d));
        const ofCentred = r * (channel * load<f64>(ofProduct + wide) - meanGZ * r * a * load<f64>(ownSquares + wide));
        const away = load<f64>(ownMeans + wide) - <f64>load<f32>(mean + at);
        increase(ofBeta + wide, ofX1);
        increase(ofGamma + wide, (ofCentred + away * ofX1) / sqrt(<f64>load<f32>(variance + at) + epsilon));
        const bend = -a * a * r * r * meanGZ;
        store<f32>(scale + at, <f32>(a * r * channel));
        store<f32>(slope + at, <f32>bend);
        const rounding = <f64>load<f32>(center + at) - load<f64>(ownMeans + wide);
        store<f32>(offset + at, <f32>(bend * rounding - a * r * (meanG + r * meanGZ * d)));
      }
    }
    repeat(scale, channels, copies);
    repeat(slope, channels, copies);
    repeat(offset, channels, copies);
    spread(x, dy, dx, tall, bytes, center, scale, slope, offset);
    x += bytes * tall;
    dy += bytes * tall;
    dx += bytes * tall;
  }
  const span = perChannel ? 1 : width;
  for (let c: usize = 0; c < channels; c++) {
    store<f32>(dgamma + (c << 2), <f32>load<f64>(ofGamma + (c << 3)));
    store<f32>(dbeta + (c << 2), <f32>load<f64>(ofBeta + (c << 3)));
  }
  for (let k: usize = 0; k < channels / span; k++) {
    let sumGamma: f64 = 0;
    let sumBeta: f64 = 0;
    for (let wide = (k * span) << 3; wide < ((k + 1) * span) << 3; wide += 8) {
      sumGamma += load<f64>(ofChannelGamma + wide);
      sumBeta += load<f64>(ofChannelBeta + wide);
    }
    store<f32>(dchannelGamma + (k << 2), <f32>sumGamma);
    store<f32>(dchannelBeta + (k << 2), <f32>sumBeta);
  }
}

/** Batch norm with estimated statistics: moves the estimates over all rows, and normalizes with the new ones. */
export function estimated(
  x: usize,
  mean: usize,
  variance: usize,
  gamma: usize,
  beta: usize,
  y: usize,
  newMean: usize,
  newVariance: usize,
  batchMean: usize,
  batchVariance: usize,
  scratch: usize,
  rows: usize,
  channels: usize,
  copies: usize,
  epsilon: f64,
  rate: f64,
): void {
  const bytes = (channels * copies) << 2;
  const room = (bytes + 15) & ~15;
  const means = scratch;
  const squares = means + (room << 1);
  const center = squares + (room << 1);
  const scale = center + room;
  const shift = scale + room;
  const ownMeans = shift + room;
  const ownSquares = ownMeans + (channels << 3);
  const tall = rows / copies;
  sampleMoments(x, tall, channels, copies, means, squares, center, ownMeans, ownSquares);
  estimate(ownMeans, ownSquares, mean, variance, newMean, newVariance, batchMean, batchVariance, 1, rows, channels, rate);
  for (let at: usize = 0; at < channels << 2; at += 4) {
    store<f32>(center + at, load<f32>(newMean + at));
    store<f32>(scale + at, <f32>(<f64>load<f32>(gamma + at) / sqrt(<f64>load<f32>(newVariance + at) + epsilon)));
    store<f32>(shift + at, load<f32>(beta + at));
  }
  repeat(center, channels, copies);
  repeat(scale, channels, copies);
  repeat(shift, channels, copies);
  affine(x, y, tall, bytes, center, scale, shift);
}
