// What the WGSL kernels of compressed, L1 and conditional norms are held to beside these norms' own tests: sizes about those of teams and blocks.
import type { AnyOp } from '@evenkeel/core';
import { AddCRMSNorm, CRMSNorm, CRMSNormGrad } from '../src/crms-norm/op.ts';
import { L1BatchNorm, L1BatchNormGrad } from '../src/l1-batch-norm/op.ts';
import { L1LayerNorm, L1LayerNormGrad } from '../src/l1-layer-norm/op.ts';
import { ConditionalNorm, ConditionalNormGrad } from '../src/time-dependent-norm/op.ts';
import type { Case } from './devices.ts';

/** Rows shorter and longer than a subgroup, in fours and not, and one so long that a workgroup works on it. */
const rows: number[][] = [
  [3, 2],
  [37, 19],
  [5, 3, 8],
  [2, 9001],
  [1, 20_000],
];

const pictures: number[][] = [
  [3, 5, 7],
  [2, 6, 5, 12],
  [20, 3, 3, 64],
  [2, 1, 260],
  [5000, 6],
];

/** Inputs that have x's shape, and those of its last axis. */
const inputs = (shape: number[], like: readonly string[], last: readonly string[] = []): Case['inputs'] => ({
  x: shape,
  ...Object.fromEntries(like.map((name) => [name, shape])),
  ...Object.fromEntries(last.map((name) => [name, shape.slice(-1)])),
});

/** gamma and beta: a row for each sample, or one for all. */
const conditional = (shape: number[], each: readonly string[], one: readonly string[], like: readonly string[] = []): Case['inputs'] => ({
  ...inputs(shape, like),
  ...Object.fromEntries(each.map((name) => [name, [shape[0]!, shape.at(-1)!]])),
  ...Object.fromEntries(one.map((name) => [name, [1, shape.at(-1)!]])),
});

const kinds = ['layer', 'rms'];

export const rowNormCases: readonly [AnyOp, readonly Case[]][] = [
  [CRMSNorm, [...rows.map((shape) => ({ inputs: inputs(shape, []) })), { inputs: inputs([9, 12], []), nan: 30 }]],
  [AddCRMSNorm, rows.map((shape) => ({ inputs: inputs(shape, ['residual']), attrs: { padding: 1 } }))],
  [CRMSNormGrad, rows.flatMap((shape) => [{ inputs: inputs(shape, ['dy']) }, { inputs: inputs(shape, ['dy', 'dsum']) }])],
  [L1LayerNorm, rows.flatMap((shape) => [{ inputs: inputs(shape, []) }, { inputs: inputs(shape, [], ['gamma', 'beta']) }])],
  [L1LayerNormGrad, [...rows, [5000, 6]].map((shape) => ({ inputs: inputs(shape, ['dy'], ['gamma']), attrs: { gaussianScale: true } }))],
  [L1BatchNorm, pictures.flatMap((shape) => [{ inputs: inputs(shape, []) }, { inputs: inputs(shape, [], ['gamma', 'beta']) }])],
  [
    L1BatchNormGrad,
    pictures.map((shape) => ({
      inputs: inputs(shape, ['dy'], ['mean', 'deviation', 'dmean', 'ddeviation', 'gamma']),
      attrs: { gradFloor: 0.6 },
    })),
  ],
  [
    ConditionalNorm,
    [...rows, [3, 700, 6]].flatMap((shape) =>
      kinds.flatMap((kind) => [
        { inputs: conditional(shape, ['gamma'], ['beta']), attrs: { kind } },
        { inputs: conditional(shape, ['beta'], []), attrs: { kind } },
      ]),
    ),
  ],
  [
    ConditionalNormGrad,
    [...rows, [3, 700, 6]].flatMap((shape) =>
      kinds.flatMap((kind) => [
        { inputs: conditional(shape, ['gamma'], [], ['dy']), attrs: { kind, samples: shape[0]! } },
        { inputs: conditional(shape, [], ['gamma'], ['dy']), attrs: { kind, samples: 1 } },
      ]),
    ),
  ],
];
