import { add, clone, keep, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError, expect, sizeOf } from '@evenkeel/core';
import { BatchNormInference } from '../batch-norm/op.ts';
import type { OnNonFinite } from '../batch-norm/moving-statistics.ts';
import { checkShape } from '../checks.ts';
import { definedBackward } from '../defined-backward.ts';
import { guardState } from '../guard-state.ts';
import { checkEmptyMask, keptTokens, type EmptyMask } from '../mask.ts';
import { Blend, MeanSquare, TokenSums, UnifiedGradWindow, UnifiedWindow } from './op.ts';

/** What the backward passes move. */
export interface UnifiedNormGradState {
  /** Running mean of what the gradient's correction is made of, [channels]. */
  emaGz: Tensor;
  /** The last of these, [window, channels]. */
  gradients: Tensor;
}

/** What a unified normalization remembers between steps: {@link unifiedNormState} makes the first. */
export interface UnifiedNormState extends UnifiedNormGradState {
  /** Running mean square, [channels]; the paper's code calls it a variance. */
  runningVar: Tensor;
  /** Mean squares of the last steps, [window, channels]. */
  squares: Tensor;
  /** How many steps an outlier has been filtered in, [1]. */
  skipped: Tensor;
  /** Training steps so far. */
  iterations: number;
}

export interface UnifiedNormOptions extends UnifiedNormStatisticsOptions {
  /** x's shape without channels; 0 is padding, which does not count in the statistic. Left out: all tokens count. */
  mask?: Tensor | undefined;
  /** Called in the backward pass with the next values, which the caller disposes; once, even if the gradient is taken again. */
  onBackward?: (next: UnifiedNormGradState) => void;
}

export interface UnifiedNormStatisticsOptions {
  /** Added to mean squares, inside the root. Default 1e-5. */
  epsilon?: number;
  /** For so many steps the batch's own statistics count. Default 4000. */
  warmupSteps?: number;
  /** The share of the running values that a step keeps. Default 0.9. */
  momentum?: number;
  /** Whether a step whose window holds an outlier falls back to the batch's own statistics. Default false; the authors advise true for pictures. */
  outlierFiltration?: boolean;
  /** Whether the deviation that an outlier must exceed is one number ('global', the official code), or each channel has its own. Default 'global'. */
  outlierScope?: 'global' | 'channel';
  /** Whether an outlier enters the running mean square clipped to a factor of 4. The official code lets it in. Default false. */
  protectRunning?: boolean;
  /** NaN or infinity in a batch: 'throw' (default) and 'skip' leave the state as it was, 'propagate' lets it in. */
  onNonFinite?: OnNonFinite;
  /** A mask that keeps no token: 'throw' (default), or 'skip', which takes the running statistic for the batch's. */
  emptyMask?: EmptyMask;
}

/** Steps before which the gradient is not rescaled, however short the warm-up is: the running values must settle. */
const SETTLED = 1000;

/** The options with their defaults. */
export function completeUnifiedNorm(options: UnifiedNormStatisticsOptions): Required<UnifiedNormStatisticsOptions> {
  const { epsilon = 1e-5, warmupSteps = 4000, momentum = 0.9, outlierFiltration = false, outlierScope = 'global' } = options;
  const { protectRunning = false, onNonFinite = 'throw', emptyMask = 'throw' } = options;
  return { epsilon, warmupSteps, momentum, outlierFiltration, outlierScope, protectRunning, onNonFinite, emptyMask };
}

/** Throws unless the options are such that {@link unifiedNorm} takes them, with a forward window of this size. */
export function checkUnifiedNorm(op: string, options: Required<UnifiedNormStatisticsOptions>, window: number): void {
  const { warmupSteps, momentum, outlierFiltration, outlierScope, onNonFinite, emptyMask } = options;
  expect(momentum >= 0 && momentum < 1, op, 'momentum', 'a number in [0, 1)', momentum);
  expect(Number.isInteger(warmupSteps) && warmupSteps >= 0, op, 'warmupSteps', 'an integer >= 0', warmupSteps);
  // Otherwise the window that is looked through for outliers is not yet full.
  const wanted = `at least the window of ${window}, for outlierFiltration`;
  expect(!outlierFiltration || warmupSteps >= window, op, 'warmupSteps', wanted, warmupSteps);
  expect(['global', 'channel'].includes(outlierScope), op, 'outlierScope', "'global' or 'channel'", outlierScope);
  expect(['throw', 'skip', 'propagate'].includes(onNonFinite), op, 'onNonFinite', "'throw', 'skip' or 'propagate'", onNonFinite);
  checkEmptyMask(op, emptyMask);
}

/** Sizes of both windows, forward and backward. */
export function windowsOf(op: string, window: number | readonly [number, number]): [number, number] {
  const [forward, backward] = typeof window === 'number' ? [window, window] : window;
  const valid = Number.isInteger(forward) && Number.isInteger(backward) && forward! >= 1 && backward! >= 1;
  expect(valid, op, 'window', 'an integer >= 1, or one forward and one backward', window);
  return [forward!, backward!];
}

/**
 * The state before the first step.
 *
 * @param channels - of the tensors to normalize
 * @param window - how many steps are smoothed over; two sizes: forward and backward. 1 takes each batch for itself.
 * @throws EvenkeelError INVALID_ARGUMENT for a window below 1
 */
export function unifiedNormState(channels: number, window: number | readonly [number, number] = 4): UnifiedNormState {
  const [forward, backward] = windowsOf('unifiedNormState', window);
  return {
    runningVar: add(zeros([channels]), 1),
    squares: zeros([forward, channels]),
    emaGz: zeros([channels]),
    gradients: zeros([backward, channels]),
    skipped: zeros([1]),
    iterations: 0,
  };
}

/**
 * Unified normalization in training: y = gamma x / sqrt(v + epsilon) + beta, where v is the geometric mean of each channel's mean squares in
 * the last steps, this one included; the batch's own in warm-up and where the window holds an outlier. The backward pass is the paper's, not
 * the exact one: it takes v for a constant and subtracts a smoothed mean of what was ignored.
 *
 * A step moves the state: v enters runningVar, by which inference divides. An outlier's v does, too, unless `protectRunning` says otherwise.
 * The backward pass moves emaGz and gradients, hands them to `onBackward`, and moves them once for each forward pass.
 *
 * A channel of zeros stays zeros. One token is enough for a step. Numbers as large as 65504 are no danger.
 *
 * @param x - [batch, ..., channels] float32, rank >= 2
 * @param gamma - [channels]; undefined: 1
 * @param beta - [channels]; undefined: 0
 * @param state - as the last step left it; stays as it was
 * @returns `y` of x's shape and the rest of the next state: new tensors. An empty batch leaves the state as it was.
 * @throws EvenkeelError SHAPE, DTYPE, INVALID_ARGUMENT for options out of range, a filter before the window is full, or a mask that keeps
 * nothing, NON_FINITE (see `onNonFinite`; in the backward pass, too). What depends on values is raised at the next `await data()` on webgpu.
 *
 * Source: Yang, Zhang, Lan, Yang, Li, Tan, Xiao, Pu 2022, "Unified Normalization for Accelerating and Stabilizing Transformers", and its
 * official code.
 *
 * @example
 * const { y } = unifiedNorm(tf.tensor2d([[3], [4]]), undefined, undefined, unifiedNormState(1)); // y [[0.849], [1.131]]
 */
export function unifiedNorm(
  x: Tensor,
  gamma: Tensor | undefined,
  beta: Tensor | undefined,
  state: UnifiedNormState,
  options: UnifiedNormOptions = {},
): { y: Tensor } & Omit<UnifiedNormState, keyof UnifiedNormGradState> {
  const op = 'unifiedNorm';
  const complete = completeUnifiedNorm(options);
  const { epsilon, warmupSteps, momentum, outlierFiltration, outlierScope, protectRunning, onNonFinite, emptyMask } = complete;
  const { runningVar, squares, emaGz, gradients, skipped, iterations } = state;
  const [window, backwardWindow] = [squares.shape[0]!, gradients.shape[0]!];
  checkUnifiedNorm(op, complete, window);
  checkState(op, x, state);
  checkShape(op, 'mask', options.mask, x.shape.slice(0, -1), 'as x without its channels');
  if (x.size === 0) {
    const y = unifiedNormInference(x, runningVar, gamma, beta, { epsilon });
    return { y, runningVar: clone(runningVar), squares: clone(squares), skipped: clone(skipped), iterations };
  }
  const step = iterations + 1;
  const forwardAttrs = {
    epsilon,
    momentum,
    slot: step % window,
    smooth: step > window && step >= warmupSteps,
    filter: outlierFiltration && step >= warmupSteps,
    byChannel: outlierScope === 'channel',
    rescale: step > Math.max(SETTLED, warmupSteps),
    protect: protectRunning,
  };
  const backwardAttrs = {
    epsilon,
    momentum,
    slot: step % backwardWindow,
    smooth: step > backwardWindow && step >= warmupSteps,
    alone: window === 1,
    count: sizeOf(x.shape.slice(0, -1)),
  };
  const next = tidy(() => {
    const mask = keptTokens(op, options.mask, emptyMask);
    const { y, meanSquare, nextRunningVar, nextSquares, skip } = definedBackward(op, {
      inputs: { x, gamma, beta },
      constants: { emaGz, gradients },
      // All of it in here, where no tape records: the window has kernels, but no gradient.
      forward: ({ x: a, gamma: scale, beta: shift }) => {
        const found = MeanSquare({ x: a!, fallback: runningVar, mask });
        const moved = UnifiedWindow({ meanSquare: found, runningVar, squares }, forwardAttrs);
        return { y: normalize(a!, moved.square, scale, shift, epsilon), meanSquare: found, ...moved };
      },
      backward: (dy, tensors, first) => {
        const { x: a, gamma: scale, square: v, factor: r, skip: s, emaGz: ema, gradients: last } = tensors as Record<string, Tensor>;
        const { products, sums } = TokenSums({ x: a!, dy });
        const inputs = { products, square: v!, factor: r!, skip: s!, emaGz: ema!, gradients: last!, gamma: scale };
        const found = UnifiedGradWindow(inputs, backwardAttrs);
        if (first && options.onBackward) {
          const before = { emaGz: ema!, gradients: last! };
          const moved = { emaGz: found.nextEmaGz, gradients: found.nextGradients };
          const guarded = guardState(op, 'dy', [products], before, moved, onNonFinite);
          options.onBackward({ emaGz: keep(clone(guarded.emaGz)), gradients: keep(clone(guarded.gradients)) });
        }
        return { x: Blend({ x: a!, dy, scale: found.scale, slope: found.slope }), gamma: found.dgamma, beta: sums };
      },
    });
    const before = { runningVar, squares, skipped };
    const moved = { runningVar: nextRunningVar!, squares: nextSquares!, skipped: add(skipped, skip!) };
    return { y, ...guardState(op, 'x', [meanSquare!], before, moved, onNonFinite) };
  });
  return { ...next, iterations: step };
}

function checkState(op: string, x: Tensor, { runningVar, squares, emaGz, gradients, skipped, iterations }: UnifiedNormState): void {
  expect(Number.isInteger(iterations) && iterations >= 0, op, 'state.iterations', 'an integer >= 0', iterations);
  if (x.rank < 2) {
    const message = `x has shape [${x.shape.join(', ')}], expected [batch, ..., channels] of rank 2 or more`;
    throw new EvenkeelError('SHAPE', message, { op, argument: 'x' });
  }
  const channels = x.shape.at(-1)!;
  checkShape(op, 'state.runningVar', runningVar, [channels], 'the channels of x');
  checkShape(op, 'state.emaGz', emaGz, [channels], 'the channels of x');
  checkShape(op, 'state.squares', squares, [squares.shape[0]!, channels], 'the channels of x');
  checkShape(op, 'state.gradients', gradients, [gradients.shape[0]!, channels], 'the channels of x');
  checkShape(op, 'state.skipped', skipped, [1], 'a count');
}

/** gamma x / sqrt(square + epsilon) + beta: batch normalization with a mean of 0. */
function normalize(x: Tensor, variance: Tensor, gamma: Tensor | undefined, beta: Tensor | undefined, epsilon: number): Tensor {
  return BatchNormInference({ x, mean: zeros(variance.shape), variance, gamma, beta }, { epsilon });
}

/**
 * Unified normalization in inference: y = gamma x / sqrt(runningVar + epsilon) + beta. It is a scale and a shift for each channel:
 * {@link foldIntoNext} and {@link foldIntoPrevious} put them into a neighbouring layer.
 *
 * @param x - [batch, ..., channels] float32
 * @param runningVar - [channels]
 * @param gamma - [channels]; left out: 1
 * @param beta - [channels]; left out: 0
 * @returns a new tensor of x's shape
 * @throws EvenkeelError SHAPE, DTYPE, INVALID_ARGUMENT for epsilon <= 0
 *
 * @example
 * const y = unifiedNormInference(tf.tensor2d([[2, 3]]), tf.tensor1d([4, 9])); // [[1, 1]]
 */
export function unifiedNormInference(
  x: Tensor,
  runningVar: Tensor,
  gamma?: Tensor,
  beta?: Tensor,
  { epsilon = 1e-5 }: { epsilon?: number } = {},
): Tensor {
  return tidy(() => normalize(x, runningVar, gamma, beta, epsilon));
}
