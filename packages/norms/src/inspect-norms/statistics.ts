import { effectiveRank } from './effective-rank.ts';

/** What is to be known of the values at one side of a layer. Numbers that are not finite are counted, and left out of the rest. */
export interface TensorStatistics {
  readonly shape: readonly number[];
  readonly mean: number;
  /** Biased. */
  readonly variance: number;
  /** The largest |value|. */
  readonly largest: number;
  /** The share of values that are further from the mean than `outlierDeviations` standard deviations, both of the whole tensor. */
  readonly outliers: number;
  /** The share of NaN and infinity. */
  readonly nonFinite: number;
  readonly channelMeans: readonly number[];
  readonly channelVariances: readonly number[];
  /** Channels whose values on this batch are all the same, to 1e-6 of the largest value of the tensor. */
  readonly deadChannels: readonly number[];
  /** See `effectiveRank` of the page: between 0 and the number of channels, or of rows where these are fewer. */
  readonly effectiveRank: number;
}

export interface StatisticsOptions {
  readonly outlierDeviations: number;
  /** How many positions enter the effective rank. */
  readonly samples: number;
}

/** a / b, and 0 of nothing. */
const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b);

/** Sums over the finite values of each channel. */
function byChannel(channels: number, each: (add: (channel: number, value: number) => void) => void): Float64Array {
  const sums = new Float64Array(channels);
  each((channel, value) => {
    sums[channel]! += value;
  });
  return sums;
}

/** Some rows of a tensor, evenly apart, those with NaN or infinity left out. */
function sampled(
  values: ArrayLike<number>,
  at: (row: number, channel: number) => number,
  rows: number,
  channels: number,
  most: number,
): Float64Array[] {
  const count = Math.min(rows, most);
  const taken: Float64Array[] = [];
  for (let i = 0; i < count; i++) {
    const row = Math.floor((i * rows) / count);
    const one = Float64Array.from({ length: channels }, (_, channel) => values[at(row, channel)]!);
    if (one.every(Number.isFinite)) taken.push(one);
  }
  return taken;
}

/** Statistics of a tensor's values, on the host in float64. */
export function statisticsOf(
  values: ArrayLike<number>,
  shape: readonly number[],
  axis: number,
  options: StatisticsOptions,
): TensorStatistics {
  const channels = shape[axis] ?? 1;
  const inner = shape.slice(axis + 1).reduce((size, length) => size * length, 1);
  const channelOf = (i: number): number => Math.floor(i / inner) % channels;
  const finite = (visit: (value: number, channel: number) => void): void => {
    for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i]!)) visit(values[i]!, channelOf(i));
  };
  const counts = byChannel(channels, (add) => finite((_, channel) => add(channel, 1)));
  const means = byChannel(channels, (add) => finite((value, channel) => add(channel, value))).map((sum, k) => ratio(sum, counts[k]!));
  const squares = byChannel(channels, (add) => finite((value, channel) => add(channel, (value - means[channel]!) ** 2)));
  const count = counts.reduce((sum, one) => sum + one, 0);
  const mean = ratio(
    means.reduce((sum, one, k) => sum + one * counts[k]!, 0),
    count,
  );
  const variance = ratio(
    squares.reduce((sum, one, k) => sum + one + counts[k]! * (means[k]! - mean) ** 2, 0),
    count,
  );
  const [lowest, highest] = [new Float64Array(channels).fill(Infinity), new Float64Array(channels).fill(-Infinity)];
  let [largest, outliers] = [0, 0];
  const far = options.outlierDeviations * Math.sqrt(variance);
  finite((value, channel) => {
    if (value < lowest[channel]!) lowest[channel] = value;
    if (value > highest[channel]!) highest[channel] = value;
    if (Math.abs(value) > largest) largest = Math.abs(value);
    if (Math.abs(value - mean) > far) outliers++;
  });
  const dead = Array.from(counts, (_, channel) => channel).filter((channel) => !(highest[channel]! - lowest[channel]! > 1e-6 * largest));
  const at = (row: number, channel: number): number => (Math.floor(row / inner) * channels + channel) * inner + (row % inner);
  return {
    shape,
    mean,
    variance,
    largest,
    outliers: ratio(outliers, count),
    nonFinite: ratio(values.length - count, values.length),
    channelMeans: Array.from(means),
    channelVariances: Array.from(squares, (sum, k) => ratio(sum, counts[k]!)),
    deadChannels: dead,
    effectiveRank: effectiveRank(sampled(values, at, ratio(values.length, channels), channels, options.samples)),
  };
}
