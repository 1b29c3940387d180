import { EvenkeelError, expect, show } from '@evenkeel/core';
import { norm } from './norm.ts';
import type { Features } from './matrix.ts';
import { readChunk, scan, totalsOf, type Labels } from './samples.ts';
import type { Solver } from './solver.ts';

/** The maximum of m / (1 + exp(m)). */
const GREATEST_WEIGHTED_MARGIN = 0.278464542761074;

export interface BoundOptions {
  /** The largest norm of a sample. */
  readonly radius: number;
  /** The largest margin of a unit vector, or a lower bound of it: the bound is then an upper bound of the bound. */
  readonly margin: number;
  /** Number of samples. */
  readonly count: number;
  readonly stepSize?: number;
}

/**
 * After how many steps from theta = 0 all samples are on the right side at the latest, for data that a hyperplane through 0 separates:
 *
 * - `perceptron`, `normalized-batch-perceptron`: R^2 / mu^2
 * - `batch-perceptron`: n R^2 / mu^2
 * - `normalized-gd`: R^2 / mu^2 + 2 log(2n - 1) / (gamma mu^2)
 * - `gd`: 2n (R^2 + 1.114 n / gamma) / mu^2, which is ours, by the same argument: while a sample is misclassified, the mean weight is at
 *   least 1 / (2n), and no weighted margin is above 0.2785
 *
 * @throws EvenkeelError INVALID_ARGUMENT for numbers that are not above 0, or lbfgs, which has no such bound
 *
 * Source: Tyurin 2024, theorems on the batch perceptron and on normalized logistic regression.
 *
 * @example
 * iterationBound('normalized-gd', { radius: 1.12, margin: 0.5, count: 1000, stepSize: 100 }); // 5.6
 */
export function iterationBound(solver: Exclude<Solver, 'lbfgs'>, { radius, margin, count, stepSize = 1 }: BoundOptions): number {
  for (const [name, value] of Object.entries({ radius, margin, count, stepSize })) {
    expect(value > 0, 'iterationBound', name, 'a number > 0', value);
  }
  const square = (radius / margin) ** 2;
  switch (solver) {
    case 'perceptron':
    case 'normalized-batch-perceptron':
      return square;
    case 'batch-perceptron':
      return count * square;
    case 'normalized-gd':
      return square + (2 * Math.log(2 * count - 1)) / (stepSize * margin ** 2);
    case 'gd':
      return 2 * count * (square + (4 * GREATEST_WEIGHTED_MARGIN * count) / (stepSize * margin ** 2));
    default:
      throw new EvenkeelError('INVALID_ARGUMENT', `solver is ${show(solver)}, expected one that has a bound`, {
        op: 'iterationBound',
        argument: 'solver',
      });
  }
}

/**
 * After `iterations` steps of the batch perceptron the least training error so far is at most R^2 / (mu^2 iterations): the errors of all its
 * steps together are at most R^2 / mu^2. (Ours; at an error of 1 / n it is the paper's bound.)
 *
 * @example
 * trainingErrorBound({ radius: 1.12, margin: 0.5, iterations: 50 }); // 0.1
 */
export function trainingErrorBound({ radius, margin, iterations }: { radius: number; margin: number; iterations: number }): number {
  for (const [name, value] of Object.entries({ radius, margin, iterations })) {
    expect(value > 0, 'trainingErrorBound', name, 'a number > 0', value);
  }
  return Math.min(1, (radius / margin) ** 2 / iterations);
}

export interface MarginStats {
  /** R, the largest norm of a sample. */
  readonly radius: number;
  /** The least margin of theta / |theta|: below 0 where a sample is on the wrong side, and a lower bound of mu. */
  readonly margin: number;
  readonly misclassified: number;
  /** R^2 / margin^2, at least the number of steps of a perceptron; undefined while samples are misclassified. */
  readonly bound: number | undefined;
}

/**
 * How well a hyperplane through 0 separates two classes, in float64.
 *
 * @param x - samples, a row each; append a feature of ones for an intercept
 * @param y - two different whole numbers; the larger is the positive side
 * @param theta - a number a feature
 * @throws EvenkeelError as `fit` of LogisticRegression for x and y; SHAPE for another length of theta; INVALID_ARGUMENT for other than two classes
 *
 * @example
 * const { margin, bound } = await marginStats([[2, 0], [-1, 0]], [1, 0], [1, 0]); // 1 and 4
 */
export async function marginStats(x: Features, y: Labels, theta: ArrayLike<number>): Promise<MarginStats> {
  const op = 'marginStats';
  const chunks = [await readChunk(op, { x, y }, false, false)];
  const summary = await scan(op, () => chunks, false, undefined);
  expect(theta.length === summary.width, op, 'theta', `${summary.width} numbers, as x has features`, theta.length, 'SHAPE');
  expect(summary.classes.length === 2, op, 'y', 'two classes', [...summary.classes]);
  const vector = Float64Array.from(theta);
  const { least, misclassified } = await totalsOf(op, () => chunks, summary, {
    positive: summary.classes[1]!,
    theta: vector,
    weights: 'misclassified',
    signal: undefined,
  });
  const margin = least / norm(vector) || 0;
  const bound = misclassified === 0 ? (summary.radius / margin) ** 2 : undefined;
  return { radius: summary.radius, margin, misclassified, bound };
}
