// Region normalization with a gain and a shift for each region and channel: what stands behind regionNormalize and RN-B.
import { add, concat, div, maximum, mul, reshape, slice, sqrt, sub, sum, where, zerosLike, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp } from '@evenkeel/core';
import { leadingAxes } from '../axes.ts';
import { checkShape } from '../checks.ts';
import { owner } from '../owner.ts';
import {
  asSets,
  checkEpsilonOf,
  checkRegions,
  epsilonOf,
  reducedAxes,
  REGION_DEFAULTS,
  statisticsShape,
  type RegionAttributes,
} from './attributes.ts';
import { regionOf, statisticsOf, throughStatistics, type Region } from './moments-op.ts';
import { regionNormGradWasm, regionNormWasm } from './wasm.ts';
import { regionNormGradWgsl, regionNormWgsl } from './wgsl.ts';

type Spec = { shape: number[]; dtype: 'float32' };
const likeX = ({ x }: { x: Tensor }): Spec => ({ shape: x.shape, dtype: 'float32' });
const likeStatistics = ({ x }: { x: Tensor }, attrs: RegionAttributes): Spec => ({ shape: statisticsShape(x, attrs), dtype: 'float32' });
const likeGamma = ({ x }: { x: Tensor }, { regions }: RegionAttributes): Spec => ({
  shape: [regions, ...x.shape.slice(-1)],
  dtype: 'float32',
});

/** 1 / sqrt(variance + epsilon) of a region. */
export function inverseRoot(x: Tensor, { count, variance }: Region, attrs: RegionAttributes): Tensor {
  const { positions } = asSets(x.shape, attrs.statistics);
  return div(1, sqrt(add(variance, epsilonOf(count, positions, attrs))));
}

/** A region's row of a parameter, which broadcasts over x. */
const rowOf = (parameter: Tensor, region: number): Tensor =>
  reshape(slice(parameter, [region, 0], [1, parameter.shape[1]!]), [parameter.shape[1]!]);

/**
 * In each region: dx = gamma r (dy - mean(dy) - xhat mean(dy xhat)) + dmean / n + 2 dvariance (x - mean) / n; dgamma = sum of dy xhat;
 * dbeta = sum of dy. 0 where a pixel has no region.
 */
export const RegionNormGrad = /* @__PURE__ */ defineOp({
  name: 'RegionNormGrad',
  owner,
  inputs: {
    x: 'batch,...,c',
    labels: { shape: 'batch,...', dtype: 'int32' },
    dy: 'batch,...,c',
    statistics: 'sets,k,three,c',
    dstatistics: 'sets,k,three,c',
    gamma: { shape: 'k,c', optional: true },
  },
  attrs: REGION_DEFAULTS,
  check: ({ x, labels, dy, statistics }, attrs) => {
    checkRegions('RegionNormGrad', x, labels, attrs);
    checkShape('RegionNormGrad', 'dy', dy, x.shape, 'as x');
    checkShape('RegionNormGrad', 'statistics', statistics, statisticsShape(x, attrs), '[sets, regions, 3, channels]');
  },
  outputs: { dx: likeX, dgamma: likeGamma, dbeta: likeGamma },
  reference: ({ x, labels, dy, statistics, dstatistics, gamma }, attrs) => {
    const axes = reducedAxes(x, attrs.statistics);
    const all = leadingAxes(x, 1);
    let dx = zerosLike(x);
    const dgamma: Tensor[] = [];
    const dbeta: Tensor[] = [];
    for (let region = 0; region < attrs.regions; region++) {
      const of = regionOf(x, labels, statistics, region);
      const { inside, mean } = of;
      const r = inverseRoot(x, of, attrs);
      const d = where(inside, dy, 0);
      const xhat = where(inside, mul(sub(x, mean), r), 0);
      const n = maximum(of.count, 1);
      const through = sub(sub(d, div(sum(d, axes, true), n)), mul(xhat, div(sum(mul(d, xhat), axes, true), n)));
      const normalized = mul(through, gamma ? mul(r, rowOf(gamma, region)) : r);
      dx = where(inside, add(normalized, throughStatistics(x, of, regionOf(x, labels, dstatistics, region))), dx);
      dgamma.push(reshape(sum(mul(d, xhat), all), [1, -1]));
      dbeta.push(reshape(sum(d, all), [1, -1]));
    }
    return { dx, dgamma: concat(dgamma, 0), dbeta: concat(dbeta, 0) };
  },
  kernels: () => [regionNormGradWgsl(), regionNormGradWasm()],
});

/**
 * y = gamma_k (x - mean_k) / sqrt(variance_k + epsilon_k) + beta_k on the pixels of region k, labels 0, 1, ...; 0 where a pixel has another label.
 * `statistics` are those of RegionMoments.
 */
export const RegionNorm = /* @__PURE__ */ defineOp({
  name: 'RegionNorm',
  owner,
  inputs: {
    x: 'batch,...,c',
    labels: { shape: 'batch,...', dtype: 'int32' },
    gamma: { shape: 'k,c', optional: true },
    beta: { shape: 'k,c', optional: true },
  },
  attrs: REGION_DEFAULTS,
  check: ({ x, labels, gamma, beta }, attrs) => {
    checkEpsilonOf('RegionNorm', attrs);
    checkRegions('RegionNorm', x, labels, attrs);
    const rows = [attrs.regions, x.shape.at(-1)!];
    checkShape('RegionNorm', 'gamma', gamma, rows, '[regions, channels]');
    checkShape('RegionNorm', 'beta', beta, rows, '[regions, channels]');
  },
  outputs: { y: likeX, statistics: likeStatistics },
  saveOutputs: ['statistics'],
  reference: ({ x, labels, gamma, beta }, attrs) => {
    const statistics = statisticsOf(x, labels, attrs);
    let y = zerosLike(x);
    for (let region = 0; region < attrs.regions; region++) {
      const of = regionOf(x, labels, statistics, region);
      const xhat = mul(sub(x, of.mean), inverseRoot(x, of, attrs));
      const scaled = gamma ? mul(xhat, rowOf(gamma, region)) : xhat;
      y = where(of.inside, beta ? add(scaled, rowOf(beta, region)) : scaled, y);
    }
    return { y, statistics };
  },
  gradient: (dy, { x, labels, gamma }, attrs, { statistics }) => {
    const inputs = { x, labels, dy: dy.y, statistics, dstatistics: dy.statistics, gamma };
    const { dx, dgamma, dbeta } = RegionNormGrad(inputs, attrs);
    return { x: dx, gamma: dgamma, beta: dbeta };
  },
  kernels: () => [regionNormWgsl(), regionNormWasm()],
});
