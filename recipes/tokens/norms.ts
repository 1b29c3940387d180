// Norms of tokens of channels, each with parameters and running state of its own: what the networks of this folder are made with.
import { dispose, ones, tidy, variable, zeros, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import {
  batchNorm,
  batchNormInference,
  layerNorm,
  powerNorm,
  powerNormInference,
  unifiedNorm,
  unifiedNormInference,
  unifiedNormState,
  updateMovingStatistics,
} from '@evenkeel/norms';

export const NORMS = ['layer-norm', 'batch-norm', 'power-norm', 'unified-norm'] as const;
export type NormName = (typeof NORMS)[number];

const EPSILON = 1e-5;
/** The share of running statistics that is kept, in all of them. */
const KEPT = 0.9;

export interface Norm {
  readonly gamma: Variable;
  readonly beta: Variable;
  /** In training: moves the state. In inference: by the state. */
  apply(x: Tensor, training: boolean): Tensor;
  dispose(): void;
}

/** Makes something of variables, which keep no tensor that they start with. */
export function made<T>(make: () => T): T {
  let result: T | undefined;
  tidy(() => {
    result = make();
  });
  return result!;
}

/** Tensors that a step replaces. They are variables, so that they outlive the tidy of a step. */
const remember = (initial: Tensor): Variable => variable(initial, false);

/** A norm of `channels`, last axis, with gamma 1 and beta 0. */
export function makeNorm(name: NormName, channels: number, warmupSteps: number): Norm {
  return made(() => {
    const gamma = variable(ones([channels]));
    const beta = variable(zeros([channels]));
    const { state, apply } = make[name](channels, warmupSteps, gamma, beta);
    return { gamma, beta, apply, dispose: () => dispose([gamma, beta, ...state]) };
  });
}

interface Made {
  readonly state: readonly Variable[];
  apply(x: Tensor, training: boolean): Tensor;
}

const make: Record<NormName, (channels: number, warmupSteps: number, gamma: Tensor, beta: Tensor) => Made> = {
  'layer-norm': (_, __, gamma, beta) => ({ state: [], apply: (x) => layerNorm(x, gamma, beta, { epsilon: EPSILON }) }),

  'batch-norm': (channels, _, gamma, beta) => {
    const [mean, variance] = [remember(zeros([channels])), remember(ones([channels]))];
    return {
      state: [mean, variance],
      apply(x, training) {
        if (!training) return batchNormInference(x, mean, variance, gamma, beta, { epsilon: EPSILON });
        const { y, ...batch } = batchNorm(x, gamma, beta, { epsilon: EPSILON });
        const options = { momentum: KEPT, movingVariance: 'unbiased' } as const;
        const next = updateMovingStatistics({ mean, variance }, batch, x.size / channels, options);
        mean.assign(next.mean);
        variance.assign(next.variance);
        return y;
      },
    };
  },

  'power-norm': (channels, warmupSteps, gamma, beta) => {
    const [runningPhi, emaGz] = [remember(ones([channels])), remember(zeros([channels]))];
    let iterations = 0;
    return {
      state: [runningPhi, emaGz],
      apply(x, training) {
        if (!training) return powerNormInference(x, runningPhi, gamma, beta, { epsilon: EPSILON });
        const onBackward = (next: Tensor): void => {
          emaGz.assign(next);
          next.dispose();
        };
        const options = { epsilon: EPSILON, warmupSteps, alphaForward: KEPT, alphaBackward: KEPT, onBackward };
        const next = powerNorm(x, gamma, beta, { runningPhi, emaGz, iterations }, options);
        runningPhi.assign(next.runningPhi);
        iterations = next.iterations;
        return next.y;
      },
    };
  },

  'unified-norm': (channels, warmupSteps, gamma, beta) => {
    const first = unifiedNormState(channels);
    const runningVar = remember(first.runningVar);
    const squares = remember(first.squares);
    const emaGz = remember(first.emaGz);
    const gradients = remember(first.gradients);
    const skipped = remember(first.skipped);
    let iterations = 0;
    return {
      state: [runningVar, squares, emaGz, gradients, skipped],
      apply(x, training) {
        if (!training) return unifiedNormInference(x, runningVar, gamma, beta, { epsilon: EPSILON });
        const next = unifiedNorm(
          x,
          gamma,
          beta,
          { runningVar, squares, emaGz, gradients, skipped, iterations },
          {
            epsilon: EPSILON,
            warmupSteps,
            momentum: KEPT,
            onBackward(moved) {
              emaGz.assign(moved.emaGz);
              gradients.assign(moved.gradients);
              dispose([moved.emaGz, moved.gradients]);
            },
          },
        );
        runningVar.assign(next.runningVar);
        squares.assign(next.squares);
        skipped.assign(next.skipped);
        iterations = next.iterations;
        return next.y;
      },
    };
  },
};
