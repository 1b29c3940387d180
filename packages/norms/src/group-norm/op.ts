import { add, mul, mean, reshape, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp, expect, sizeOf } from '@evenkeel/core';
import { leadingAxes } from '../axes.ts';
import { checkEpsilon, checkReduced, checkShape } from '../checks.ts';
import { standardize } from '../layer-norm/op.ts';
import { owner } from '../owner.ts';
import { groupNormGradWasm, groupNormWasm } from './wasm.ts';
import { groupNormGradWgsl, groupNormWgsl } from './wgsl.ts';

export interface GroupNormOptions {
  /** How many groups of contiguous channels share statistics; divides the number of channels. Default 32. */
  numGroups?: number;
  /** Added to the variance, inside the root. Default 1e-5. */
  epsilon?: number;
}

/** [N, ...spatial, C] as [N, spatial, G, C / G]: group k holds the channels k C/G .. (k+1) C/G - 1. */
function grouped(x: Tensor, numGroups: number): Tensor {
  const channels = x.shape[x.rank - 1]!;
  return reshape(x, [x.shape[0]!, sizeOf(x.shape.slice(1, -1)), numGroups, channels / numGroups]);
}

function checkGroups(op: string, x: Tensor, numGroups: number): void {
  expect(Number.isInteger(numGroups) && numGroups > 0, op, 'numGroups', 'an integer > 0', numGroups);
  const channels = x.shape[x.rank - 1]!;
  expect(channels % numGroups === 0, op, 'numGroups', `a divisor of the ${channels} channels of x`, numGroups);
}

/** As {@link LayerNormGrad}, with means over the group after multiplication by the channel's gamma. */
export const GroupNormGrad = /* @__PURE__ */ defineOp({
  name: 'GroupNormGrad',
  owner,
  inputs: { x: 'batch,...,c', dy: 'batch,...,c', gamma: { shape: 'c', optional: true } },
  attrs: { numGroups: 32, epsilon: 1e-5 },
  check: ({ x, dy }, { numGroups }) => {
    checkShape('GroupNormGrad', 'dy', dy, x.shape, 'as x');
    checkGroups('GroupNormGrad', x, numGroups);
  },
  outputs: {
    dx: ({ x }) => ({ shape: x.shape, dtype: 'float32' }),
    dgamma: ({ x }) => ({ shape: x.shape.slice(-1), dtype: 'float32' }),
    dbeta: ({ x }) => ({ shape: x.shape.slice(-1), dtype: 'float32' }),
  },
  reference: ({ x, dy, gamma }, { numGroups, epsilon }) => {
    const { xhat, r } = standardize(grouped(x, numGroups), [1, 3], epsilon);
    const g = grouped(gamma ? mul(dy, gamma) : dy, numGroups);
    const dx = mul(r, sub(sub(g, mean(g, [1, 3], true)), mul(xhat, mean(mul(g, xhat), [1, 3], true))));
    const rows = leadingAxes(x, 1);
    return { dx: reshape(dx, x.shape), dgamma: sum(mul(dy, reshape(xhat, x.shape)), rows), dbeta: sum(dy, rows) };
  },
  kernels: () => [groupNormGradWgsl(), groupNormGradWasm()],
});

export const GroupNorm = /* @__PURE__ */ defineOp({
  name: 'GroupNorm',
  owner,
  inputs: { x: 'batch,...,c', gamma: { shape: 'c', optional: true }, beta: { shape: 'c', optional: true } },
  attrs: { numGroups: 32, epsilon: 1e-5 },
  check: ({ x }, { numGroups, epsilon }) => {
    checkEpsilon('GroupNorm', epsilon);
    checkReduced('GroupNorm', x, leadingAxes(x, 0).slice(1));
    checkGroups('GroupNorm', x, numGroups);
  },
  reference: ({ x, gamma, beta }, { numGroups, epsilon }) => {
    const xhat = reshape(standardize(grouped(x, numGroups), [1, 3], epsilon).xhat, x.shape);
    const scaled = gamma ? mul(xhat, gamma) : xhat;
    return beta ? add(scaled, beta) : scaled;
  },
  gradient: (dy, { x, gamma }, attrs) => {
    const { dx, dgamma, dbeta } = GroupNormGrad({ x, dy, gamma }, attrs);
    return { x: dx, gamma: dgamma, beta: dbeta };
  },
  kernels: () => [groupNormWgsl(), groupNormWasm()],
});

/**
 * Group normalization: mean and variance per sample and group of contiguous channels, over space and the group's channels.
 * With one group this is not {@link layerNorm} over the last axis: it also reduces over space.
 *
 * @param x - [batch, ...spatial, channels] float32, rank >= 2
 * @param gamma - [channels]; left out: 1
 * @param beta - [channels]; left out: 0
 * @returns a new tensor of x's shape
 * @throws EvenkeelError SHAPE when gamma or beta do not fit or a reduced axis is empty, DTYPE for other than float32,
 * INVALID_ARGUMENT when numGroups does not divide the channels, or epsilon <= 0
 *
 * Source: Wu, He 2018, "Group Normalization", equations 1, 2 and 7.
 *
 * @example
 * const y = groupNorm(tf.randomNormal([2, 8, 8, 64]), tf.ones([64]), tf.zeros([64]), { numGroups: 16 });
 */
export function groupNorm(x: Tensor, gamma?: Tensor, beta?: Tensor, options?: GroupNormOptions): Tensor {
  return GroupNorm({ x, gamma, beta }, options);
}
