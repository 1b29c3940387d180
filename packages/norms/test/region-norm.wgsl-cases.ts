// Sizes about those of teams, blocks and parts, for region normalization: few positions and many, few samples and many, channels in fours and not.
import type { AnyOp } from '@evenkeel/core';
import {
  ChannelMeanMax,
  ChannelMeanMaxGrad,
  MappedRegionNorm,
  MappedRegionNormGrad,
  RegionMoments,
  RegionMomentsGrad,
  RegionNorm,
  RegionNormGrad,
} from '../src/region-norm/index.ts';
import type { Case } from './devices.ts';

/** Labels in these cases are 0, 1 and 2: of two regions and none, or of three. */
const pictures: readonly (readonly [shape: number[], regions: number])[] = [
  [[3, 5, 7], 2],
  [[2, 6, 5, 12], 3],
  [[20, 3, 3, 64], 2],
  [[2, 2, 260], 4],
  [[1, 30, 41, 6], 2],
  [[40, 2, 4], 1],
];

function cases(...names: string[]): Case[] {
  return pictures.flatMap(([shape, regions]) =>
    ['batch', 'instance'].map((statistics) => {
      const pixels = shape.slice(0, -1);
      const channels = shape.at(-1)!;
      const ofSets = [statistics === 'batch' ? 1 : shape[0]!, regions, 3, channels];
      const shapes: Record<string, number[]> = {
        x: shape,
        labels: [...pixels, 1],
        dy: shape,
        affine: [...pixels, 2],
        gamma: [regions, channels],
        beta: [regions, channels],
        statistics: ofSets,
        dstatistics: ofSets,
      };
      return { inputs: Object.fromEntries(['x', 'labels', ...names].map((name) => [name, shapes[name]!])), attrs: { regions, statistics } };
    }),
  );
}

const rows: readonly number[][] = [
  [3, 1],
  [37, 19],
  [5, 3, 8],
  [70_001, 4],
];

export const regionNormCases: readonly [AnyOp, readonly Case[]][] = [
  [RegionMoments, cases()],
  [RegionMomentsGrad, cases('statistics', 'dstatistics')],
  [RegionNorm, [...cases(), ...cases('gamma', 'beta')]],
  [RegionNorm, [{ inputs: { x: [2, 9, 8], labels: [2, 9, 1] }, attrs: { statistics: 'instance', epsilonMode: 'plain' }, nan: 30 }]],
  [RegionNormGrad, [...cases('dy', 'statistics', 'dstatistics'), ...cases('dy', 'statistics', 'dstatistics', 'gamma')]],
  [MappedRegionNorm, cases('affine')],
  [MappedRegionNormGrad, cases('dy', 'affine', 'statistics', 'dstatistics')],
  [ChannelMeanMax, [...rows.map((x) => ({ inputs: { x } })), { inputs: { x: [9, 12] }, nan: 30 }]],
  [ChannelMeanMaxGrad, rows.map((x) => ({ inputs: { x, dy: [...x.slice(0, -1), 2] } }))],
];

/** How many dispatches each takes. */
export const regionNormDispatches: readonly [AnyOp, Case, number][] = [
  [RegionMoments, cases()[2]!, 2],
  [RegionMomentsGrad, cases('statistics', 'dstatistics')[2]!, 1],
  [RegionNorm, cases('gamma', 'beta')[2]!, 2],
  [RegionNormGrad, cases('dy', 'statistics', 'dstatistics', 'gamma')[2]!, 3],
  [MappedRegionNorm, cases('affine')[2]!, 2],
  [MappedRegionNormGrad, cases('dy', 'affine', 'statistics', 'dstatistics')[2]!, 3],
  [ChannelMeanMax, { inputs: { x: [9, 12] } }, 1],
  [ChannelMeanMaxGrad, { inputs: { x: [9, 12], dy: [9, 2] } }, 1],
];
