// What the layers of RN-B and RN-L share.
import type { serialization } from '@tensorflow/tfjs-core';
import { expect } from '@evenkeel/core';
import type { LayerArgs, Shape } from '../keras.ts';
import { checkEpsilonOf, checkWord, type RegionEpsilonMode, type RegionStatistics } from './attributes.ts';
import { attributesOf, type RegionNormOptions } from './region-normalize.ts';

export interface RegionLayerArgs extends LayerArgs, RegionNormOptions {}

/** The word that is meant: saved models have it in Python's spelling, `per_region`. */
export function word<T extends string>(layer: string, argument: string, given: T | undefined, words: readonly T[]): T {
  const found =
    given === undefined ? words[0] : words.find((each) => each.toLowerCase() === String(given).replaceAll('_', '').toLowerCase());
  if (found === undefined) checkWord(layer, argument, String(given), words);
  return found!;
}

/** Checked options, with their defaults. */
export function optionsOf(layer: string, args: RegionNormOptions): Required<RegionNormOptions> {
  const statistics = word<RegionStatistics>(layer, 'statistics', args.statistics, ['batch', 'instance']);
  const given = args.epsilonMode;
  const mode = given && { epsilonMode: word<RegionEpsilonMode>(layer, 'epsilonMode', given, ['official', 'plain']) };
  const options = attributesOf({ statistics, ...(args.epsilon !== undefined && { epsilon: args.epsilon }), ...mode });
  checkEpsilonOf(layer, { regions: 2, ...options });
  return options as Required<RegionNormOptions>;
}

/** The number of channels, last of [batch, height, width, channels]. */
export function channelsOf(layer: string, shape: Shape): number {
  const channels = shape.length === 4 ? shape[3] : undefined;
  const expected = '[batch, height, width, channels] with a known number of channels';
  expect(typeof channels === 'number', layer, 'inputShape', expected, shape);
  return channels;
}

export type Config = serialization.ConfigDict;
