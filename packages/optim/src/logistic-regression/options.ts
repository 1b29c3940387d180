import { expect, type LongRunning } from '@evenkeel/core';
import type { Batch } from './samples.ts';
import { SOLVERS, type Solver } from './solver.ts';

/** Options of {@link LogisticRegression}. */
export interface LogisticRegressionOptions {
  /** Default 'normalized-gd'. */
  solver?: Solver;
  /** gamma of `gd` and `normalized-gd`; other solvers have none. Default 100. */
  stepSize?: number;
  /** Most steps of each problem. Default 1000. */
  maxIterations?: number;
  /** Whether there is a constant, as a feature of ones. Default true. */
  fitIntercept?: boolean;
  /**
   * With three or more classes: `one-vs-rest`, a hyperplane a class, or `multinomial`, one softmax over all, for `gd` and `lbfgs`.
   * Default: multinomial for lbfgs, one-vs-rest for the others.
   */
  multiClass?: 'one-vs-rest' | 'multinomial';
  /** lbfgs minimizes mean loss + l2 / 2 |weights|^2, the intercept not counted. Default: 1 / samples. */
  l2?: number;
  /** lbfgs has converged when no entry of the gradient is larger. Default 1e-7. */
  tolerance?: number;
  /** After separation, so many more steps of normalized-gd with a small step toward the largest margin; the best is kept. Default 0. */
  marginIterations?: number;
}

/** Options of `fit` and `fitBatches`. */
export interface FitOptions extends LongRunning {
  /** Samples that are not trained on: the weights with the fewest errors on them are kept, instead of those with the fewest on the data. */
  readonly validation?: Batch | undefined;
  /** Ends training after so many steps without fewer errors on the validation samples. Default 50. */
  readonly patience?: number | undefined;
}

/** Options with their defaults. What depends on the data stays undefined. */
export interface Settled extends Required<Omit<LogisticRegressionOptions, 'l2'>> {
  readonly l2: number | undefined;
}

const op = 'LogisticRegression';

function checkCount(name: string, value: number, least: number): void {
  expect(Number.isSafeInteger(value) && value >= least, op, name, `a whole number >= ${least}`, value);
}

/** Checks what `fit` is given besides data. */
export function checkFit(fit: string, { patience = 50 }: FitOptions): number {
  expect(Number.isSafeInteger(patience) && patience > 0, fit, 'patience', 'a whole number >= 1', patience);
  return patience;
}

/** Checks options, and fills in defaults. */
export function settle(given: LogisticRegressionOptions): Settled {
  const known = ['solver', 'stepSize', 'maxIterations', 'fitIntercept', 'multiClass', 'l2', 'tolerance', 'marginIterations'];
  for (const name of Object.keys(given)) expect(known.includes(name), op, name, `one of the options ${known.join(', ')}`, 'no option');
  const { solver = 'normalized-gd' } = given;
  expect(SOLVERS.includes(solver), op, 'solver', `of ${SOLVERS.join(', ')}`, solver);
  const steps = solver === 'gd' || solver === 'normalized-gd';
  const { stepSize = steps ? 100 : 1, maxIterations = 1000, fitIntercept = true, l2, tolerance = 1e-7, marginIterations = 0 } = given;
  const { multiClass = solver === 'lbfgs' ? 'multinomial' : 'one-vs-rest' } = given;
  expect(Number.isFinite(stepSize) && stepSize > 0, op, 'stepSize', 'a finite number > 0', stepSize);
  expect(steps || stepSize === 1, op, 'stepSize', `none for ${solver}: its steps have no size`, stepSize);
  checkCount('maxIterations', maxIterations, 1);
  checkCount('marginIterations', marginIterations, 0);
  expect(typeof fitIntercept === 'boolean', op, 'fitIntercept', 'true or false', fitIntercept);
  expect(['one-vs-rest', 'multinomial'].includes(multiClass), op, 'multiClass', "'one-vs-rest' or 'multinomial'", multiClass);
  const softmax = multiClass === 'multinomial';
  expect(!softmax || solver === 'gd' || solver === 'lbfgs', op, 'multiClass', `'one-vs-rest' for ${solver}`, multiClass);
  expect(l2 === undefined || (Number.isFinite(l2) && l2 >= 0), op, 'l2', 'a finite number >= 0', l2);
  expect(l2 === undefined || solver === 'lbfgs', op, 'l2', `none for ${solver}: only lbfgs has a penalty`, l2);
  expect(Number.isFinite(tolerance) && tolerance > 0, op, 'tolerance', 'a finite number > 0', tolerance);
  expect(marginIterations === 0 || solver !== 'lbfgs', op, 'marginIterations', '0 for lbfgs', marginIterations);
  return { solver, stepSize, maxIterations, fitIntercept, multiClass, l2, tolerance, marginIterations };
}
