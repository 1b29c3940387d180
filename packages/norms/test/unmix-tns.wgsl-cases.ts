// Sizes about those of teams, tiles and items, for UnMix-TNS: few positions and many, few images and many, channels in fours and not.
import type { AnyOp } from '@evenkeel/core';
import { UnMixNorm, UnMixNormGrad } from '../src/unmix-tns/index.ts';
import type { Case } from './devices.ts';

const pictures: readonly (readonly [shape: number[], components: number])[] = [
  [[3, 5, 7], 1],
  [[2, 6, 5, 12], 8],
  [[70, 3, 3, 64], 16],
  [[2, 2, 260], 130],
  [[1, 30, 41, 6], 3],
  [[2, 1, 1030], 4],
];

export const unmixTnsCases: readonly [AnyOp, readonly Case[]][] = [
  [
    UnMixNorm,
    pictures.flatMap(([shape, components]) => {
      const channels = shape.at(-1)!;
      const inputs = { x: shape, means: [components, channels], variances: [components, channels] };
      return [
        { inputs, attrs: { exactMixtureVariance: true } },
        { inputs: { ...inputs, gamma: [channels], beta: [channels] } },
        { inputs, nan: 1 },
      ];
    }),
  ],
  [
    UnMixNormGrad,
    pictures.flatMap(([shape, components]) => {
      const [images, channels] = [shape[0]!, shape.at(-1)!];
      const inputs = { x: shape, dy: shape, statistics: [images, 4, channels] };
      return [
        { inputs, attrs: { components } },
        { inputs: { ...inputs, gamma: [channels] }, attrs: { components } },
      ];
    }),
  ],
];
