import { mul, mean, reshape, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp, expect, sizeOf } from '@evenkeel/core';
import { activate, betaFor, checkActivation, slope, type Activation } from '../activation.ts';
import { leadingAxes } from '../axes.ts';
import { checkEpsilon, checkReduced, checkShape } from '../checks.ts';
import { affine, standardize } from '../layer-norm/op.ts';
import { owner } from '../owner.ts';
import { groupNormGradWasm, groupNormWasm } from './wasm.ts';
import { groupNormGradWgsl, groupNormWgsl } from './wgsl.ts';

export interface GroupNormOptions {
  /** How many groups of contiguous channels share statistics; divides the number of channels. Default 32. */
  numGroups?: number;
  /** Added to the variance, inside the root. Default 1e-5. */
  epsilon?: number;
  /** What is applied to the result in the same pass. Default 'linear': nothing. */
  activation?: Activation;
}

const attrs: Required<GroupNormOptions> = { numGroups: 32, epsilon: 1e-5, activation: 'linear' };

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

/**
 * As {@link LayerNormGrad}, with means over the group after multiplication by the channel's gamma. Behind an activation dy is first
 * multiplied by its slope, for which beta is needed.
 */
export const GroupNormGrad = /* @__PURE__ */ defineOp({
  name: 'GroupNormGrad',
  owner,
  inputs: { x: 'batch,...,c', dy: 'batch,...,c', gamma: { shape: 'c', optional: true }, beta: { shape: 'c', optional: true } },
  attrs,
  check: ({ x, dy }, { numGroups, activation }) => {
    checkActivation('GroupNormGrad', activation);
    checkShape('GroupNormGrad', 'dy', dy, x.shape, 'as x');
    checkGroups('GroupNormGrad', x, numGroups);
  },
  outputs: {
    dx: ({ x }) => ({ shape: x.shape, dtype: 'float32' }),
    dgamma: ({ x }) => ({ shape: x.shape.slice(-1), dtype: 'float32' }),
    dbeta: ({ x }) => ({ shape: x.shape.slice(-1), dtype: 'float32' }),
  },
  reference: ({ x, dy, gamma, beta }, { numGroups, epsilon, activation }) => {
    const { xhat, r } = standardize(grouped(x, numGroups), [1, 3], epsilon);
    const flat = reshape(xhat, x.shape);
    const dz = slope(affine(flat, gamma, beta), dy, activation);
    const g = grouped(gamma ? mul(dz, gamma) : dz, numGroups);
    const dx = mul(r, sub(sub(g, mean(g, [1, 3], true)), mul(xhat, mean(mul(g, xhat), [1, 3], true))));
    const rows = leadingAxes(x, 1);
    return { dx: reshape(dx, x.shape), dgamma: sum(mul(dz, flat), rows), dbeta: sum(dz, rows) };
  },
  kernels: () => [groupNormGradWgsl(), groupNormGradWasm()],
});

export const GroupNorm = /* @__PURE__ */ defineOp({
  name: 'GroupNorm',
  owner,
  inputs: { x: 'batch,...,c', gamma: { shape: 'c', optional: true }, beta: { shape: 'c', optional: true } },
  attrs,
  check: ({ x }, { numGroups, epsilon, activation }) => {
    checkActivation('GroupNorm', activation);
    checkEpsilon('GroupNorm', epsilon);
    checkReduced('GroupNorm', x, leadingAxes(x, 0).slice(1));
    checkGroups('GroupNorm', x, numGroups);
  },
  reference: ({ x, gamma, beta }, { numGroups, epsilon, activation }) => {
    const xhat = reshape(standardize(grouped(x, numGroups), [1, 3], epsilon).xhat, x.shape);
    return activate(affine(xhat, gamma, beta), activation);
  },
  gradient: (dy, { x, gamma, beta }, each) => {
    const { dx, dgamma, dbeta } = GroupNormGrad({ x, dy, gamma, beta: betaFor(each.activation, beta) }, each);
    return { x: dx, gamma: dgamma, beta: dbeta };
  },
  kernels: () => [groupNormWgsl(), groupNormWasm()],
});

/**
 * Group normalization: mean and variance per sample and group of contiguous channels, over space and the group's channels.
 * `activation` is applied in the same pass. With one group this is not {@link layerNorm} over the last axis: it also reduces over space.
 *
 * @param x - [batch, ...spatial, channels] float32, rank >= 2
 * @param gamma - [channels]; left out: 1
 * @param beta - [channels]; left out: 0
 * @returns a new tensor of x's shape. A group without variance becomes f(beta), f the activation. NaN or infinity stays in its sample and group.
 * Numbers as large as 65504, and mean 1e4 with deviation 1, are right to 5e-3.
 * @throws EvenkeelError SHAPE when gamma or beta do not fit or a reduced axis is empty, DTYPE for other than float32,
 * INVALID_ARGUMENT when numGroups does not divide the channels, epsilon <= 0, or an unknown activation
 *
 * Source: Wu, He 2018, "Group Normalization", equations 1, 2 and 7.
 *
 * @example
 * const y = groupNorm(tf.randomNormal([2, 8, 8, 64]), tf.ones([64]), tf.zeros([64]), { numGroups: 16 });
 */
export function groupNorm(x: Tensor, gamma?: Tensor, beta?: Tensor, options?: GroupNormOptions): Tensor {
  return GroupNorm({ x, gamma, beta }, options);
}
