import { clone, mul, ones, reshape, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { expect } from '@evenkeel/core';
import { batchNorm } from '../batch-norm/batch-norm.ts';
import { updateMovingStatistics, type OnNonFinite, type Statistics } from '../batch-norm/moving-statistics.ts';
import { checkShape } from '../checks.ts';
import { groupNorm } from '../group-norm/op.ts';
import { guardState } from '../guard-state.ts';
import { BatchChannelNorm, BatchChannelNormInference, checkGroups, checkUpdateRate, EstimatedBatchNorm } from './op.ts';

export interface BatchChannelNormParameters {
  /** [channels]; of the batch part. Left out: 1. */
  gamma?: Tensor | undefined;
  /** [channels]; of the batch part. Left out: 0. */
  beta?: Tensor | undefined;
  /** [groups], or [channels] with `channelAffine: 'perChannel'`; of the channel part. Left out: 1. */
  channelGamma?: Tensor | undefined;
  /** As channelGamma. Left out: 0. */
  channelBeta?: Tensor | undefined;
}

export interface BatchChannelNormInferenceOptions {
  /** How many groups of contiguous channels share statistics in the channel part; divides the number of channels. Default 32. */
  groups?: number;
  /** Added to the variances of both parts, inside the root. Default 1e-5. */
  epsilon?: number;
  /** Whether the channel part has a gamma and a beta for each group, as in the official code, or for each channel. Default 'perGroup'. */
  channelAffine?: 'perGroup' | 'perChannel';
}

export interface EstimateOptions {
  /** The share of the batch's statistics in the new ones, in [0, 1]. Default 0.01. */
  updateRate?: number;
  /**
   * NaN or infinity in the batch's statistics: they leave the running ones as they were, and 'throw' (default) raises NON_FINITE, too, at once on
   * cpu and wasm, at the next `await data()` on webgpu.
   */
  onNonFinite?: Exclude<OnNonFinite, 'propagate'>;
}

export interface BatchChannelNormOptions extends BatchChannelNormInferenceOptions, EstimateOptions {
  /** 'estimate' normalizes by the running statistics, 'batch' by the batch's own, for large batches. Default 'estimate'. */
  mode?: 'estimate' | 'batch';
  /** Default 0.01, and 0.1 in mode 'batch'. */
  updateRate?: number;
}

export interface EstimatedBatchNormOptions extends EstimateOptions {
  /** Added to the variance, inside the root. Default 1e-5. */
  epsilon?: number;
}

/** `y` of x's shape, and the running statistics after the step, [channels]. */
export type Estimated = { y: Tensor; mean: Tensor; variance: Tensor };

export function checkEstimate(op: string, updateRate: number, onNonFinite: string): void {
  checkUpdateRate(op, updateRate);
  expect(['throw', 'skip'].includes(onNonFinite), op, 'onNonFinite', "'throw' or 'skip'", onNonFinite);
}

export function checkChannelAffine(op: string, channelAffine: string): void {
  const known = channelAffine === 'perGroup' || channelAffine === 'perChannel';
  expect(known, op, 'channelAffine', "'perGroup' or 'perChannel'", channelAffine);
}

function checkState(op: string, x: Tensor, { mean, variance }: Statistics): void {
  const { shape } = x;
  checkShape(op, 'state.mean', mean, shape.slice(-1), 'the channels of x');
  checkShape(op, 'state.variance', variance, shape.slice(-1), 'the channels of x');
}

interface Moved {
  y: Tensor;
  newMean: Tensor;
  newVariance: Tensor;
  batchMean: Tensor;
  batchVariance: Tensor;
}

function settle(op: string, x: Tensor, state: Statistics, found: Moved, onNonFinite: OnNonFinite): Estimated {
  // No value has moved anything.
  if (x.size === 0) return { y: found.y, mean: clone(state.mean), variance: clone(state.variance) };
  const { mean, variance } = state;
  const next = { mean: found.newMean, variance: found.newVariance };
  return { y: found.y, ...guardState(op, 'x', [found.batchMean, found.batchVariance], { mean, variance }, next, onNonFinite) };
}

/** A parameter of groups, for each of their channels. */
function forChannels(parameter: Tensor | undefined, groups: number, channels: number): Tensor | undefined {
  if (parameter === undefined || parameter.size === channels) return parameter;
  return reshape(mul(reshape(parameter, [groups, 1]), ones([1, channels / groups])), [channels]);
}

/** With the batch's own statistics: batch norm, then group norm. */
function ofBatch(
  x: Tensor,
  state: Statistics,
  { gamma, beta, channelGamma, channelBeta }: BatchChannelNormParameters,
  { groups, epsilon, updateRate, onNonFinite }: { groups: number; epsilon: number; updateRate: number; onNonFinite: OnNonFinite },
): Estimated {
  const channels = x.shape.at(-1)!;
  const { y: x1, ...batch } = batchNorm(x, gamma, beta, { epsilon });
  const next = updateMovingStatistics(state, batch, x.size / channels, {
    momentum: 1 - updateRate,
    movingVariance: 'unbiased',
    onNonFinite,
  });
  const [scale, shift] = [channelGamma, channelBeta].map((each) => forChannels(each, groups, channels));
  return { y: groupNorm(x1, scale, shift, { numGroups: groups, epsilon }), ...next };
}

/**
 * Batch-channel normalization in training. The batch part normalizes each channel by running statistics; the channel part is a group norm of what
 * that gives: x1 = gamma (x - mean) / sqrt(variance + epsilon) + beta, y = channelGamma (x1 - group mean) / sqrt(group variance + epsilon) +
 * channelBeta. For steps of one or two samples, with convolutions whose weights are standardized ({@link weightStandardize}).
 *
 * In mode 'estimate' the statistics move first, by `updateRate` u: mean <- (1 - u) mean + u batch mean, variance <- (1 - u) variance + u (mean
 * of (x - old mean)^2), and the new ones are constants for the gradient. In mode 'batch' the batch's own statistics normalize, with their gradient, and the
 * running ones move for inference (by the unbiased variance, as in PyTorch).
 *
 * One sample is enough. A constant group gives channelBeta; a channel of variance 0 in a group that varies is what its mean makes it. With one position
 * the channel part still has the group's channels. Values as far as 65504 from 0, and such as 10000 +- 1, are normalized as others are. In mode 'estimate'
 * NaN stays in its sample and group; a channel whose batch statistics are not finite is normalized by the old ones. In mode 'batch' it
 * reaches all samples. A batch of size 0 gives an empty y and moves nothing.
 *
 * Replicas that start a step with the same state may average their states after it: that is averaging the batches' statistics.
 *
 * @param x - [batch, ...spatial, channels] float32, rank >= 2
 * @param state - the running statistics, each [channels]; start with mean 0 and variance 1
 * @returns new tensors; the state stays as it was. Only y can be differentiated, and not with respect to the state.
 * @throws EvenkeelError NON_FINITE (see `onNonFinite`); SHAPE where a group has one value per sample, an axis of space is empty, mode
 * 'batch' has one value per channel, or a parameter does not fit; DTYPE for other than float32; INVALID_ARGUMENT for groups that do not
 * divide the channels, epsilon <= 0, an updateRate outside [0, 1], or an unknown option
 *
 * Source: Qiao, Wang, Liu, Shen, Yuille 2019, "Micro-Batch Training with Batch-Channel Normalization and Weight Standardization", section 4,
 * and the authors' code.
 *
 * @example
 * let state = { mean: tf.zeros([64]), variance: tf.ones([64]) };
 * const { y, ...next } = batchChannelNorm(tf.randomNormal([1, 8, 8, 64]), state, {}, { groups: 16 });
 * state = next;
 */
export function batchChannelNorm(
  x: Tensor,
  state: Statistics,
  parameters: BatchChannelNormParameters = {},
  options: BatchChannelNormOptions = {},
): Estimated {
  const op = 'batchChannelNorm';
  const { groups = 32, epsilon = 1e-5, channelAffine = 'perGroup', mode = 'estimate', onNonFinite = 'throw' } = options;
  const { updateRate = mode === 'batch' ? 0.1 : 0.01 } = options;
  checkMode(op, mode);
  checkEstimate(op, updateRate, onNonFinite);
  checkChannelAffine(op, channelAffine);
  if (x?.rank >= 2) {
    checkGroups(op, 'groups', groups, x.shape.at(-1)!);
    checkState(op, x, state);
  }
  return tidy(() => {
    if (mode === 'batch') return ofBatch(x, state, parameters, { groups, epsilon, updateRate, onNonFinite });
    const attrs = { numGroups: groups, epsilon, perChannel: channelAffine === 'perChannel', updateRate };
    return settle(op, x, state, BatchChannelNorm({ x, ...state, ...parameters }, attrs), onNonFinite);
  });
}

export function checkMode(op: string, mode: string): void {
  expect(mode === 'estimate' || mode === 'batch', op, 'mode', "'estimate' or 'batch'", mode);
}

/**
 * Batch-channel normalization with given statistics, usually the running ones: as {@link batchChannelNorm}, which moves nothing then. The channel
 * part has the statistics of the sample, in inference as in training. NaN stays in its sample and group.
 *
 * @param x - [batch, ...spatial, channels] float32, rank >= 2
 * @param state - mean and variance, each [channels]
 * @returns a new tensor of x's shape, differentiable with respect to all tensors
 * @throws EvenkeelError as {@link batchChannelNorm}
 *
 * Source: as {@link batchChannelNorm}.
 *
 * @example
 * const y = batchChannelNormInference(tf.randomNormal([1, 8, 8, 64]), { mean: tf.zeros([64]), variance: tf.ones([64]) });
 */
export function batchChannelNormInference(
  x: Tensor,
  { mean, variance }: Statistics,
  parameters: BatchChannelNormParameters = {},
  { groups = 32, epsilon = 1e-5, channelAffine = 'perGroup' }: BatchChannelNormInferenceOptions = {},
): Tensor {
  const op = 'batchChannelNormInference';
  checkChannelAffine(op, channelAffine);
  if (x?.rank >= 2) {
    checkGroups(op, 'groups', groups, x.shape.at(-1)!);
    checkState(op, x, { mean, variance });
  }
  const attrs = { numGroups: groups, epsilon, perChannel: channelAffine === 'perChannel' };
  return BatchChannelNormInference({ x, mean, variance, ...parameters }, attrs);
}

/**
 * Batch norm with estimated statistics in training, the batch part of {@link batchChannelNorm} alone: y = gamma (x - mean) / sqrt(variance + epsilon) + beta
 * with running statistics that have moved by this batch, and are constants for the gradient. {@link batchNormInference} is its inference.
 * One value per channel is enough; a channel of variance 0 tends to beta as its estimates settle. NaN stays where it is; its channel is
 * normalized by the old statistics. A batch of size 0 moves nothing.
 *
 * @param x - [batch, ..., channels] float32, rank >= 2
 * @param state - the running statistics, each [channels]; start with mean 0 and variance 1
 * @param gamma - [channels]; left out: 1
 * @param beta - [channels]; left out: 0
 * @returns new tensors; the state stays as it was. Only y can be differentiated, and not with respect to the state.
 * @throws EvenkeelError NON_FINITE (see `onNonFinite`), SHAPE when something does not fit, DTYPE for other than float32, INVALID_ARGUMENT
 * for epsilon <= 0 or an updateRate outside [0, 1]
 *
 * Source: as {@link batchChannelNorm}.
 *
 * @example
 * let state = { mean: tf.zeros([64]), variance: tf.ones([64]) };
 * const { y, ...next } = estimatedBatchNorm(tf.randomNormal([1, 8, 8, 64]), state);
 * state = next;
 */
export function estimatedBatchNorm(
  x: Tensor,
  state: Statistics,
  gamma?: Tensor,
  beta?: Tensor,
  { epsilon = 1e-5, updateRate = 0.01, onNonFinite = 'throw' }: EstimatedBatchNormOptions = {},
): Estimated {
  const op = 'estimatedBatchNorm';
  checkEstimate(op, updateRate, onNonFinite);
  if (x?.rank >= 2) checkState(op, x, state);
  return tidy(() => settle(op, x, state, EstimatedBatchNorm({ x, ...state, gamma, beta }, { epsilon, updateRate }), onNonFinite));
}
