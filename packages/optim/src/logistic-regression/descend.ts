import type { Solver } from './solver.ts';
import { scaleOf, type MarginTotals, type Weights } from './totals.ts';

/** The solvers that take steps along weighted sums of the samples. */
export type StepSolver = Exclude<Solver, 'lbfgs'>;

/** Where training stands: theta after `iteration` steps, and what a pass over the data says of it. */
export interface Iterate {
  readonly iteration: number;
  readonly theta: Float64Array;
  readonly totals: MarginTotals;
}

/** What a sample counts in a step of the solver. */
export function weightsOf(solver: StepSolver): Weights {
  if (solver === 'perceptron') return 'first';
  return solver === 'gd' || solver === 'normalized-gd' ? 'logistic' : 'misclassified';
}

/** beta of normalized gradient descent: one over the mean weight of the samples. Infinity where they are below 1e-308. */
export const betaOf = ({ count, weight, least }: MarginTotals): number => (count / weight) * Math.exp(-scaleOf(least));

/** By what the direction is multiplied in the step that follows an iterate. */
function factorOf(solver: StepSolver, stepSize: number, { iteration, totals: { count, weight, least } }: Iterate): number {
  switch (solver) {
    case 'gd':
      return (stepSize / count) * Math.exp(scaleOf(least));
    case 'normalized-gd':
      return stepSize / weight;
    case 'batch-perceptron':
      // Half a step over everything first: at theta = 0 logistic weights are 1/2.
      return (iteration === 0 ? 0.5 : 1) / count;
    case 'normalized-batch-perceptron':
      return weight > 0 ? 1 / weight : 0;
    case 'perceptron':
      return 1;
  }
}

/** The iterates from `start` on, without end: whoever reads them says when it is enough. A perceptron that is done stands still. */
export async function* iterates(
  pass: (theta: Float64Array, weights: Weights) => Promise<MarginTotals>,
  start: Float64Array,
  { solver, stepSize }: { readonly solver: StepSolver; readonly stepSize: number },
): AsyncGenerator<Iterate, never> {
  let theta = start;
  for (let iteration = 0; ; iteration++) {
    const iterate = { iteration, theta, totals: await pass(theta, weightsOf(solver)) };
    yield iterate;
    const factor = factorOf(solver, stepSize, iterate);
    theta = theta.map((value, i) => value + factor * iterate.totals.direction[i]!);
  }
}
