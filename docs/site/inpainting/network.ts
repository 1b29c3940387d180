// The two networks of the page, which differ in their norms alone.
import { dispose } from '@tensorflow/tfjs-core';
import { readSafetensors, toTensors } from '@evenkeel/core';
import { buildInpaintingGenerator, type Generator, type GeneratorOptions } from '../../../recipes/region-norm/generator.ts';

export type Scheme = 'plain' | 'region';

export const SCHEMES: readonly Scheme[] = ['plain', 'region'];

/** The side of the pictures that the networks learned from, and of those that the page shows. */
export const SIDE = 64;

const options: Readonly<Record<Scheme, GeneratorOptions>> = {
  plain: { encoder: 'instance', later: 'instance' },
  region: { encoder: 'rn-b', later: 'instance', statistics: 'instance', affineMode: 'perRegion' },
};

/** Untrained, with the same seed for both. */
export const build = (scheme: Scheme): Generator => buildInpaintingGenerator({ ...options[scheme], width: 16, blocks: 3, seed: 1 });

/** With the weights of a file that `train.ts` wrote. */
export function load(scheme: Scheme, bytes: ArrayBuffer): Generator {
  const generator = build(scheme);
  const tensors = toTensors(readSafetensors(bytes).tensors);
  for (const [name, weight] of Object.entries(generator.weights)) weight.assign(tensors[name]!);
  dispose(tensors);
  return generator;
}
