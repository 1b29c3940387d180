import { add, clone, keep, mul, reshape, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { expect } from '@evenkeel/core';
import type { OnNonFinite } from '../batch-norm/moving-statistics.ts';
import { checkShape } from '../checks.ts';
import { definedBackward } from '../defined-backward.ts';
import { guardState } from '../guard-state.ts';
import { checkEmptyMask, keptTokens, type EmptyMask } from '../mask.ts';
import { RMSNorm } from '../rms-norm/op.ts';
import { backward, checkGroups, PowerNorm, PowerNormInference, PowerNormVanilla, type ForwardTensors } from './op.ts';

/** What a PowerNorm remembers between steps. Start with ones, zeros and 0. */
export interface PowerNormState {
  /** Running mean square, [channels]. */
  runningPhi: Tensor;
  /** What the backward passes have moved, [channels]. */
  emaGz: Tensor;
  /** Training steps so far. */
  iterations: number;
}

export interface PowerNormInferenceOptions {
  /** Added to mean squares, inside the root. Default 1e-5. */
  epsilon?: number;
  /** Groups of channels that are scaled first, for each token; 0 leaves that out. Default 1; the paper's translation models have one a head. */
  groups?: number;
}

export interface PowerNormStatisticsOptions extends PowerNormInferenceOptions {
  /** The share of the running mean square that a step keeps, in [0, 1). Default 0.9. */
  alphaForward?: number;
  /** The share of emaGz that a backward pass keeps, in [0, 1). Default 0.9. */
  alphaBackward?: number;
  /** For so many steps the batch's own statistic normalizes. Default 1000; the official code has 10000. */
  warmupSteps?: number;
  /** What the gradient is divided by: the root of the batch's mean square (the official code) or of the forward pass's (the paper). Default 'batch'. */
  gradientScale?: 'batch' | 'running';
  /** 'batch' is the paper's PN-V: always the batch's mean square, with its exact gradient; emaGz has no part. Default 'power'. */
  mode?: 'power' | 'batch';
  /** Whether padding is left out of the mean that moves emaGz, too. The official code counts it. Default false. */
  maskGradientStatistics?: boolean;
  /** NaN or infinity in a batch: 'throw' (default) and 'skip' leave the state as it was, 'propagate' lets it in. */
  onNonFinite?: OnNonFinite;
  /** A mask that keeps no token: 'throw' (default), or 'skip', which normalizes by the running statistic and leaves it as it was. */
  emptyMask?: EmptyMask;
}

export interface PowerNormOptions extends PowerNormStatisticsOptions {
  /** x's shape without channels; 0 is padding, which does not count in the statistic. Left out: all tokens count. */
  mask?: Tensor | undefined;
  /** Called in the backward pass with the next `emaGz`, which the caller disposes; once, even if the gradient is taken again. */
  onBackward?: (emaGz: Tensor) => void;
}

/** Throws unless the options are such that {@link powerNorm} takes them. */
export function checkPowerNorm(op: string, options: Required<PowerNormStatisticsOptions>): void {
  const { alphaForward, alphaBackward, warmupSteps, gradientScale, mode, onNonFinite, emptyMask } = options;
  for (const [name, alpha] of Object.entries({ alphaForward, alphaBackward })) {
    expect(alpha >= 0 && alpha < 1, op, name, 'a number in [0, 1)', alpha);
  }
  expect(Number.isInteger(warmupSteps) && warmupSteps >= 0, op, 'warmupSteps', 'an integer >= 0', warmupSteps);
  expect(['batch', 'running'].includes(gradientScale), op, 'gradientScale', "'batch' or 'running'", gradientScale);
  expect(['power', 'batch'].includes(mode), op, 'mode', "'power' or 'batch'", mode);
  expect(['throw', 'skip', 'propagate'].includes(onNonFinite), op, 'onNonFinite', "'throw', 'skip' or 'propagate'", onNonFinite);
  checkEmptyMask(op, emptyMask);
}

/** The options with their defaults. */
export function completePowerNorm(options: PowerNormStatisticsOptions): Required<PowerNormStatisticsOptions> {
  const { epsilon = 1e-5, groups = 1, alphaForward = 0.9, alphaBackward = 0.9, warmupSteps = 1000, gradientScale = 'batch' } = options;
  const { mode = 'power', maskGradientStatistics = false, onNonFinite = 'throw', emptyMask = 'throw' } = options;
  const numbers = { epsilon, groups, alphaForward, alphaBackward, warmupSteps };
  return { ...numbers, gradientScale, mode, maskGradientStatistics, onNonFinite, emptyMask };
}

/**
 * PowerNorm in training: y = gamma xs / sqrt(phi + epsilon) + beta, where xs is x with its groups scaled ({@link groupScaling}). Phi is the
 * running mean square of each channel over all tokens, as it was before this step; in warm-up it is the batch's own. The backward pass is
 * the paper's, not the exact one: it takes the running statistic for a constant and subtracts a running mean of what was ignored.
 *
 * Step t moves the state: in warm-up (t < warmupSteps) runningPhi goes to its cumulative average first, then always to alphaForward
 * runningPhi + (1 - alphaForward) phi. The backward pass moves emaGz, hands it to `onBackward`, and moves it once for each forward pass
 * that is differentiated: several backward passes for one step of the optimizer move it several times.
 *
 * A jump in scale right after warm-up is divided by an old statistic; with groups the outputs stay below sqrt(channels / groups) over the
 * running root. A channel of zeros ends up with a scale of 1 / sqrt(epsilon). One token is enough for a step.
 * Numbers as large as 65504 are no danger.
 *
 * @param x - [batch, ..., channels] float32, rank >= 2
 * @param gamma - [channels]; undefined: 1
 * @param beta - [channels]; undefined: 0
 * @param state - as the last step left it; stays as it was
 * @returns `y` of x's shape, and `runningPhi` and `iterations` of the next state: new tensors. An empty batch leaves the state as it was.
 * @throws EvenkeelError SHAPE, DTYPE, INVALID_ARGUMENT for options out of range, groups that do not divide the channels, or a mask that
 * keeps nothing, NON_FINITE (see `onNonFinite`; in the backward pass, too). What depends on values is raised at the next `await data()` on webgpu.
 *
 * Source: Shen, Yao, Gholami, Mahoney, Keutzer 2020, "PowerNorm: Rethinking Batch Normalization in Transformers", algorithm 1; warm-up,
 * both updates of a step and the scaling of groups are the official code's.
 *
 * @example
 * let state = { runningPhi: tf.ones([2]), emaGz: tf.zeros([2]), iterations: 0 };
 * const { y, runningPhi, iterations } = powerNorm(tf.tensor2d([[3, 4]]), undefined, undefined, state); // y [[1, 1]], in warm-up
 */
export function powerNorm(
  x: Tensor,
  gamma: Tensor | undefined,
  beta: Tensor | undefined,
  state: PowerNormState,
  options: PowerNormOptions = {},
): { y: Tensor; runningPhi: Tensor; iterations: number } {
  const op = 'powerNorm';
  const complete = completePowerNorm(options);
  const { epsilon, groups, alphaForward, alphaBackward, warmupSteps, gradientScale, mode, maskGradientStatistics, onNonFinite } = complete;
  checkPowerNorm(op, complete);
  const { runningPhi, emaGz, iterations } = state;
  expect(Number.isInteger(iterations) && iterations >= 0, op, 'state.iterations', 'an integer >= 0', iterations);
  checkShape(op, 'state.emaGz', emaGz, runningPhi.shape, 'as state.runningPhi');
  if (x?.size === 0) {
    return { y: powerNormInference(x, runningPhi, gamma, beta, { epsilon, groups }), runningPhi: clone(runningPhi), iterations };
  }
  checkShape(op, 'mask', options.mask, x?.shape.slice(0, -1) ?? [], 'as x without its channels');
  const step = iterations + 1;
  const { y, next } = tidy(() => {
    const mask = keptTokens(op, options.mask, complete.emptyMask);
    const attrs = { epsilon, groups, batchStatistic: step <= warmupSteps, alphaBackward, gradientScale };
    const run = (): { y: Tensor; phi: Tensor } => {
      if (mode === 'batch') return PowerNormVanilla({ x, runningPhi, gamma, beta, mask }, { epsilon, groups });
      const { y: normalized, phi } = definedBackward(op, {
        inputs: { x, gamma, beta },
        constants: { runningPhi, emaGz, mask },
        forward: (tensors) => PowerNorm(tensors as never, { ...attrs, maskGradient: maskGradientStatistics }),
        backward: (dy, tensors, first) => {
          const { phi: ofBatch, beta: _, ...others } = tensors;
          const forward = others as unknown as ForwardTensors;
          const gradients = backward(dy, forward, ofBatch!, { ...attrs, maskGradient: maskGradientStatistics });
          if (first && options.onBackward) {
            const next = { emaGz: add(forward.emaGz, gradients.emaGzStep) };
            const guarded = guardState(op, 'dy', [gradients.emaGzStep], { emaGz: forward.emaGz }, next, onNonFinite);
            options.onBackward(keep(clone(guarded.emaGz)));
          }
          return { x: gradients.dx, gamma: gradients.dgamma, beta: gradients.dbeta };
        },
      });
      return { y: normalized, phi: phi! };
    };
    const { y, phi } = run();
    // Both updates of a step in one: the cumulative average keeps (t - 1) / t.
    const kept = alphaForward * (step < warmupSteps ? (step - 1) / step : 1);
    const moved = add(mul(runningPhi, kept), mul(phi, 1 - kept));
    return { y, next: guardState(op, 'x', [phi], { runningPhi }, { runningPhi: moved }, onNonFinite).runningPhi };
  });
  return { y, runningPhi: next, iterations: step };
}

/**
 * PowerNorm in inference: y = gamma xs / sqrt(runningPhi + epsilon) + beta. Without groups, `foldIntoNext` and `foldIntoPrevious` put it into
 * a neighbouring layer.
 *
 * @param x - [batch, ..., channels] float32, rank >= 2
 * @param runningPhi - [channels]
 * @param gamma - [channels]; left out: 1
 * @param beta - [channels]; left out: 0
 * @returns a new tensor of x's shape
 * @throws EvenkeelError SHAPE, DTYPE, INVALID_ARGUMENT for epsilon <= 0 or groups that do not divide the channels
 *
 * @example
 * const y = powerNormInference(tf.tensor2d([[2, 3]]), tf.tensor1d([4, 9]), undefined, undefined, { groups: 0 }); // [[1, 1]]
 */
export function powerNormInference(
  x: Tensor,
  runningPhi: Tensor,
  gamma?: Tensor,
  beta?: Tensor,
  { epsilon = 1e-5, groups = 1 }: PowerNormInferenceOptions = {},
): Tensor {
  return PowerNormInference({ x, runningPhi, gamma, beta }, { epsilon, groups });
}

/**
 * Scales groups of channels, for each token: x / sqrt(mean of the group's squares + epsilon).
 *
 * @param x - [..., channels] float32
 * @param groups - a divisor of the channels; 0 returns a copy
 * @returns a new tensor of x's shape
 * @throws EvenkeelError INVALID_ARGUMENT for groups that do not divide the channels, or epsilon <= 0
 *
 * @example
 * const xs = groupScaling(tf.tensor2d([[3, 3, 1, 1]]), 2); // [[1, 1, 1, 1]]
 */
export function groupScaling(x: Tensor, groups: number, { epsilon = 1e-5 }: { epsilon?: number } = {}): Tensor {
  checkGroups('groupScaling', x.shape.at(-1)!, groups);
  if (groups === 0) return clone(x);
  return tidy(() => {
    const inGroups = reshape(x, [...x.shape.slice(0, -1), groups, x.shape.at(-1)! / groups]);
    return reshape(RMSNorm({ x: inGroups }, { epsilon }), x.shape);
  });
}
