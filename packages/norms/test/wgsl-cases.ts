// What the WGSL kernels are held to beside the norms' own tests: sizes about those of teams and blocks.
import type { AnyOp } from '@evenkeel/core';
import { BatchNorm, BatchNormGrad, BatchNormInference, BatchNormInferenceGrad } from '../src/batch-norm/op.ts';
import { GroupNorm, GroupNormGrad } from '../src/group-norm/op.ts';
import { AddLayerNorm, LayerNorm, LayerNormGrad } from '../src/layer-norm/op.ts';
import { PowerNorm, PowerNormGrad, PowerNormInference } from '../src/power-norm/op.ts';
import { AddRMSNorm, RMSNorm, RMSNormGrad } from '../src/rms-norm/op.ts';
import type { Case } from './devices.ts';
import { batchChannelNormCases } from './batch-channel-norm.wgsl-cases.ts';
import { evoNormCases } from './evo-norm.wgsl-cases.ts';
import { rowNormCases } from './row-norms.wgsl-cases.ts';
import { regionNormCases } from './region-norm.wgsl-cases.ts';
import { unmixTnsCases } from './unmix-tns.wgsl-cases.ts';

/** A norm of `shape`, with parameters for its last axis. */
export const affine = (shape: number[], ...names: string[]): Case['inputs'] => ({
  x: shape,
  ...Object.fromEntries(names.map((name) => [name, name.startsWith('d') || name === 'residual' ? shape : shape.slice(-1)])),
});

/** Rows shorter and longer than a subgroup, in fours and not, and one so long that a workgroup works on it. */
const rows: number[][] = [
  [3, 1],
  [37, 19],
  [5, 3, 8],
  [2, 9001],
  [1, 20_000],
];
/** More rows than a block has in one chunk. */
const chunks = [5000, 6];
/** More workgroups than one dimension takes, where each row has its own. */
export const manyRows = [70_001, 4];

export const statistics = (channels: number): Case['inputs'] => ({
  mean: [channels],
  variance: [channels],
});

const pictures: number[][] = [
  [2, 1],
  [3, 5, 7],
  [2, 6, 5, 12],
  [20, 3, 3, 64],
  [2, 1, 260],
];

/** Tokens of channels, with mean squares of their own. */
const tokens = (shape: number[], ...names: string[]): Case['inputs'] => ({
  x: shape,
  ...Object.fromEntries(names.map((name) => [name, name === 'dy' ? shape : shape.slice(-1)])),
});

export const cases: readonly [AnyOp, readonly Case[]][] = [
  [LayerNorm, [...rows, manyRows].flatMap((shape) => [{ inputs: affine(shape) }, { inputs: affine(shape, 'gamma', 'beta') }])],
  [
    LayerNorm,
    [
      { inputs: { x: [3, 4, 5], gamma: [4, 5] }, attrs: { axes: [1, 2] } },
      { inputs: affine([9, 12]), nan: 30 },
    ],
  ],
  [LayerNorm, rows.map((shape) => ({ inputs: affine(shape, 'gamma', 'beta'), attrs: { activation: 'gelu' } }))],
  [AddLayerNorm, rows.map((shape) => ({ inputs: affine(shape, 'residual', 'gamma', 'beta') }))],
  [
    LayerNormGrad,
    [...rows, chunks, manyRows].flatMap((shape) => [{ inputs: affine(shape, 'dy') }, { inputs: affine(shape, 'dy', 'gamma', 'dsum') }]),
  ],
  [LayerNormGrad, [{ inputs: affine([9, 12], 'dy', 'gamma'), nan: 30 }]],
  [
    LayerNormGrad,
    [...rows, chunks].map((shape) => ({ inputs: affine(shape, 'dy', 'gamma', 'beta', 'dsum'), attrs: { activation: 'silu' } })),
  ],
  [RMSNorm, [...rows, manyRows].flatMap((shape) => [{ inputs: affine(shape) }, { inputs: affine(shape, 'gamma') }])],
  [RMSNorm, [{ inputs: affine([9, 12]), nan: 30 }]],
  [RMSNorm, rows.map((shape) => ({ inputs: affine(shape, 'gamma'), attrs: { activation: 'silu' } }))],
  [AddRMSNorm, rows.map((shape) => ({ inputs: affine(shape, 'residual', 'gamma') }))],
  [
    RMSNormGrad,
    [...rows, chunks, manyRows].flatMap((shape) => [{ inputs: affine(shape, 'dy') }, { inputs: affine(shape, 'dy', 'gamma') }]),
  ],
  [RMSNormGrad, [...rows, chunks].map((shape) => ({ inputs: affine(shape, 'dy', 'gamma', 'dsum'), attrs: { activation: 'gelu_new' } }))],
  [
    GroupNorm,
    pictures.flatMap((shape) => groups(shape).map((numGroups) => ({ inputs: affine(shape, 'gamma', 'beta'), attrs: { numGroups } }))),
  ],
  [GroupNorm, [{ inputs: affine([2, 50, 50, 8]), attrs: { numGroups: 2, activation: 'relu' } }]],
  [
    GroupNormGrad,
    pictures.flatMap((shape) => groups(shape).map((numGroups) => ({ inputs: affine(shape, 'dy', 'gamma'), attrs: { numGroups } }))),
  ],
  [GroupNormGrad, [{ inputs: affine([2, 50, 50, 8], 'dy', 'gamma', 'beta'), attrs: { numGroups: 2, activation: 'silu' } }]],
  [BatchNorm, [...pictures, manyRows].flatMap((shape) => [{ inputs: affine(shape) }, { inputs: affine(shape, 'gamma', 'beta') }])],
  [
    BatchNormGrad,
    [...pictures, manyRows].map((shape) => ({
      inputs: { ...affine(shape, 'dy', 'gamma'), ...statistics(shape.at(-1)!), dmean: shape.slice(-1), dvariance: shape.slice(-1) },
    })),
  ],
  [
    BatchNormInference,
    [...pictures, [5]].map((shape) => ({ inputs: { ...affine(shape, 'gamma', 'beta'), ...statistics(shape.at(-1)!) } })),
  ],
  [BatchNormInferenceGrad, [...pictures, manyRows].map((shape) => ({ inputs: { ...affine(shape, 'dy'), ...statistics(shape.at(-1)!) } }))],
  ...batchChannelNormCases,
  ...evoNormCases,
  ...rowNormCases,
  ...regionNormCases,
  ...unmixTnsCases,
  [
    PowerNorm,
    [...pictures, manyRows].flatMap((shape) =>
      [0, ...groups(shape)].flatMap((numGroups) =>
        [true, false].map((batchStatistic) => ({
          inputs: tokens(shape, 'runningPhi', 'emaGz', 'gamma', 'beta'),
          attrs: { groups: numGroups, batchStatistic },
        })),
      ),
    ),
  ],
  [
    PowerNormGrad,
    [...pictures, manyRows].flatMap((shape) =>
      [0, ...groups(shape)].map((numGroups) => ({
        inputs: tokens(shape, 'dy', 'forwardPhi', 'backwardPhi', 'emaGz', 'gamma'),
        attrs: { groups: numGroups },
      })),
    ),
  ],
  [PowerNormInference, pictures.map((shape) => ({ inputs: tokens(shape, 'runningPhi', 'gamma', 'beta'), attrs: { groups: 0 } }))],
];

/** One group, one for each channel, and something between. */
function groups(shape: number[]): number[] {
  const channels = shape.at(-1)!;
  return [...new Set([1, channels % 3 === 0 ? 3 : channels / 2, channels])].filter((count) => Number.isInteger(count));
}
