import { expect } from '@evenkeel/core';
import { betaOf, iterates, type StepSolver } from './descend.ts';
import type { Features } from './matrix.ts';
import { norm } from './norm.ts';
import { settle } from './options.ts';
import { disposeChunk, readChunk, scan, totalsOf, type Labels } from './samples.ts';

export interface TrajectoryOptions {
  /** Default 'normalized-gd'. */
  readonly solver?: StepSolver;
  /** gamma of `gd` and `normalized-gd`. Default 100. */
  readonly stepSize?: number;
  /** Whether there is a constant, last in theta. Default true. */
  readonly fitIntercept?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Where training stands after a number of steps. */
export interface TrajectoryPoint {
  readonly iteration: number;
  readonly theta: Float64Array;
  /** Mean logistic loss. */
  readonly loss: number;
  readonly misclassified: number;
  /** The least margin over the norm of theta. */
  readonly margin: number;
  /** What `normalized-gd` multiplies the gradient's next step by, besides gamma: one over the mean weight of the samples. */
  readonly beta: number;
}

/**
 * The way of training on two classes, step by step from theta = 0, without end: whoever reads it breaks off. `fit` of LogisticRegression
 * takes the same steps.
 *
 * @param x - [samples, features]: a tensor (passes then run on the running backend in float32), rows, a dense or a sparse matrix
 * @param y - [samples] whole numbers of two values; the larger is the positive class
 * @throws EvenkeelError as `fit`; INVALID_ARGUMENT for other than two classes, or lbfgs
 *
 * @example
 * for await (const { iteration, misclassified } of trajectory(x, y, { solver: 'gd', stepSize: 1e6 })) {
 *   if (misclassified === 0 || iteration === 1000) break;
 * }
 */
export async function* trajectory(x: Features, y: Labels, options: TrajectoryOptions = {}): AsyncGenerator<TrajectoryPoint, void> {
  const op = 'trajectory';
  const { signal, ...given } = options;
  const { solver, stepSize, fitIntercept } = settle(given);
  expect(solver !== 'lbfgs', op, 'solver', 'one that takes steps along sums of samples', solver);
  const chunk = await readChunk(op, { x, y }, fitIntercept, solver !== 'perceptron');
  try {
    const summary = await scan(op, () => [chunk], fitIntercept, signal);
    expect(summary.classes.length === 2, op, 'y', 'two classes', [...summary.classes]);
    const positive = summary.classes[1]!;
    const start = new Float64Array(summary.width + (fitIntercept ? 1 : 0));
    const pass: Parameters<typeof iterates>[0] = (theta, weights) =>
      totalsOf(op, () => [chunk], summary, { positive, theta, weights, signal });
    for await (const { iteration, theta, totals } of iterates(pass, start, { solver, stepSize })) {
      const { loss, misclassified, count, least } = totals;
      yield { iteration, theta, loss: loss / count, misclassified, margin: least / norm(theta) || 0, beta: betaOf(totals) };
    }
  } finally {
    disposeChunk(chunk);
  }
}
