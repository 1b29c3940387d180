import { backends } from '../../../../tools/test-backends.ts';
import { opcheck, type OpCase } from '@evenkeel/core/testing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RegionAttributes, StatisticsAttributes } from './attributes.ts';
import {
  ChannelMeanMax,
  ChannelMeanMaxGrad,
  MappedRegionNorm,
  MappedRegionNormGrad,
  RegionMoments,
  RegionMomentsGrad,
  RegionNorm,
  RegionNormGrad,
  SoftRegionNorm,
} from './index.ts';

type Inputs = Record<string, { shape: number[]; low?: number; high?: number; values?: (i: number) => number }>;

/** Labels of `regions` regions; -1 and `regions` are none of them. */
const labels = (shape: number[], low = 0, high = 2): Inputs => ({ labels: { shape: [...shape.slice(0, -1), 1], low, high } });
const ofX = (shape: number[], ...names: string[]): Inputs => Object.fromEntries(['x', ...names].map((name) => [name, { shape }]));
const affineOf = (shape: number[]): Inputs => ({ affine: { shape: [...shape.slice(0, -1), 2] } });

/** Weights away from 0 and 1, over which steps must not go. */
const weights = (shape: number[]): Inputs => ({ mask: { shape: [...shape.slice(0, -1), 1], low: 0.05, high: 0.95 } });

/** Statistics that x might have, and what reaches them: count is even for all channels. */
const statisticsOf = (sets: number, regions: number, channels: number, count: number): Inputs => ({
  statistics: {
    shape: [sets, regions, 3, channels],
    values: (i) => [count, 0.1 * Math.sin(i), 1 + 0.5 * Math.cos(i)][Math.floor(i / channels) % 3]!,
  },
  dstatistics: { shape: [sets, regions, 3, channels] },
});

const sizes = fc.record({
  samples: fc.integer({ min: 1, max: 3 }),
  positions: fc.integer({ min: 1, max: 150 }),
  channels: fc.integer({ min: 1, max: 21 }),
  regions: fc.integer({ min: 1, max: 5 }),
  statistics: fc.constantFrom('batch', 'instance'),
  epsilonMode: fc.constantFrom('official', 'plain'),
});

const refused: OpCase<StatisticsAttributes>[] = [
  { inputs: { x: { shape: [2, 3, 5] }, labels: { shape: [2, 3] } }, throws: { code: 'SHAPE', argument: 'labels' } },
  { inputs: { x: { shape: [2, 3, 5] }, labels: { shape: [2, 3, 5] } }, throws: { code: 'SHAPE', argument: 'labels' } },
  { inputs: { x: { shape: [5] }, labels: { shape: [1] } }, throws: { code: 'SHAPE', argument: 'x' } },
  { inputs: { x: { shape: [2, 0, 5] }, labels: { shape: [2, 0, 1] } }, throws: { code: 'SHAPE', argument: 'x' } },
  { inputs: { ...ofX([2, 5]), ...labels([2, 5]) }, attrs: { regions: 0 }, throws: { code: 'INVALID_ARGUMENT', argument: 'regions' } },
  { inputs: { ...ofX([2, 5]), ...labels([2, 5]) }, attrs: { regions: 1.5 }, throws: { code: 'INVALID_ARGUMENT', argument: 'regions' } },
  {
    inputs: { ...ofX([2, 5]), ...labels([2, 5]) },
    attrs: { statistics: 'layer' },
    throws: { code: 'INVALID_ARGUMENT', argument: 'statistics' },
  },
  { inputs: { x: { shape: [2, 5], dtype: 'int32' }, ...labels([2, 5]) }, throws: { code: 'DTYPE', argument: 'x' } },
];

test('RegionNorm', async () => {
  const shape = [2, 3, 4, 5];
  await opcheck(
    RegionNorm,
    [
      { inputs: { ...ofX(shape), ...labels(shape) }, attrs: { epsilon: 0.1 } },
      { inputs: { ...ofX(shape), ...labels(shape) }, attrs: { statistics: 'instance', epsilonMode: 'plain', epsilon: 0.1 } },
      {
        name: 'a gain and a shift for each region',
        inputs: { ...ofX([2, 9, 8]), ...labels([2, 9, 8]), gamma: { shape: [2, 8] }, beta: { shape: [2, 8] } },
        attrs: { epsilon: 0.1 },
      },
      {
        name: 'three regions, and pixels of none',
        inputs: { ...ofX([2, 10, 3]), ...labels([2, 10, 3], -1, 4), gamma: { shape: [3, 3] } },
        attrs: { regions: 3, statistics: 'instance', epsilon: 0.1 },
      },
      {
        name: 'a single region',
        inputs: { ...ofX([3, 4, 6]), ...labels([3, 4, 6], 0, 1), beta: { shape: [1, 6] } },
        attrs: { regions: 1, epsilon: 0.1 },
      },
      { name: 'more pixels than a block', inputs: { ...ofX([2, 400, 7]), ...labels([2, 400, 7]) } },
      { name: 'many channels', inputs: { ...ofX([1, 9, 1234]), ...labels([1, 9, 1234]) }, attrs: { epsilon: 0.1 } },
      // Of instances: one pixel each, so that all is 0 whatever x is.
      { name: 'rank 2', inputs: { ...ofX([4, 5]), ...labels([4, 5]) }, attrs: { statistics: 'instance' } },
      {
        name: 'regions without pixels',
        inputs: { ...ofX([2, 6, 4]), labels: { shape: [2, 6, 1], values: () => 1 } },
        attrs: { regions: 4, epsilon: 0.1 },
      },
      {
        name: 'constant channels',
        inputs: { x: { shape: [1, 6, 4], values: (i) => i % 4 }, ...labels([1, 6, 4]), beta: { shape: [2, 4] } },
        gradient: false,
      },
      {
        inputs: { ...ofX([2, 5]), ...labels([2, 5]), gamma: { shape: [5, 5] } },
        throws: { code: 'SHAPE', argument: 'gamma' },
      },
      { inputs: { ...ofX([2, 5]), ...labels([2, 5]), beta: { shape: [5] } }, throws: { code: 'SHAPE', argument: 'beta' } },
      { inputs: { ...ofX([2, 5]), ...labels([2, 5]) }, attrs: { epsilon: 0 }, throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' } },
      {
        inputs: { ...ofX([2, 5]), ...labels([2, 5]) },
        attrs: { epsilonMode: 'paper' },
        throws: { code: 'INVALID_ARGUMENT', argument: 'epsilonMode' },
      },
      ...refused,
    ] as OpCase<RegionAttributes>[],
    {
      backends,
      property: (holds) =>
        fc.assert(
          fc.asyncProperty(sizes, ({ samples, positions, channels, regions, statistics, epsilonMode }) => {
            const x = [samples, positions, channels];
            return holds({
              inputs: { ...ofX(x), ...labels(x, 0, regions), gamma: { shape: [regions, channels] }, beta: { shape: [regions, channels] } },
              attrs: { regions, statistics, epsilonMode, epsilon: 0.1 },
            });
          }),
          { numRuns: 6 },
        ),
    },
  );
});

test('RegionNormGrad', async () => {
  const shape = [2, 3, 4, 5];
  await opcheck(
    RegionNormGrad,
    [
      { inputs: { ...ofX(shape, 'dy'), ...labels(shape), ...statisticsOf(1, 2, 5, 12) }, attrs: { epsilon: 0.1 } },
      {
        inputs: { ...ofX([2, 9, 8], 'dy'), ...labels([2, 9, 8], -1, 4), ...statisticsOf(2, 3, 8, 3), gamma: { shape: [3, 8] } },
        attrs: { regions: 3, statistics: 'instance', epsilonMode: 'plain', epsilon: 0.1 },
      },
      {
        inputs: { ...ofX([2, 9, 8]), dy: { shape: [9, 8] }, ...labels([2, 9, 8]), ...statisticsOf(1, 2, 8, 3) },
        throws: { code: 'SHAPE', argument: 'dy' },
      },
      {
        inputs: { ...ofX([2, 9, 8], 'dy'), ...labels([2, 9, 8]), ...statisticsOf(2, 2, 8, 3) },
        throws: { code: 'SHAPE', argument: 'statistics' },
      },
    ],
    { backends },
  );
});

test('MappedRegionNorm', async () => {
  const shape = [2, 3, 4, 5];
  await opcheck(
    MappedRegionNorm,
    [
      { inputs: { ...ofX(shape), ...labels(shape), ...affineOf(shape) }, attrs: { epsilon: 0.1 } },
      {
        inputs: { ...ofX([2, 10, 8]), ...labels([2, 10, 8], -1, 4), ...affineOf([2, 10, 8]) },
        attrs: { regions: 3, statistics: 'instance', epsilonMode: 'plain', epsilon: 0.1 },
      },
      { name: 'more pixels than a block', inputs: { ...ofX([1, 700, 6]), ...labels([1, 700, 6]), ...affineOf([1, 700, 6]) } },
      {
        inputs: { ...ofX([2, 5]), ...labels([2, 5]), affine: { shape: [2, 1] } },
        throws: { code: 'SHAPE', argument: 'affine' },
      },
      {
        inputs: { ...ofX([2, 5]), ...labels([2, 5]), ...affineOf([2, 5]) },
        attrs: { epsilon: -1 },
        throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' },
      },
    ],
    { backends },
  );
});

test('MappedRegionNormGrad', async () => {
  const shape = [2, 3, 4, 5];
  await opcheck(
    MappedRegionNormGrad,
    [
      { inputs: { ...ofX(shape, 'dy'), ...labels(shape), ...affineOf(shape), ...statisticsOf(1, 2, 5, 12) }, attrs: { epsilon: 0.1 } },
      {
        inputs: { ...ofX([2, 9, 8], 'dy'), ...labels([2, 9, 8], -1, 4), ...affineOf([2, 9, 8]), ...statisticsOf(2, 3, 8, 3) },
        attrs: { regions: 3, statistics: 'instance', epsilonMode: 'plain', epsilon: 0.1 },
      },
      {
        inputs: { ...ofX([2, 8]), dy: { shape: [3, 8] }, ...labels([2, 8]), ...affineOf([2, 8]), ...statisticsOf(1, 2, 8, 3) },
        throws: { code: 'SHAPE', argument: 'dy' },
      },
    ],
    { backends },
  );
});

test('RegionMoments', async () => {
  const shape = [2, 3, 4, 5];
  await opcheck(
    RegionMoments,
    [
      { inputs: { ...ofX(shape), ...labels(shape) } },
      { inputs: { ...ofX([2, 10, 8]), ...labels([2, 10, 8], -1, 4) }, attrs: { regions: 3, statistics: 'instance' } },
      { name: 'more pixels than a block', inputs: { ...ofX([3, 300, 6]), ...labels([3, 300, 6]) } },
      ...refused,
    ],
    { backends },
  );
});

test('RegionMomentsGrad', async () => {
  const shape = [2, 3, 4, 5];
  await opcheck(
    RegionMomentsGrad,
    [
      { inputs: { ...ofX(shape), ...labels(shape), ...statisticsOf(1, 2, 5, 12) } },
      {
        inputs: { ...ofX([2, 9, 8]), ...labels([2, 9, 8], -1, 4), ...statisticsOf(2, 3, 8, 3) },
        attrs: { regions: 3, statistics: 'instance' },
      },
    ],
    { backends },
  );
});

test('SoftRegionNorm', async () => {
  await opcheck(
    SoftRegionNorm,
    [
      { inputs: { ...ofX([2, 3, 3, 3]), ...weights([2, 3, 3, 3]) }, attrs: { epsilon: 0.1 } },
      {
        inputs: { ...ofX([2, 7, 4]), ...weights([2, 7, 4]) },
        attrs: { statistics: 'instance', epsilonMode: 'plain', epsilon: 0.1 },
      },
      { inputs: { ...ofX([2, 7, 4]), mask: { shape: [2, 7, 4] } }, throws: { code: 'SHAPE', argument: 'mask' } },
    ],
    { backends, expectKernel: false },
  );
});

test('ChannelMeanMax', async () => {
  await opcheck(
    ChannelMeanMax,
    [
      // Steps must not change which is largest.
      { inputs: { x: { shape: [2, 3, 3, 5], values: (i) => ((i * 7) % 45) / 22 - 1 } } },
      { inputs: { x: { shape: [3, 12], values: (i) => ((i * 7) % 36) / 18 - 1 } } },
      { name: 'one channel', inputs: { x: { shape: [5, 1] } } },
      { name: 'many pixels of many channels', inputs: { x: { shape: [300, 130] } }, gradient: false },
      { inputs: { x: { shape: [4, 0] } }, throws: { code: 'SHAPE', argument: 'x' } },
    ],
    { backends },
  );
});

test('ChannelMeanMaxGrad', async () => {
  await opcheck(
    ChannelMeanMaxGrad,
    [
      { inputs: { x: { shape: [2, 3, 5], values: (i) => ((i * 7) % 30) / 15 - 1 }, dy: { shape: [2, 3, 2] } } },
      {
        name: 'to the first of several',
        inputs: { x: { shape: [3, 6], values: (i) => -((i + 1) % 3) }, dy: { shape: [3, 2] } },
        wrt: ['dy'],
      },
      { inputs: { x: { shape: [3, 6] }, dy: { shape: [3, 1] } }, throws: { code: 'SHAPE', argument: 'dy' } },
    ],
    { backends },
  );
  expect(backends.length).toBeGreaterThan(0);
});
