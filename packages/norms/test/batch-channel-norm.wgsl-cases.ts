// Sizes about those of teams, blocks and parts, for batch-channel norm and weight standardization.
import type { AnyOp } from '@evenkeel/core';
import { BatchChannelNorm, BatchChannelNormGrad, BatchChannelNormInference, EstimatedBatchNorm } from '../src/batch-channel-norm/index.ts';
import { WeightStandardization, WeightStandardizationGrad } from '../src/weight-standardization/index.ts';
import type { Case } from './devices.ts';

const pictures: readonly (readonly [shape: number[], numGroups: number])[] = [
  [[3, 5, 7], 1],
  [[2, 6, 5, 12], 3],
  [[20, 3, 3, 64], 32],
  [[2, 2, 260], 2],
  [[1, 30, 41, 6], 2],
  [[40, 2, 4], 2],
];

const ALL = ['gamma', 'beta', 'channelGamma', 'channelBeta'];

function shapesOf(shape: number[], ofChannelPart: number, names: readonly string[]): Case['inputs'] {
  const channels = shape.slice(-1);
  const shapes: Record<string, number[]> = {
    x: shape,
    dy: shape,
    mean: channels,
    variance: channels,
    gamma: channels,
    beta: channels,
    channelGamma: [ofChannelPart],
    channelBeta: [ofChannelPart],
  };
  return Object.fromEntries(names.map((name) => [name, shapes[name]!]));
}

function cases(required: readonly string[], optional: readonly string[], attrs: object = {}): Case[] {
  return pictures.flatMap(([shape, numGroups]) => [
    { inputs: shapesOf(shape, numGroups, required), attrs: { numGroups, ...attrs } },
    { inputs: shapesOf(shape, numGroups, [...required, ...optional]), attrs: { numGroups, ...attrs } },
    { inputs: shapesOf(shape, shape.at(-1)!, [...required, ...optional]), attrs: { numGroups, perChannel: true, ...attrs } },
  ]);
}

const STATE = ['x', 'mean', 'variance'];
const training = cases(STATE, ALL, { updateRate: 0.3 });
const inferring = cases(STATE, ALL);
const gradients = cases([...STATE, 'dy'], ['gamma', 'beta', 'channelGamma']);
const estimated = pictures.flatMap(([shape]) =>
  [STATE, [...STATE, 'gamma', 'beta']].map((names) => ({ inputs: shapesOf(shape, 0, names), attrs: { updateRate: 0.3 } })),
);

const kernels: readonly number[][] = [
  [2, 1],
  [3, 3, 1, 8],
  [3, 3, 64, 20],
  [1, 1, 300, 130],
  [9, 7],
];
const variants = ['sqrt(var_unbiased+eps)', 'std_unbiased+eps', 'std_biased+eps'];
const standardized = (...names: string[]): Case[] =>
  kernels.flatMap((shape) =>
    variants.map((variant) => ({ inputs: Object.fromEntries(names.map((name) => [name, shape])), attrs: { variant } })),
  );

export const batchChannelNormCases: readonly [AnyOp, readonly Case[]][] = [
  [BatchChannelNorm, [...training, { ...training[4]!, nan: 30 }]],
  [BatchChannelNormInference, [...inferring, { ...inferring[4]!, nan: 30 }]],
  [BatchChannelNormGrad, gradients],
  [EstimatedBatchNorm, [...estimated, { ...estimated[3]!, nan: 30 }]],
  [WeightStandardization, standardized('kernel')],
  [WeightStandardizationGrad, standardized('kernel', 'dy')],
];

/** How many dispatches each takes. */
export const batchChannelNormDispatches: readonly [AnyOp, Case, number][] = [
  [BatchChannelNorm, training[4]!, 3],
  [BatchChannelNormInference, inferring[4]!, 3],
  [BatchChannelNormGrad, gradients[4]!, 4],
  [EstimatedBatchNorm, estimated[3]!, 3],
  [WeightStandardization, standardized('kernel')[3]!, 1],
  [WeightStandardizationGrad, standardized('kernel', 'dy')[3]!, 1],
];
