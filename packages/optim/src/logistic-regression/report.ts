import type { Conflict } from './samples.ts';
import type { Solver } from './solver.ts';

/** How training went for one hyperplane: of two classes, or of one class against the rest. */
export interface Convergence {
  /** The class on the positive side. Undefined for multinomial training, which has one problem for all classes. */
  readonly positive: number | undefined;
  /** Steps from theta = 0 to the first that had all samples right; all steps where none had. */
  readonly iterations: number;
  /** The iteration of the weights that were kept: of the first separation, or the one with the fewest errors. */
  readonly kept: number;
  /** Whether the weights that were kept have all samples on the right side, strictly. */
  readonly separated: boolean;
  /** Samples on the wrong side of the weights that were kept. */
  readonly misclassified: number;
  readonly trainingError: number;
  /** Mean logistic loss of the weights that were kept, without a penalty. After huge steps it says little. */
  readonly loss: number;
  /** The least margin of the weights that were kept, over their norm: a lower bound of mu where it is above 0. */
  readonly margin: number;
  /**
   * The most iterations that the paper's bound allows, with `margin` in the place of mu, which it is at most: never below the measured
   * `iterations`. Undefined where nothing was separated, or the solver has no bound.
   */
  readonly bound: number | undefined;
  /** Norm of the gradient's largest entry where lbfgs ended; undefined for other solvers. */
  readonly gradient: number | undefined;
  /** What was measured after each step, the start at zero first. */
  readonly history: History;
}

export interface History {
  /** Mean logistic loss (lbfgs: with its penalty). */
  readonly loss: readonly number[];
  readonly misclassified: readonly number[];
}

/** What `fit` found out. */
export interface FitReport {
  readonly solver: Solver;
  /** Where the passes over the data ran: `host` in float64, or the name of a backend in float32. */
  readonly place: string;
  readonly samples: number;
  readonly features: number;
  /** The labels that occur, rising. */
  readonly classes: readonly number[];
  /** R, the largest norm of a sample, with the constant feature of an intercept. */
  readonly radius: number;
  /** One for each hyperplane: the second of two classes, or every class against the rest. */
  readonly problems: readonly Convergence[];
  /** Most steps of any problem. */
  readonly iterations: number;
  /** Whether every hyperplane has its samples on the right sides. */
  readonly separated: boolean;
  /** Whether it can be done: true when it was, false when equal samples have different labels, undefined when nobody knows. */
  readonly separable: boolean | undefined;
  /** Two equal samples with different labels, of one batch. */
  readonly conflict: Conflict | undefined;
  /** All that in a sentence. */
  readonly answer: string;
  readonly warnings: readonly string[];
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** The sentence for people. */
export function answerOf({ samples, problems, separated, iterations, conflict, solver, separable }: Omit<FitReport, 'answer'>): string {
  if (separated) return `All ${counted(samples, 'sample')} are on the right side after ${counted(iterations, 'iteration')}.`;
  const worst = problems.reduce((a, b) => (b.misclassified > a.misclassified ? b : a));
  const against = problems.length > 1 ? ` of class ${worst.positive} against the rest` : '';
  const kept = `kept the weights of iteration ${worst.kept}${against}, with ${worst.misclassified} of ${samples} on the wrong side`;
  if (separable === false && conflict)
    return `Not separable: samples ${conflict[0]} and ${conflict[1]} are equal and have different labels; ${kept}.`;
  const how =
    solver === 'lbfgs'
      ? `Ended after ${counted(iterations, 'iteration')} without separating`
      : `Not separated within ${counted(iterations, 'iteration')}`;
  return `${how}: the data may not be separable, or need more; ${kept}.`;
}
