import { throwIfAborted, type ProgressEvent } from '@evenkeel/core';
import { iterationBound } from './bounds.ts';
import { iterates, type Iterate, type StepSolver } from './descend.ts';
import { lbfgs, type Evaluation } from './lbfgs.ts';
import { norm } from './norm.ts';
import type { Settled } from './options.ts';
import type { Convergence, History } from './report.ts';
import { totalsOf, type Chunk, type Summary } from './samples.ts';
import { softmaxTotals } from './softmax.ts';
import { scaleOf, type MarginTotals, type Weights } from './totals.ts';

/** Everything that training one problem needs. */
export interface Task {
  readonly op: string;
  readonly options: Settled;
  readonly chunks: () => AsyncIterable<Chunk> | Iterable<Chunk>;
  readonly summary: Summary;
  /** Samples to choose the weights by. */
  readonly validation: { readonly chunk: Chunk; readonly patience: number } | undefined;
  readonly signal: AbortSignal | undefined;
  readonly tell: (event: ProgressEvent) => void;
}

export interface Trained {
  readonly theta: Float64Array;
  readonly convergence: Convergence;
}

/** Milliseconds of work after which others have their turn, an abort among them. */
const TURN = 20;

/** Lets timers and events in between steps, now and then. */
export function turns(): () => Promise<void> {
  let last = Date.now();
  return async () => {
    if (Date.now() - last < TURN) return;
    await new Promise((resolve) => setTimeout(resolve));
    last = Date.now();
  };
}

interface Records extends History {
  readonly loss: number[];
  readonly misclassified: number[];
}

/** Writes down how an iterate does, tells of it, and lets others work. */
function recorder(
  { op, options, signal, tell }: Task,
  name: string,
): { history: Records; record: (loss: number, misclassified: number) => Promise<void> } {
  const history: Records = { loss: [], misclassified: [] };
  const turn = turns();
  const record = async (loss: number, misclassified: number): Promise<void> => {
    const loaded = history.loss.length;
    history.loss.push(loss);
    history.misclassified.push(misclassified);
    tell({ status: 'progress', name, loaded, total: options.maxIterations, metrics: { loss, misclassified } });
    await turn();
    throwIfAborted(signal, op);
  };
  return { history, record };
}

const lengthOf = ({ options, summary }: Task): number => summary.width + (options.fitIntercept ? 1 : 0);

/** Errors on the validation samples. */
function validate({ options }: Task, chunk: Chunk, positive: number, theta: Float64Array): number {
  const { rows, labels } = chunk;
  const constant = options.fitIntercept ? theta[rows.width]! : 0;
  let errors = 0;
  for (let row = 0; row < rows.count; row++) {
    const score = rows.dot(row, theta) + constant;
    if (!((labels[row] === positive ? score : -score) > 0)) errors++;
  }
  return errors;
}

const marginOf = ({ theta, totals }: Iterate): number => totals.least / norm(theta) || 0;

/** Steps toward the largest margin: small ones, from where the least margin is 1. Gives the iterate of the largest that it came by. */
async function widen(pass: (theta: Float64Array, weights: Weights) => Promise<MarginTotals>, task: Task, start: Iterate): Promise<Iterate> {
  const { options, summary } = task;
  const scaled = start.theta.map((value) => value / start.totals.least);
  let best = start;
  for await (const iterate of iterates(pass, scaled, { solver: 'normalized-gd', stepSize: 1 / summary.radius ** 2 })) {
    if (iterate.totals.misclassified === 0 && marginOf(iterate) > marginOf(best)) best = iterate;
    if (iterate.iteration >= options.marginIterations) break;
  }
  return { ...best, iteration: start.iteration };
}

/** Trains a hyperplane with `positive` on one side and all others on the other, by steps along weighted sums. */
export async function trainBySteps(task: Task, positive: number, name: string): Promise<Trained> {
  const { op, options, chunks, summary, validation, signal } = task;
  const solver = options.solver as StepSolver;
  const pass = (theta: Float64Array, weights: Weights): Promise<MarginTotals> =>
    totalsOf(op, chunks, summary, { positive, theta, weights, signal });
  const { history, record } = recorder(task, name);
  let kept: Iterate | undefined;
  let fewest = Infinity;
  let iterations = 0;
  for await (const iterate of iterates(pass, new Float64Array(lengthOf(task)), { solver, stepSize: options.stepSize })) {
    const { iteration, theta, totals } = iterate;
    iterations = iteration;
    await record(totals.loss / totals.count, totals.misclassified);
    // At zero all margins are zero: nothing is separated, and nothing worth keeping.
    if (iteration === 0) continue;
    const errors = validation ? validate(task, validation.chunk, positive, theta) : totals.misclassified;
    if (errors < fewest) {
      fewest = errors;
      kept = iterate;
    }
    if (totals.misclassified === 0 || iteration === options.maxIterations) break;
    if (validation && iteration - kept!.iteration >= validation.patience) break;
  }
  const separated = kept!.totals.misclassified === 0;
  if (separated && options.marginIterations > 0) kept = await widen(pass, task, kept!);
  const { theta, totals, iteration } = kept!;
  const margin = marginOf(kept!);
  const convergence: Convergence = {
    positive,
    iterations,
    kept: iteration,
    separated,
    misclassified: totals.misclassified,
    trainingError: totals.misclassified / summary.count,
    loss: totals.loss / summary.count,
    margin,
    bound: separated
      ? iterationBound(solver, { radius: summary.radius, margin, count: summary.count, stepSize: options.stepSize })
      : undefined,
    gradient: undefined,
    history,
  };
  return { theta, convergence };
}

interface Penalized extends Evaluation {
  /** The loss without the penalty. */
  readonly loss: number;
  readonly misclassified: number;
  readonly least: number;
}

type Evaluate = (theta: Float64Array) => Promise<Penalized>;

/** Mean loss, and with l2 > 0 its penalty: of a hyperplane, or of all classes at once. */
function objective({ op, options, chunks, summary, signal }: Task, positive: number | undefined, l2: number): Evaluate {
  const { count, width } = summary;
  return async (theta) => {
    const totals =
      positive === undefined
        ? await softmaxTotals(op, chunks, summary, theta, signal)
        : await totalsOf(op, chunks, summary, { positive, theta, weights: 'logistic', signal });
    const scale = positive === undefined ? 1 : Math.exp(scaleOf(totals.least));
    const length = width + (options.fitIntercept ? 1 : 0);
    let squares = 0;
    const gradient = totals.direction.map((value, i) => {
      const weight = i % length < width ? theta[i]! : 0;
      squares += weight * weight;
      return (-scale * value) / count + l2 * weight;
    });
    const { least, misclassified } = totals;
    const loss = totals.loss / count;
    return { value: loss + (l2 / 2) * squares, gradient, loss, misclassified, least };
  };
}

function concluded(
  { count }: Summary,
  positive: number | undefined,
  theta: Float64Array,
  { loss, misclassified, least, gradient }: Penalized,
  more: Pick<Convergence, 'iterations' | 'kept' | 'history'>,
): Convergence {
  return {
    positive,
    separated: misclassified === 0,
    misclassified,
    trainingError: misclassified / count,
    loss,
    margin: least / norm(theta) || 0,
    bound: undefined,
    gradient: gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
    ...more,
  };
}

/** Trains by lbfgs: a hyperplane, or with `positive` undefined all classes at once. */
export async function trainByLbfgs(task: Task, positive: number | undefined, name: string): Promise<Trained> {
  const { options, summary } = task;
  const { history, record } = recorder(task, name);
  const vectors = positive === undefined ? summary.classes.length : 1;
  const minimum = await lbfgs(objective(task, positive, options.l2 ?? 1 / summary.count), new Float64Array(vectors * lengthOf(task)), {
    tolerance: options.tolerance,
    maxIterations: options.maxIterations,
    onIteration: (_, { value, misclassified }) => record(value, misclassified),
  });
  const { theta, iterations } = minimum;
  return { theta, convergence: concluded(summary, positive, theta, minimum, { iterations, kept: iterations, history }) };
}

/** Gradient descent on the softmax of all classes, until every sample's own class is ahead. */
export async function trainMultinomial(task: Task, name: string): Promise<Trained> {
  const { options, summary } = task;
  const { history, record } = recorder(task, name);
  const evaluate = objective(task, undefined, 0);
  let theta = new Float64Array(summary.classes.length * lengthOf(task));
  let kept: { theta: Float64Array; at: Penalized; iteration: number } | undefined;
  let iteration = 0;
  for (; ; iteration++) {
    const at = await evaluate(theta);
    await record(at.loss, at.misclassified);
    if (iteration > 0 && at.misclassified < (kept?.at.misclassified ?? Infinity)) kept = { theta, at, iteration };
    if (iteration > 0 && (at.misclassified === 0 || iteration === options.maxIterations)) break;
    theta = theta.map((value, i) => value - options.stepSize * at.gradient[i]!);
  }
  const convergence = concluded(summary, undefined, kept!.theta, kept!.at, { iterations: iteration, kept: kept!.iteration, history });
  return { theta: kept!.theta, convergence: { ...convergence, gradient: undefined } };
}
