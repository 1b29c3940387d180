// Sizes about those of teams, blocks and parts, for EvoNorm: few positions and many, few samples and many, channels in fours and not.
import type { AnyOp } from '@evenkeel/core';
import { EvoNormB, EvoNormBGrad, EvoNormBInference, EvoNormBInferenceGrad, EvoNormS, EvoNormSGrad } from '../src/evo-norm/index.ts';
import type { Case } from './devices.ts';

const pictures: readonly (readonly [shape: number[], numGroups: number])[] = [
  [[3, 5, 7], 1],
  [[2, 6, 5, 12], 3],
  [[20, 3, 3, 64], 32],
  [[2, 2, 260], 2],
  [[1, 30, 41, 6], 2],
  [[40, 2, 4], 4],
];

const named = (shape: readonly number[], names: readonly string[]): Case['inputs'] => ({
  x: shape,
  ...Object.fromEntries(names.map((name) => [name, name === 'dy' ? shape : shape.slice(-1)])),
});

const ofSample = (...names: string[]): Case[] =>
  pictures.flatMap(([shape, numGroups]) => [
    {
      inputs: named(
        shape,
        names.filter((name) => name === 'dy'),
      ),
      attrs: { numGroups, centred: false },
    },
    { inputs: named(shape, names), attrs: { numGroups } },
  ]);

const ofBatch = (...names: string[]): Case[] =>
  pictures.flatMap(([shape]) => [
    { inputs: named(shape, [...names, 'v']), attrs: { variant: 'B0' } },
    ...['B1', 'B2'].map((variant) => ({
      inputs: named(
        shape,
        names.filter((name) => name !== 'gamma'),
      ),
      attrs: { variant },
    })),
  ]);

export const evoNormCases: readonly [AnyOp, readonly Case[]][] = [
  [EvoNormS, [...ofSample('gamma', 'beta', 'v'), { inputs: { x: [2, 9, 8] }, attrs: { numGroups: 2 }, nan: 30 }]],
  [EvoNormSGrad, ofSample('dy', 'gamma', 'v')],
  [EvoNormB, ofBatch('gamma', 'beta')],
  [EvoNormBGrad, ofBatch('dy', 'gamma', 'variance', 'dvariance')],
  [EvoNormBInference, [...ofBatch('gamma', 'beta', 'variance'), { inputs: named([2, 9, 8], ['variance']), nan: 30 }]],
  [EvoNormBInferenceGrad, ofBatch('dy', 'gamma', 'variance')],
];
