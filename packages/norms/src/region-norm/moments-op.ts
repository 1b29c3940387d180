// Count, mean and variance of each region in one op: what normalizes, and what tells how regions differ.
import {
  add,
  concat,
  div,
  equal,
  maximum,
  mul,
  reshape,
  slice,
  square,
  sub,
  sum,
  tile,
  where,
  zerosLike,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { defineOp } from '@evenkeel/core';
import { checkShape } from '../checks.ts';
import { owner } from '../owner.ts';
import { asSets, checkRegions, reducedAxes, STATISTICS_DEFAULTS, statisticsShape, type StatisticsAttributes } from './attributes.ts';
import { regionMomentsGradWasm, regionMomentsWasm } from './wasm.ts';
import { regionMomentsGradWgsl, regionMomentsWgsl } from './wgsl.ts';

/** Count, mean and variance of a region, each of which broadcasts over x. */
export interface Region {
  /** Whether a pixel is of the region. */
  readonly inside: Tensor;
  readonly count: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/**
 * The definition. A pixel counts by being chosen, not by being multiplied by 1 where others are by 0: what stands in other regions may be NaN.
 */
export function statisticsOf(x: Tensor, labels: Tensor, attrs: StatisticsAttributes): Tensor {
  const axes = reducedAxes(x, attrs.statistics);
  const { sets, channels } = asSets(x.shape, attrs.statistics);
  const rows = Array.from({ length: attrs.regions }, (_, region) => {
    const inside = equal(labels, region);
    // Not cast: what tfjs' webgpu casts from bool cannot be summed over some axes.
    const count = sum(where(inside, 1, 0), axes, true);
    const divisor = maximum(count, 1);
    const mean = div(sum(where(inside, x, 0), axes, true), divisor);
    const variance = div(sum(where(inside, square(sub(x, mean)), 0), axes, true), divisor);
    const row = (a: Tensor): Tensor => reshape(a, [sets, 1, 1, channels]);
    return concat([tile(reshape(count, [sets, 1, 1, 1]), [1, 1, 1, channels]), row(mean), row(variance)], 2);
  });
  return concat(rows, 1);
}

/** The parts of what {@link statisticsOf} gives, or of its gradient, for one region. */
export function regionOf(x: Tensor, labels: Tensor, statistics: Tensor, region: number): Region {
  const [sets, , , channels] = statistics.shape as [number, number, number, number];
  const part = (which: number): Tensor =>
    reshape(slice(statistics, [0, region, which, 0], [sets, 1, 1, channels]), [sets, ...x.shape.slice(1, -1).map(() => 1), channels]);
  return { inside: equal(labels, region), count: part(0), mean: part(1), variance: part(2) };
}

/** What reaches x through a region's mean and variance: dmean / n + 2 dvariance (x - mean) / n. */
export function throughStatistics(x: Tensor, { count, mean }: Region, { mean: dmean, variance: dvariance }: Region): Tensor {
  return div(add(dmean, mul(mul(dvariance, 2), sub(x, mean))), maximum(count, 1));
}

const likeStatistics = ({ x }: { x: Tensor }, attrs: StatisticsAttributes): { shape: number[]; dtype: 'float32' } => ({
  shape: statisticsShape(x, attrs),
  dtype: 'float32',
});

/** dx = dmean / n + 2 dvariance (x - mean) / n of a pixel's region; 0 where it has none. */
export const RegionMomentsGrad = /* @__PURE__ */ defineOp({
  name: 'RegionMomentsGrad',
  owner,
  inputs: { x: 'batch,...,c', labels: { shape: 'batch,...', dtype: 'int32' }, statistics: 'sets,k,three,c', dstatistics: 'sets,k,three,c' },
  attrs: STATISTICS_DEFAULTS,
  check: ({ x, labels, statistics }, attrs) => {
    checkRegions('RegionMomentsGrad', x, labels, attrs);
    checkShape('RegionMomentsGrad', 'statistics', statistics, statisticsShape(x, attrs), '[sets, regions, 3, channels]');
  },
  reference: ({ x, labels, statistics, dstatistics }, { regions }) => {
    let dx = zerosLike(x);
    for (let region = 0; region < regions; region++) {
      const of = regionOf(x, labels, statistics, region);
      dx = where(of.inside, throughStatistics(x, of, regionOf(x, labels, dstatistics, region)), dx);
    }
    return dx;
  },
  kernels: () => [regionMomentsGradWgsl(), regionMomentsGradWasm()],
});

/** [sets, regions, 3, channels]: count, mean and biased variance of each region of labels 0, 1, ... A pixel with another label counts nowhere. */
export const RegionMoments = /* @__PURE__ */ defineOp({
  name: 'RegionMoments',
  owner,
  inputs: { x: 'batch,...,c', labels: { shape: 'batch,...', dtype: 'int32' } },
  attrs: STATISTICS_DEFAULTS,
  check: ({ x, labels }, attrs) => checkRegions('RegionMoments', x, labels, attrs),
  outputs: { statistics: likeStatistics },
  saveOutputs: ['statistics'],
  reference: ({ x, labels }, attrs) => ({ statistics: statisticsOf(x, labels, attrs) }),
  gradient: (dy, { x, labels }, attrs, { statistics }) => ({
    x: RegionMomentsGrad({ x, labels, statistics, dstatistics: dy.statistics }, attrs),
  }),
  kernels: () => [regionMomentsWgsl(), regionMomentsWasm()],
});
