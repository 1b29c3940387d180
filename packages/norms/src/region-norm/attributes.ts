import { div, maximum, mul, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError, expect } from '@evenkeel/core';
import { asSlabs, leadingAxes } from '../axes.ts';
import { checkEpsilon, checkReduced, checkShape } from '../checks.ts';

/** Over which pixels a region's statistics go: those of the whole batch, or of each sample by itself. */
export type RegionStatistics = 'batch' | 'instance';

/** 'official': epsilon grows as the region's share of the pixels falls, as in the authors' code. 'plain': the same for all regions. */
export type RegionEpsilonMode = 'official' | 'plain';

/** Attributes that say what a statistic is of. */
export interface StatisticsAttributes {
  regions: number;
  statistics: string;
}

export interface RegionAttributes extends StatisticsAttributes {
  epsilon: number;
  epsilonMode: string;
}

export const STATISTICS_DEFAULTS: StatisticsAttributes = { regions: 2, statistics: 'batch' };
export const REGION_DEFAULTS: RegionAttributes = { ...STATISTICS_DEFAULTS, epsilon: 1e-5, epsilonMode: 'official' };

/** Throws unless it is one of these words. */
export function checkWord(op: string, argument: string, value: string, words: readonly string[]): void {
  expect(words.includes(value), op, argument, words.map((word) => `'${word}'`).join(' or '), value);
}

/** Pixels that share statistics: `sets` of `positions` each. */
export function asSets(shape: readonly number[], statistics: string): { sets: number; positions: number; channels: number } {
  const { samples, positions, channels } = asSlabs(shape);
  return statistics === 'batch' ? { sets: 1, positions: samples * positions, channels } : { sets: samples, positions, channels };
}

/** [sets, regions, 3, channels]: count, mean and biased variance. The count is the same for all channels. */
export function statisticsShape(x: Tensor, { regions, statistics }: StatisticsAttributes): number[] {
  const { sets, channels } = asSets(x.shape, statistics);
  return [sets, regions, 3, channels];
}

/** What all ops of regions ask of x and its labels. */
export function checkRegions(op: string, x: Tensor, labels: Tensor, { regions, statistics }: StatisticsAttributes): void {
  if (x.rank < 2) {
    throw new EvenkeelError('SHAPE', `x has shape [${x.shape.join(', ')}], expected [batch, ...spatial, channels] of rank 2 or more`, {
      op,
      argument: 'x',
    });
  }
  expect(Number.isInteger(regions) && regions > 0, op, 'regions', 'an integer > 0', regions);
  checkWord(op, 'statistics', statistics, ['batch', 'instance']);
  checkShape(op, 'labels', labels, [...x.shape.slice(0, -1), 1], 'one label for each pixel of x');
  checkReduced(op, x, leadingAxes(x, 1).slice(1));
}

export function checkEpsilonOf(op: string, { epsilon, epsilonMode }: RegionAttributes): void {
  checkEpsilon(op, epsilon);
  checkWord(op, 'epsilonMode', epsilonMode, ['official', 'plain']);
}

/** The axes that a statistic goes over. */
export function reducedAxes(x: Tensor, statistics: string): number[] {
  return leadingAxes(x, 1).slice(statistics === 'batch' ? 0 : 1);
}

/** The epsilon of a region of `count` pixels among `positions`. */
export function epsilonOf(count: Tensor, positions: number, { epsilon, epsilonMode }: RegionAttributes): Tensor | number {
  return epsilonMode === 'official' ? div(mul(epsilon, positions), maximum(count, 1)) : epsilon;
}
