import { EvenkeelError } from '@evenkeel/core';
import type { Rows } from './matrix.ts';
import type { SampleWeights } from './solver.ts';

/** As the op has them, and `first`: 1 for the first sample that is misclassified, the step of the perceptron. */
export type Weights = SampleWeights | 'first';

/** What a step needs to know of the data, or of a part of it: see `marginSums`. */
export interface MarginTotals {
  /** Sum of w y x, one longer than x is wide with an intercept. Logistic weights are divided by exp(-max(0, least)). */
  readonly direction: Float64Array;
  /** The least margin. */
  readonly least: number;
  /** Sum of w. */
  readonly weight: number;
  /** How many margins are 0 or less. */
  readonly misclassified: number;
  /** Sum of log(1 + exp(-margin)). */
  readonly loss: number;
  readonly count: number;
}

/** Logarithm of what logistic weights were divided by. */
export const scaleOf = (least: number): number => -Math.max(0, least);

/** log(1 + exp(-margin)). */
export const lossOf = (margin: number): number => Math.max(0, -margin) + Math.log1p(Math.exp(-Math.abs(margin)));

export const emptyTotals = (length: number): MarginTotals => ({
  direction: new Float64Array(length),
  least: Infinity,
  weight: 0,
  misclassified: 0,
  loss: 0,
  count: 0,
});

/** Throws NON_FINITE where numbers have grown out of their format: NaN would look as if it were on the right side. */
export function checkTotals(op: string, direction: Float64Array, ...numbers: number[]): void {
  if (numbers.every(Number.isFinite) && direction.every(Number.isFinite)) return;
  throw new EvenkeelError('NON_FINITE', 'sums over x have overflowed: its features are too large, divide them by their largest norm', {
    op,
    argument: 'x',
  });
}

/** The totals of two parts of the data together. */
export function mergeTotals(a: MarginTotals, b: MarginTotals, weights: Weights): MarginTotals {
  if (a.count === 0) return b;
  if (b.count === 0) return a;
  const least = Math.min(a.least, b.least);
  let factors: [number, number] = [1, 1];
  if (weights === 'logistic') factors = [Math.exp(scaleOf(a.least) - scaleOf(least)), Math.exp(scaleOf(b.least) - scaleOf(least))];
  if (weights === 'first' && a.weight > 0) factors = [1, 0];
  const [f, g] = factors;
  return {
    direction: a.direction.map((value, i) => f * value + g * b.direction[i]!),
    least,
    weight: f * a.weight + g * b.weight,
    misclassified: a.misclassified + b.misclassified,
    loss: a.loss + b.loss,
    count: a.count + b.count,
  };
}

/** The totals in float64, on the host. With an intercept theta has it last. */
export function hostTotals(rows: Rows, signs: Int8Array, theta: Float64Array, intercept: boolean, weights: Weights): MarginTotals {
  const { count, width } = rows;
  const margins = new Float64Array(count);
  const constant = intercept ? theta[width]! : 0;
  let least = Infinity;
  let misclassified = 0;
  let loss = 0;
  for (let i = 0; i < count; i++) {
    const margin = signs[i]! * (rows.dot(i, theta) + constant);
    margins[i] = margin;
    if (margin < least) least = margin;
    if (!(margin > 0)) misclassified++;
    loss += lossOf(margin);
  }
  const low = Math.max(0, least);
  const direction = new Float64Array(theta.length);
  let weight = 0;
  for (let i = 0; i < count; i++) {
    const margin = margins[i]!;
    let each: number;
    if (weights === 'logistic') each = Math.exp(low - Math.max(0, margin)) / (1 + Math.exp(-Math.abs(margin)));
    else each = margin > 0 || (weights === 'first' && weight > 0) ? 0 : 1;
    if (each === 0) continue;
    weight += each;
    rows.add(i, each * signs[i]!, direction);
    if (intercept) direction[width]! += each * signs[i]!;
  }
  return { direction, least, weight, misclassified, loss, count };
}
