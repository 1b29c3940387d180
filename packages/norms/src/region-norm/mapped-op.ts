// Region normalization with a gain and a shift for each pixel, the same for all channels: what stands behind RN-L.
import { add, concat, div, maximum, mul, slice, sub, sum, where, zerosLike, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp } from '@evenkeel/core';
import { checkShape } from '../checks.ts';
import { owner } from '../owner.ts';
import { checkEpsilonOf, checkRegions, reducedAxes, REGION_DEFAULTS, statisticsShape, type RegionAttributes } from './attributes.ts';
import { regionOf, statisticsOf, throughStatistics } from './moments-op.ts';
import { inverseRoot } from './op.ts';
import { mappedRegionNormGradWasm, mappedRegionNormWasm } from './wasm.ts';
import { mappedRegionNormGradWgsl, mappedRegionNormWgsl } from './wgsl.ts';

type Spec = { shape: number[]; dtype: 'float32' };
const likeX = ({ x }: { x: Tensor }): Spec => ({ shape: x.shape, dtype: 'float32' });
const likeAffine = ({ affine }: { affine: Tensor }): Spec => ({ shape: affine.shape, dtype: 'float32' });
const likeStatistics = ({ x }: { x: Tensor }, attrs: RegionAttributes): Spec => ({ shape: statisticsShape(x, attrs), dtype: 'float32' });

/** Channel 0 or 1 of [batch, ...spatial, 2]. */
function channel(affine: Tensor, which: number): Tensor {
  const start = affine.shape.map(() => 0);
  start[start.length - 1] = which;
  return slice(affine, start, [...affine.shape.slice(0, -1), 1]);
}

function check(op: string, x: Tensor, labels: Tensor, affine: Tensor, attrs: RegionAttributes): void {
  checkEpsilonOf(op, attrs);
  checkRegions(op, x, labels, attrs);
  checkShape(op, 'affine', affine, [...x.shape.slice(0, -1), 2], 'a gain and a shift for each pixel of x');
}

/** As {@link RegionNormGrad} of g = dy (1 + gain); a pixel's dgain = sum of dy xhat, its dshift = sum of dy, both over channels. */
export const MappedRegionNormGrad = /* @__PURE__ */ defineOp({
  name: 'MappedRegionNormGrad',
  owner,
  inputs: {
    x: 'batch,...,c',
    labels: { shape: 'batch,...', dtype: 'int32' },
    dy: 'batch,...,c',
    affine: 'batch,...,two',
    statistics: 'sets,k,three,c',
    dstatistics: 'sets,k,three,c',
  },
  attrs: REGION_DEFAULTS,
  check: ({ x, labels, dy, affine, statistics }, attrs) => {
    check('MappedRegionNormGrad', x, labels, affine, attrs);
    checkShape('MappedRegionNormGrad', 'dy', dy, x.shape, 'as x');
    checkShape('MappedRegionNormGrad', 'statistics', statistics, statisticsShape(x, attrs), '[sets, regions, 3, channels]');
  },
  outputs: { dx: likeX, daffine: likeAffine },
  reference: ({ x, labels, dy, affine, statistics, dstatistics }, attrs) => {
    const axes = reducedAxes(x, attrs.statistics);
    const g = mul(dy, add(channel(affine, 0), 1));
    let dx = zerosLike(x);
    let xhat = zerosLike(x);
    for (let region = 0; region < attrs.regions; region++) {
      const of = regionOf(x, labels, statistics, region);
      const { inside } = of;
      const r = inverseRoot(x, of, attrs);
      const own = where(inside, mul(sub(x, of.mean), r), 0);
      const d = where(inside, g, 0);
      const n = maximum(of.count, 1);
      const through = sub(sub(d, div(sum(d, axes, true), n)), mul(own, div(sum(mul(d, own), axes, true), n)));
      dx = where(inside, add(mul(through, r), throughStatistics(x, of, regionOf(x, labels, dstatistics, region))), dx);
      xhat = where(inside, own, xhat);
    }
    return { dx, daffine: concat([sum(mul(dy, xhat), -1, true), sum(dy, -1, true)], -1) };
  },
  kernels: () => [mappedRegionNormGradWgsl(), mappedRegionNormGradWasm()],
});

/** y = (1 + gain) xhat + shift, with xhat as RegionNorm has it, and gain and shift the two channels of `affine`. */
export const MappedRegionNorm = /* @__PURE__ */ defineOp({
  name: 'MappedRegionNorm',
  owner,
  inputs: { x: 'batch,...,c', labels: { shape: 'batch,...', dtype: 'int32' }, affine: 'batch,...,two' },
  attrs: REGION_DEFAULTS,
  check: ({ x, labels, affine }, attrs) => check('MappedRegionNorm', x, labels, affine, attrs),
  outputs: { y: likeX, statistics: likeStatistics },
  saveOutputs: ['statistics'],
  reference: ({ x, labels, affine }, attrs) => {
    const statistics = statisticsOf(x, labels, attrs);
    let xhat = zerosLike(x);
    for (let region = 0; region < attrs.regions; region++) {
      const of = regionOf(x, labels, statistics, region);
      xhat = where(of.inside, mul(sub(x, of.mean), inverseRoot(x, of, attrs)), xhat);
    }
    return { y: add(mul(xhat, add(channel(affine, 0), 1)), channel(affine, 1)), statistics };
  },
  gradient: (dy, { x, labels, affine }, attrs, { statistics }) => {
    const { dx, daffine } = MappedRegionNormGrad({ x, labels, dy: dy.y, affine, statistics, dstatistics: dy.statistics }, attrs);
    return { x: dx, affine: daffine };
  },
  kernels: () => [mappedRegionNormWgsl(), mappedRegionNormWasm()],
});
