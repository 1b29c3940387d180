import { getBackend } from '@tensorflow/tfjs-core';
import { EvenkeelError, expect, show, throwIfAborted } from '@evenkeel/core';
import { toRows, type Features } from './matrix.ts';
import { checkFit, settle, type FitOptions, type LogisticRegressionOptions, type Settled } from './options.ts';
import { answerOf, type FitReport } from './report.ts';
import { disposeChunk, readChunk, scan, type Batches, type Chunk, type Labels } from './samples.ts';
import { logitsOf } from './softmax.ts';
import { trainByLbfgs, trainBySteps, trainMultinomial, type Task, type Trained } from './train.ts';

const NAME = 'LogisticRegression';

/** What a trained model is, as JSON. */
export interface LogisticRegressionJSON {
  readonly options: LogisticRegressionOptions;
  readonly features: number;
  readonly classes: readonly number[];
  /** A list a hyperplane: a weight a feature, then the intercept if there is one. */
  readonly weights: readonly (readonly number[])[];
}

interface Model {
  readonly features: number;
  readonly classes: readonly number[];
  /** One vector for two classes, else one a class. */
  readonly vectors: readonly Float64Array[];
  /** Whether the classes share a softmax. */
  readonly softmax: boolean;
}

const logSigmoid = (t: number): number => Math.min(0, t) - Math.log1p(Math.exp(-Math.abs(t)));

/** Where a report says that passes ran. */
type Seen = { onBackend: boolean };

/**
 * Logistic regression, as linear classifier of two or more classes, trained on the whole data at once with steps as large as one likes.
 *
 * On data that a hyperplane separates, gradient descent with huge steps is a batch perceptron, and dividing the step by the mean
 * misclassification weight (`normalized-gd`, the default) makes the number of iterations independent of the number of samples. Training ends
 * at the first iterate with every sample strictly on the right side. What huge steps find is a separator, not that of the largest margin:
 * `marginIterations` moves toward it, and `lbfgs` is the baseline where probabilities matter.
 *
 * Typed arrays, rows and sparse matrices are computed on the host in float64, tensors by the op MarginSums on the running backend in float32;
 * `perceptron`, `lbfgs` and multinomial training read tensors to the host.
 *
 * Edge cases: labels are whole numbers, -1 and 1 as well as 0 and 1; the largest is the positive class. One class alone trains, with a
 * warning. A margin of exactly 0 counts as misclassified. Data that is not separable ends at `maxIterations` with the iterate of the fewest
 * errors; equal samples with different labels are reported by their rows (within a batch). With one sample one step is enough.
 *
 * Source: Tyurin 2024, "From Logistic Regression to the Perceptron Algorithm: Exploring Gradient Descent with Large Step Sizes".
 *
 * @example
 * const model = new LogisticRegression({ stepSize: 100 });
 * const { answer } = await model.fit(embeddings, labels); // "All 1000 samples are on the right side after 54 iterations."
 * await model.predict(others); // Int32Array of labels
 */
export class LogisticRegression {
  readonly options: Readonly<Settled>;
  /** What the last `fit` found out. */
  report: FitReport | undefined;
  #model: Model | undefined;

  /** @throws EvenkeelError INVALID_ARGUMENT for an unknown option, one out of range, or one that the solver has not */
  constructor(options: LogisticRegressionOptions = {}) {
    this.options = settle(options);
  }

  /**
   * Trains on samples that are in memory, from zero.
   *
   * @param x - [samples, features]: a tensor (which stays yours), rows, a dense or a sparse matrix
   * @param y - [samples] whole numbers
   * @throws EvenkeelError NON_FINITE for NaN or infinity, INVALID_ARGUMENT for labels that are no whole numbers, no samples, or, without an
   * intercept, a row of zeros; SHAPE, DTYPE, DISPOSED, ABORTED. The model is then as it was before.
   */
  async fit(x: Features, y: Labels, options: FitOptions = {}): Promise<FitReport> {
    const op = `${NAME}.fit`;
    throwIfAborted(options.signal, op);
    const chunk = await readChunk(op, { x, y }, this.options.fitIntercept, this.#onBackend);
    try {
      return await this.#train(op, () => [chunk], options, { onBackend: chunk.x !== undefined });
    } finally {
      disposeChunk(chunk);
    }
  }

  /**
   * Trains on batches that come one after the other, for data that does not fit in memory: the same steps as `fit` on all of it, since sums
   * of batches are put together exactly, each with its own scale. Every step is a pass over the batches; one pass before them checks the data.
   *
   * @param batches - is called for each pass, and gives the same samples each time. A batch's tensors are its maker's to dispose of, when it
   * is asked for the next
   * @throws EvenkeelError as `fit`; INVALID_ARGUMENT where passes differ in their number of samples
   *
   * @example
   * await model.fitBatches(async function* () {
   *   for (const file of files) yield await read(file); // { x, y }
   * });
   */
  async fitBatches(batches: Batches, options: FitOptions = {}): Promise<FitReport> {
    const op = `${NAME}.fitBatches`;
    expect(typeof batches === 'function', op, 'batches', 'a function that starts a pass', batches);
    throwIfAborted(options.signal, op);
    const { fitIntercept } = this.options;
    const onBackend = this.#onBackend;
    const seen: Seen = { onBackend: false };
    async function* chunks(): AsyncGenerator<Chunk> {
      for await (const batch of batches()) {
        const chunk = await readChunk(op, batch, fitIntercept, onBackend);
        if (chunk.x) seen.onBackend = true;
        try {
          yield chunk;
        } finally {
          disposeChunk(chunk);
        }
      }
    }
    return this.#train(op, chunks, options, seen);
  }

  /** Whether passes run where tensors are. */
  get #onBackend(): boolean {
    const { solver, multiClass } = this.options;
    return solver !== 'lbfgs' && solver !== 'perceptron' && multiClass !== 'multinomial';
  }

  async #train(op: string, chunks: Task['chunks'], fit: FitOptions, seen: Seen): Promise<FitReport> {
    const patience = checkFit(op, fit);
    const { options } = this;
    const { signal, onProgress = () => {} } = fit;
    const summary = await scan(op, chunks, options.fitIntercept, signal);
    const { classes, width: features, count: samples, radius, conflict } = summary;
    const softmax = options.multiClass === 'multinomial' && classes.length > 2;
    let validation: Task['validation'];
    if (fit.validation !== undefined) {
      expect(options.solver !== 'lbfgs' && !softmax, op, 'validation', 'none for lbfgs and multinomial training', 'samples');
      const chunk = await readChunk(op, fit.validation, options.fitIntercept, false);
      expect(chunk.rows.width === features, op, 'validation', `samples of ${features} features`, `${chunk.rows.width} features`, 'SHAPE');
      validation = { chunk, patience };
    }
    const task: Task = { op, options, chunks, summary, validation, signal, tell: onProgress };
    // Two classes share a hyperplane; a class alone has the whole space on its side.
    const positives = softmax ? [undefined] : classes.length > 2 ? classes : [classes.at(-1)!];
    const trained: Trained[] = [];
    for (const [i, positive] of positives.entries()) {
      const name = positives.length > 1 ? `class ${positive} against the rest` : 'logistic regression';
      onProgress({ status: 'progress_total', loaded: i, total: positives.length });
      onProgress({ status: 'initiate', name });
      if (options.solver === 'lbfgs') trained.push(await trainByLbfgs(task, positive, name));
      else if (positive === undefined) trained.push(await trainMultinomial(task, name));
      else trained.push(await trainBySteps(task, positive, name));
      onProgress({ status: 'done', name });
    }
    onProgress({ status: 'progress_total', loaded: positives.length, total: positives.length });
    onProgress({ status: 'ready' });
    const problems = trained.map(({ convergence }) => convergence);
    const separated = problems.every((problem) => problem.separated);
    const found = {
      solver: options.solver,
      place: seen.onBackend ? getBackend() : 'host',
      samples,
      features,
      classes,
      radius,
      problems,
      iterations: Math.max(...problems.map(({ iterations }) => iterations)),
      separated,
      separable: separated ? true : conflict ? false : undefined,
      conflict,
      warnings: classes.length === 1 ? [`All labels are ${classes[0]}: there is nothing to tell apart.`] : [],
    };
    const parameters = features + (options.fitIntercept ? 1 : 0);
    const vectors = softmax
      ? classes.map((_, k) => trained[0]!.theta.slice(k * parameters, (k + 1) * parameters))
      : trained.map(({ theta }) => theta);
    this.#model = { features, classes, vectors, softmax };
    this.report = { ...found, answer: answerOf(found) };
    return this.report;
  }

  #fitted(op: string): Model {
    if (this.#model) return this.#model;
    throw new EvenkeelError('NOT_FOUND', 'has no weights yet; call fit first', { op });
  }

  /** The labels, rising. */
  get classes(): readonly number[] {
    return this.#fitted(`${NAME}.classes`).classes;
  }

  /** Weights of the features: one vector for two classes, else one a class. */
  get coefficients(): readonly Float64Array[] {
    const { vectors, features } = this.#fitted(`${NAME}.coefficients`);
    return vectors.map((vector) => vector.slice(0, features));
  }

  /** The constant of each vector; 0 without `fitIntercept`. */
  get intercepts(): readonly number[] {
    const { vectors, features } = this.#fitted(`${NAME}.intercepts`);
    return vectors.map((vector) => vector[features] ?? 0);
  }

  /**
   * Signed distances to the hyperplanes, times the norm of the weights: for two classes [samples], above 0 on the side of the second class,
   * else [samples, classes], row by row.
   *
   * @throws EvenkeelError NOT_FOUND before `fit`; SHAPE for another number of features
   */
  async decisionFunction(x: Features): Promise<Float64Array> {
    return (await this.#decide(`${NAME}.decisionFunction`, x)).scores;
  }

  async #decide(op: string, x: Features): Promise<{ scores: Float64Array; count: number; model: Model }> {
    const model = this.#fitted(op);
    const rows = await toRows(op, x);
    // A list of no rows has no width.
    expect(rows.width === model.features || rows.count === 0, op, 'x', `${model.features} features, as in fit`, rows.width, 'SHAPE');
    const { length } = model.vectors;
    const scores = new Float64Array(rows.count * length);
    for (let row = 0; row < rows.count; row++) logitsOf({ rows }, row, model.vectors, scores.subarray(row * length, (row + 1) * length));
    return { scores, count: rows.count, model };
  }

  /**
   * The label of each sample. A sample on a hyperplane goes to the first class.
   *
   * @throws EvenkeelError as `decisionFunction`
   */
  async predict(x: Features): Promise<Int32Array> {
    const { scores, count, model } = await this.#decide(`${NAME}.predict`, x);
    return labelled(scores, count, model);
  }

  /**
   * Probabilities of the classes, [samples, classes], row by row; one-vs-rest sigmoids are made to sum to 1. After huge steps they are 0 and 1
   * nearly everywhere, and mean nothing: take `lbfgs` where they matter.
   *
   * @throws EvenkeelError as `decisionFunction`
   */
  async predictProba(x: Features): Promise<Float64Array> {
    const { scores, count, model } = await this.#decide(`${NAME}.predictProba`, x);
    const { classes, softmax } = model;
    const k = classes.length;
    const result = new Float64Array(count * k).fill(1);
    if (k === 1) return result;
    for (let row = 0; row < count; row++) {
      const logs =
        k === 2
          ? [logSigmoid(-scores[row]!), logSigmoid(scores[row]!)]
          : Array.from(scores.subarray(row * k, (row + 1) * k), (score) => (softmax ? score : logSigmoid(score)));
      const most = Math.max(...logs);
      const sum = logs.reduce((total, log) => total + Math.exp(log - most), 0);
      logs.forEach((log, i) => (result[row * k + i] = Math.exp(log - most) / sum));
    }
    return result;
  }

  /**
   * The share of samples that `predict` labels as `y` says.
   *
   * @throws EvenkeelError as `decisionFunction`, and as `fit` for y
   */
  async score(x: Features, y: Labels): Promise<number> {
    const op = `${NAME}.score`;
    const { rows, labels } = await readChunk(op, { x, y }, false, false);
    expect(rows.count > 0, op, 'x', 'at least one sample', `${rows.count} samples`);
    const { scores, count, model } = await this.#decide(op, x);
    return labelled(scores, count, model).filter((label, i) => label === labels[i]).length / count;
  }

  /** Weights, classes and options as plain data. */
  toJSON(): LogisticRegressionJSON {
    const { features, classes, vectors } = this.#fitted(`${NAME}.toJSON`);
    const { l2, ...options } = this.options;
    return {
      options: l2 === undefined ? options : { ...options, l2 },
      features,
      classes: [...classes],
      weights: vectors.map((vector) => [...vector]),
    };
  }

  /**
   * A model of what `toJSON` gave. It predicts as the first did, to the bit.
   *
   * @throws EvenkeelError INVALID_ARGUMENT for what is no such data
   *
   * @example
   * const again = LogisticRegression.fromJSON(JSON.parse(JSON.stringify(model)));
   */
  static fromJSON(json: LogisticRegressionJSON): LogisticRegression {
    const op = `${NAME}.fromJSON`;
    const { options, features, classes, weights } = json ?? {};
    expect(typeof options === 'object' && options !== null, op, 'options', 'an object', options);
    const model = new LogisticRegression(options);
    expect(Number.isSafeInteger(features) && features > 0, op, 'features', 'a whole number >= 1', features);
    expect(Array.isArray(classes) && classes.length > 0 && classes.every(Number.isSafeInteger), op, 'classes', 'whole numbers', classes);
    const vectors = classes.length > 2 ? classes.length : 1;
    expect(Array.isArray(weights) && weights.length === vectors, op, 'weights', `${vectors} vectors`, weights);
    const parameters = features + (model.options.fitIntercept ? 1 : 0);
    for (const vector of weights) {
      if (Array.isArray(vector) && vector.length === parameters && vector.every(Number.isFinite)) continue;
      throw new EvenkeelError('INVALID_ARGUMENT', `weights has ${show(vector)}, expected ${parameters} finite numbers`, {
        op,
        argument: 'weights',
      });
    }
    model.#model = {
      features,
      classes: [...classes],
      vectors: weights.map((vector) => Float64Array.from(vector)),
      softmax: model.options.multiClass === 'multinomial' && classes.length > 2,
    };
    return model;
  }
}

function labelled(scores: Float64Array, count: number, { classes }: Model): Int32Array {
  const k = classes.length;
  return Int32Array.from({ length: count }, (_, row) => {
    if (k === 1) return classes[0]!;
    if (k === 2) return classes[scores[row]! > 0 ? 1 : 0]!;
    let best = 0;
    for (let i = 1; i < k; i++) if (scores[row * k + i]! > scores[row * k + best]!) best = i;
    return classes[best]!;
  });
}
