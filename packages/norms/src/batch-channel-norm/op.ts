// Batch-channel normalization with estimated statistics. The batch part: x1 = gamma (x - mean) / sqrt(variance + epsilon) + beta by channel.
// The channel part: group normalization of x1, with channelGamma and channelBeta by group, or by channel.
import {
  add,
  clone,
  div,
  isFinite,
  logicalAnd,
  mean as average,
  mul,
  reshape,
  sqrt,
  square,
  sub,
  sum,
  where,
  zeros,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { defineOp, EvenkeelError, expect, sizeOf } from '@evenkeel/core';
import { leadingAxes } from '../axes.ts';
import { BatchNormInferenceGrad } from '../batch-norm/op.ts';
import { checkEpsilon, checkReduced, checkShape } from '../checks.ts';
import { standardize } from '../layer-norm/op.ts';
import { owner } from '../owner.ts';
import type { BatchChannelNormAttributes, BatchChannelNormEstimateAttributes, EstimatedBatchNormAttributes } from './attributes.ts';
import { batchChannelNormGradWasm, batchChannelNormInferenceWasm, batchChannelNormWasm, estimatedBatchNormWasm } from './wasm.ts';
import { batchChannelNormGradWgsl, batchChannelNormInferenceWgsl, batchChannelNormWgsl, estimatedBatchNormWgsl } from './wgsl.ts';

type WithX = { x: Tensor };
type Float = { shape: number[]; dtype: 'float32' };
const likeX = ({ x }: WithX): Float => ({ shape: x.shape, dtype: 'float32' });
const perChannel = ({ x }: WithX): Float => ({ shape: x.shape.slice(-1), dtype: 'float32' });
const ofChannelPart = ({ x }: WithX, { numGroups, perChannel: each }: BatchChannelNormAttributes): Float => ({
  shape: [each ? x.shape.at(-1)! : numGroups],
  dtype: 'float32',
});

const parameters = {
  gamma: { shape: 'c', optional: true },
  beta: { shape: 'c', optional: true },
  channelGamma: { shape: 'k', optional: true },
} as const;
const attrs: BatchChannelNormAttributes = { numGroups: 32, epsilon: 1e-5, perChannel: false };

/** The divisor of `channels` that is nearest to `groups`. */
function nearestDivisor(channels: number, groups: number): number {
  let nearest = 1;
  for (let each = 1; each <= channels; each++) {
    if (channels % each === 0 && Math.abs(each - groups) < Math.abs(nearest - groups)) nearest = each;
  }
  return nearest;
}

export function checkGroups(op: string, argument: string, groups: number, channels: number): void {
  expect(Number.isInteger(groups) && groups > 0, op, argument, 'an integer > 0', groups);
  const wanted = `a divisor of the ${channels} channels; ${nearestDivisor(channels, groups)} is the nearest`;
  expect(channels % groups === 0, op, argument, wanted, groups);
}

export function checkUpdateRate(op: string, updateRate: number): void {
  expect(updateRate >= 0 && updateRate <= 1, op, 'updateRate', 'a number in [0, 1]', updateRate);
}

interface Checked {
  x: Tensor;
  channelGamma?: Tensor | undefined;
  channelBeta?: Tensor | undefined;
}

function check(op: string, inputs: Checked, given: BatchChannelNormAttributes): void {
  const { x, channelGamma, channelBeta } = inputs;
  const { numGroups, epsilon } = given;
  checkEpsilon(op, epsilon);
  checkReduced(op, x, leadingAxes(x, 0).slice(1));
  checkGroups(op, 'numGroups', numGroups, x.shape.at(-1)!);
  const { shape } = ofChannelPart(inputs, given);
  const why = given.perChannel ? 'the channels of x' : 'as many as there are groups';
  checkShape(op, 'channelGamma', channelGamma, shape, why);
  checkShape(op, 'channelBeta', channelBeta, shape, why);
  if (sizeOf(x.shape.slice(1)) > numGroups) return;
  const message = `x has shape [${x.shape.join(', ')}], expected more than one value in each of the ${numGroups} groups of a sample`;
  throw new EvenkeelError('SHAPE', `${message} (standardized, one value is 0)`, { op, argument: 'x' });
}

/** 1 / sqrt(variance + epsilon) */
const inverseRoot = (variance: Tensor, epsilon: number): Tensor => div(1, sqrt(add(variance, epsilon)));

const affine = (x: Tensor, gamma: Tensor | undefined, beta: Tensor | undefined): Tensor => {
  const scaled = gamma ? mul(x, gamma) : x;
  return beta ? add(scaled, beta) : scaled;
};

/** [N, ...spatial, C] as [N, positions, G, C / G]. */
function grouped(x: Tensor, groups: number): Tensor {
  const channels = x.shape.at(-1)!;
  return reshape(x, [x.shape[0]!, sizeOf(x.shape.slice(1, -1)), groups, channels / groups]);
}

/** A parameter of the channel part, for what {@link grouped} gives: [G, C / G] or [G, 1]. */
const forGroups = (parameter: Tensor | undefined, groups: number): Tensor | undefined =>
  parameter && reshape(parameter, [groups, parameter.size / groups]);

interface Inputs {
  x: Tensor;
  mean: Tensor;
  variance: Tensor;
  gamma?: Tensor | undefined;
  beta?: Tensor | undefined;
  channelGamma?: Tensor | undefined;
  channelBeta?: Tensor | undefined;
}

function normalize(inputs: Inputs, { numGroups, epsilon }: BatchChannelNormAttributes): Tensor {
  const { x, mean, variance, gamma, beta, channelGamma, channelBeta } = inputs;
  const x1 = affine(mul(sub(x, mean), inverseRoot(variance, epsilon)), gamma, beta);
  const z = standardize(grouped(x1, numGroups), [1, 3], epsilon).xhat;
  return reshape(affine(z, forGroups(channelGamma, numGroups), forGroups(channelBeta, numGroups)), x.shape);
}

/** The estimates after a step of `updateRate`, by channel, and the batch's own statistics. Where the latter are not finite, nothing moves. */
function estimate({ x, mean, variance }: Pick<Inputs, 'x' | 'mean' | 'variance'>, updateRate: number) {
  const rows = leadingAxes(x, 1);
  // As core answers for empty tensors; the functions above keep the state then.
  if (x.size === 0) {
    const none = zeros(mean.shape);
    return { newMean: none, newVariance: clone(none), batchMean: clone(none), batchVariance: clone(none) };
  }
  const batchMean = average(x, rows);
  // Deviations from the old mean, as the official code has it.
  const batchVariance = average(square(sub(x, mean)), rows);
  const finite = logicalAnd(isFinite(batchMean), isFinite(batchVariance));
  const move = (old: Tensor, batch: Tensor): Tensor => where(finite, add(old, mul(sub(batch, old), updateRate)), old);
  return { newMean: move(mean, batchMean), newVariance: move(variance, batchVariance), batchMean, batchVariance };
}

const statistics = { newMean: perChannel, newVariance: perChannel, batchMean: perChannel, batchVariance: perChannel };

/**
 * The gradients with the statistics as constants. With z the standardized x1, r its 1 / sqrt(variance + epsilon) and g = dy channelGamma:
 * dx1 = r (g - mean(g) - z mean(g z)) over the group; dx = dx1 gamma / sqrt(variance + epsilon).
 */
export const BatchChannelNormGrad = /* @__PURE__ */ defineOp({
  name: 'BatchChannelNormGrad',
  owner,
  inputs: { x: 'batch,...,c', dy: 'batch,...,c', mean: 'c', variance: 'c', ...parameters },
  attrs,
  check: (inputs, given) => {
    checkShape('BatchChannelNormGrad', 'dy', inputs.dy, inputs.x.shape, 'as x');
    check('BatchChannelNormGrad', inputs, given);
  },
  outputs: { dx: likeX, dgamma: perChannel, dbeta: perChannel, dchannelGamma: ofChannelPart, dchannelBeta: ofChannelPart },
  reference: ({ x, dy, mean, variance, gamma, beta, channelGamma }, { numGroups, epsilon, perChannel: each }) => {
    const rows = leadingAxes(x, 1);
    const root = inverseRoot(variance, epsilon);
    const xhat = mul(sub(x, mean), root);
    const { xhat: z, r } = standardize(grouped(affine(xhat, gamma, beta), numGroups), [1, 3], epsilon);
    const d = grouped(dy, numGroups);
    const factor = forGroups(channelGamma, numGroups);
    const g = factor ? mul(d, factor) : d;
    const through = sub(sub(g, average(g, [1, 3], true)), mul(z, average(mul(g, z), [1, 3], true)));
    const dx1 = reshape(mul(r, through), x.shape);
    const total = (values: Tensor): Tensor => reshape(sum(values, each ? [0, 1] : [0, 1, 3]), [-1]);
    return {
      dx: mul(dx1, gamma ? mul(root, gamma) : root),
      dgamma: sum(mul(dx1, xhat), rows),
      dbeta: sum(dx1, rows),
      dchannelGamma: total(mul(d, z)),
      dchannelBeta: total(d),
    };
  },
  kernels: () => [batchChannelNormGradWgsl(), batchChannelNormGradWasm()],
});

/** Batch-channel normalization with given statistics. */
export const BatchChannelNormInference = /* @__PURE__ */ defineOp({
  name: 'BatchChannelNormInference',
  owner,
  inputs: { x: 'batch,...,c', mean: 'c', variance: 'c', ...parameters, channelBeta: { shape: 'k', optional: true } },
  attrs,
  check: (inputs, given) => check('BatchChannelNormInference', inputs, given),
  reference: normalize,
  gradient: (dy, { x, mean, variance, gamma, beta, channelGamma }, given) => {
    const found = BatchChannelNormGrad({ x, dy, mean, variance, gamma, beta, channelGamma }, given);
    const { dx, dgamma, dbeta, dchannelGamma, dchannelBeta } = found;
    const root = (): Tensor => inverseRoot(variance, given.epsilon);
    const times = (a: Tensor): Tensor => (gamma ? mul(a, gamma) : a);
    return {
      x: dx,
      gamma: dgamma,
      beta: dbeta,
      channelGamma: dchannelGamma,
      channelBeta: dchannelBeta,
      mean: () => mul(times(mul(dbeta, root())), -1),
      variance: () => mul(times(mul(dgamma, square(root()))), -0.5),
    };
  },
  kernels: () => [batchChannelNormInferenceWgsl(), batchChannelNormInferenceWasm()],
});

const rateAttrs: BatchChannelNormEstimateAttributes = { numGroups: 32, epsilon: 1e-5, perChannel: false, updateRate: 0.01 };

/**
 * Batch-channel normalization in training, in 'estimate' mode: moves the estimates by `updateRate`, and normalizes with the new ones, which
 * are constants for the gradient.
 */
export const BatchChannelNorm = /* @__PURE__ */ defineOp({
  name: 'BatchChannelNorm',
  owner,
  inputs: { x: 'batch,...,c', mean: 'c', variance: 'c', ...parameters, channelBeta: { shape: 'k', optional: true } },
  attrs: rateAttrs,
  check: (inputs, given) => {
    checkUpdateRate('BatchChannelNorm', given.updateRate);
    check('BatchChannelNorm', inputs, given);
  },
  outputs: { y: likeX, ...statistics },
  saveOutputs: ['newMean', 'newVariance'],
  reference: (inputs, given) => {
    const moved = estimate(inputs, given.updateRate);
    return { y: normalize({ ...inputs, mean: moved.newMean, variance: moved.newVariance }, given), ...moved };
  },
  gradientKind: 'defined',
  gradient: (dy, { x, gamma, beta, channelGamma }, { numGroups, epsilon, perChannel: each }, { newMean, newVariance }) => {
    const inputs = { x, dy: dy.y, mean: newMean, variance: newVariance, gamma, beta, channelGamma };
    const found = BatchChannelNormGrad(inputs, { numGroups, epsilon, perChannel: each });
    const { dx, dgamma, dbeta, dchannelGamma, dchannelBeta } = found;
    return { x: dx, gamma: dgamma, beta: dbeta, channelGamma: dchannelGamma, channelBeta: dchannelBeta };
  },
  kernels: () => [batchChannelNormWgsl(), batchChannelNormWasm()],
});

const estimatedAttrs: EstimatedBatchNormAttributes = { epsilon: 1e-5, updateRate: 0.01 };

/** The batch part alone, in training: as {@link BatchChannelNorm} without groups. */
export const EstimatedBatchNorm = /* @__PURE__ */ defineOp({
  name: 'EstimatedBatchNorm',
  owner,
  inputs: {
    x: 'batch,...,c',
    mean: 'c',
    variance: 'c',
    gamma: { shape: 'c', optional: true },
    beta: { shape: 'c', optional: true },
  },
  attrs: estimatedAttrs,
  check: ({ x }, { epsilon, updateRate }) => {
    checkEpsilon('EstimatedBatchNorm', epsilon);
    checkUpdateRate('EstimatedBatchNorm', updateRate);
    checkReduced('EstimatedBatchNorm', x, leadingAxes(x, 1).slice(1));
  },
  outputs: { y: likeX, ...statistics },
  saveOutputs: ['newMean', 'newVariance'],
  reference: ({ x, mean, variance, gamma, beta }, { epsilon, updateRate }) => {
    const moved = estimate({ x, mean, variance }, updateRate);
    return { y: affine(mul(sub(x, moved.newMean), inverseRoot(moved.newVariance, epsilon)), gamma, beta), ...moved };
  },
  gradientKind: 'defined',
  gradient: (dy, { x, gamma }, { epsilon }, { newMean, newVariance }) => {
    const { dx, dgamma, dbeta } = BatchNormInferenceGrad({ x, dy: dy.y, mean: newMean, variance: newVariance, gamma }, { epsilon });
    return { x: dx, gamma: dgamma, beta: dbeta };
  },
  kernels: () => [estimatedBatchNormWgsl(), estimatedBatchNormWasm()],
});
