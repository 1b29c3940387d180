import { backends } from '../../../../tools/test-backends.ts';
import { memory, tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError, type ProgressEvent } from '@evenkeel/core';
import { describe, expect, test } from 'vitest';
import { blobs, separable, sparse, worstCase, type Sample } from '../../test/samples.ts';
import { LogisticRegression, type FitOptions, type FitReport, type LogisticRegressionOptions, type Solver } from './index.ts';

const through0 = (options: LogisticRegressionOptions): LogisticRegression => new LogisticRegression({ fitIntercept: false, ...options });

async function fit({ x, y }: Sample, options: LogisticRegressionOptions, more?: FitOptions): Promise<FitReport> {
  return through0({ maxIterations: 5000, ...options }).fit(x, y, more);
}

async function refusal(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (isEvenkeelError(error)) return `${error.code} ${error.argument}: ${error.message}`;
    throw error;
  }
  return 'nothing was thrown';
}

/** Mean loss and penalty, as the definition has them. */
function objective({ x, y }: Sample, theta: readonly number[], l2: number): number {
  const losses = x.map((row, i) => {
    const score = row.reduce((sum, value, j) => sum + value * theta[j]!, theta[row.length]!);
    return Math.log(1 + Math.exp(y[i] === 1 ? -score : score));
  });
  const squares = theta.slice(0, -1).reduce((sum, value) => sum + value * value, 0);
  return losses.reduce((sum, value) => sum + value, 0) / x.length + (l2 / 2) * squares;
}

const stepSolvers: Solver[] = ['gd', 'normalized-gd', 'perceptron', 'batch-perceptron', 'normalized-batch-perceptron'];

describe('the worst case of the paper, one sample against n - 1', () => {
  test('has the iteration counts of its table 1', async () => {
    const data = worstCase(1000);
    for (const [stepSize, iterations] of [
      [100, 2],
      [10, 2],
      [1, 16],
      [0.1, 157],
    ] as const) {
      expect((await fit(data, { stepSize })).iterations, `normalized-gd, ${stepSize}`).toBe(iterations);
    }
    expect((await fit(data, { solver: 'gd', stepSize: 100 })).iterations).toBe(308);
  });

  test('takes the batch perceptron steps that grow with n, and its normalized form two', async () => {
    for (const [n, iterations] of [
      [10, 4],
      [40, 13],
      [100, 31],
      [1000, 301],
    ] as const) {
      expect((await fit(worstCase(n), { solver: 'batch-perceptron' })).iterations).toBe(iterations);
      expect((await fit(worstCase(n), { solver: 'normalized-batch-perceptron' })).iterations).toBe(2);
    }
  });

  test('takes as many on tensors, in float32, give or take one', async () => {
    for (const name of backends) {
      await backend(name);
      // A simulated GPU is slow at many steps.
      const { x, y } = worstCase(name === 'webgpu' ? 40 : 1000);
      const before = memory().numTensors;
      const [samples, labels] = [tensor2d(x), tensor1d(y, 'int32')];
      for (const options of [
        { stepSize: 100 },
        { stepSize: 0.1 },
        { solver: 'gd', stepSize: 100 },
        { solver: 'batch-perceptron' },
      ] as const) {
        const wanted = (await fit({ x, y }, options)).iterations;
        const { place, iterations } = await through0(options).fit(samples, labels);
        expect(place).toBe(name);
        expect(Math.abs(iterations - wanted), `${name}: ${JSON.stringify(options)}`).toBeLessThanOrEqual(wanted > 50 ? 1 : 0);
      }
      samples.dispose();
      labels.dispose();
      expect(memory().numTensors).toBe(before);
    }
  });
});

describe('the loss is a bad guide', () => {
  test('two points: it is huge one step before the solution', async () => {
    const x = [
      [1, -1],
      [-1, -4],
    ];
    const report = await fit({ x, y: [1, -1] }, { solver: 'gd', stepSize: 1e4 });
    expect(report.iterations).toBe(2);
    expect(report.problems[0]!.history.misclassified).toEqual([2, 1, 0]);
    const [start, first, second] = report.problems[0]!.history.loss as [number, number, number];
    expect(start).toBeCloseTo(Math.log(2), 12);
    expect(first).toBeGreaterThan(1000);
    expect(second).toBeLessThan(1e-100);
  });

  test('a step of a million is the batch perceptron', async () => {
    const data = separable(100, 20, 0.05, 2);
    const options = { maxIterations: 5000 };
    const perceptron = through0({ ...options, solver: 'batch-perceptron' });
    const descent = through0({ ...options, solver: 'gd', stepSize: 1e6 });
    const { iterations } = await perceptron.fit(data.x, data.y);
    expect((await descent.fit(data.x, data.y)).iterations).toBe(iterations);
    expect(iterations).toBeGreaterThan(2);
    descent.coefficients[0]!.forEach((value, i) => expect(Math.abs(value / 1e6 - perceptron.coefficients[0]![i]!)).toBeLessThan(2e-5));
  });

  test('huge steps on large features have no infinity and no NaN', async () => {
    const { x, y } = separable(50, 4, 0.2, 1);
    const large = x.map((row) => row.map((value) => 10 * value));
    for (const solver of ['gd', 'normalized-gd'] as const) {
      const model = through0({ solver, stepSize: 1e6, maxIterations: 5000 });
      const { separated, problems } = await model.fit(large, y);
      expect(separated).toBe(true);
      for (const values of [model.coefficients[0]!, problems[0]!.history.loss, await model.predictProba(large)]) {
        expect([...values].every(Number.isFinite)).toBe(true);
      }
    }
  });
});

describe('on separable data', () => {
  test('no solver needs more iterations than its bound', async () => {
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const data = separable(20 + 10 * seed, 3 + seed, 0.1, seed);
      for (const solver of stepSolvers) {
        const { iterations, separated, separable: possible, problems, answer } = await fit(data, { solver, maxIterations: 100_000 });
        expect([separated, possible], solver).toEqual([true, true]);
        expect(iterations, solver).toBeLessThanOrEqual(problems[0]!.bound!);
        expect(problems[0]!.margin).toBeGreaterThan(0);
        expect(answer).toMatch(/^All \d+ samples are on the right side after \d+ iterations?\.$/);
      }
    }
  });

  test('training ends at the first iterate that separates, and predicts what it was told', async () => {
    const { x, y } = separable(80, 5, 0.1, 9);
    for (const solver of stepSolvers) {
      const model = new LogisticRegression({ solver, maxIterations: 5000 });
      const { problems, iterations } = await model.fit(x, y);
      const { misclassified } = problems[0]!.history;
      expect(misclassified.findIndex((count) => count === 0)).toBe(iterations);
      expect(misclassified).toHaveLength(iterations + 1);
      expect([...(await model.predict(x))]).toEqual(y);
      expect(await model.score(x, y)).toBe(1);
    }
  });

  test('more steps after it widen the margin, up to that of the best hyperplane', async () => {
    const narrow = await fit(worstCase(40), {});
    const wide = await fit(worstCase(40), { marginIterations: 2000 });
    expect(narrow.problems[0]!.margin).toBeLessThan(0.46);
    // The best is (1, 0), with a margin of 1/2.
    expect(wide.problems[0]!.margin).toBeGreaterThan(0.497);
    expect(wide.problems[0]!.margin).toBeLessThanOrEqual(0.5);
    expect(wide.iterations).toBe(narrow.iterations);
    expect(wide.problems[0]!.bound!).toBeLessThan(narrow.problems[0]!.bound!);
  });

  test('one sample takes one step, one class a warning', async () => {
    for (const solver of stepSolvers) {
      expect((await fit({ x: [[3, -1]], y: [1] }, { solver })).iterations, solver).toBe(1);
      const model = new LogisticRegression({ solver });
      const { warnings, separated } = await model.fit(
        [
          [1, 2],
          [2, 1],
        ],
        [7, 7],
      );
      expect([warnings, separated]).toEqual([['All labels are 7: there is nothing to tell apart.'], true]);
      expect([...(await model.predict([[-9, -9]]))]).toEqual([7]);
      expect([...(await model.predictProba([[-9, -9]]))]).toEqual([1]);
    }
  });

  test('labels may be 0 and 1, -1 and 1, or any two whole numbers', async () => {
    const { x, y } = separable(30, 3, 0.2, 4);
    const [plain, bits, others] = [new LogisticRegression(), new LogisticRegression(), new LogisticRegression()];
    await plain.fit(x, y);
    await bits.fit(
      x,
      Uint8Array.from(y, (label) => (label > 0 ? 1 : 0)),
    );
    await others.fit(
      x,
      Int32Array.from(y, (label) => (label > 0 ? 40 : 3)),
    );
    expect(bits.coefficients).toEqual(plain.coefficients);
    expect(others.intercepts).toEqual(plain.intercepts);
    expect([plain.classes, bits.classes, others.classes]).toEqual([
      [-1, 1],
      [0, 1],
      [3, 40],
    ]);
    expect([...(await others.predict(x))]).toEqual(y.map((label) => (label > 0 ? 40 : 3)));
  });
});

describe('on data that is not separable', () => {
  const overlapping = blobs(200, 3, 2, 0.8, 5);

  test('the iterate with the fewest errors is kept, and said so', async () => {
    for (const solver of stepSolvers) {
      const model = new LogisticRegression({ solver, maxIterations: 200 });
      const { separated, separable: possible, problems, answer } = await model.fit(overlapping.x, overlapping.y);
      const [{ history, kept, misclassified, bound, iterations, trainingError }] = problems as [FitReport['problems'][number]];
      expect([separated, possible, bound, iterations]).toEqual([false, undefined, undefined, 200]);
      const fewest = Math.min(...history.misclassified.slice(1));
      expect(misclassified).toBe(fewest);
      expect(kept).toBe(history.misclassified.indexOf(fewest, 1));
      expect(trainingError).toBe(fewest / 200);
      expect(await model.score(overlapping.x, overlapping.y)).toBeCloseTo(1 - fewest / 200, 12);
      expect(answer).toBe(
        `Not separated within 200 iterations: the data may not be separable, or need more; kept the weights of iteration ${kept}, with ${fewest} of 200 on the wrong side.`,
      );
    }
  });

  test('equal samples with different labels are named', async () => {
    const { x, y } = separable(20, 3, 0.2, 2);
    const data = { x: [...x, [...x[4]!], [...x[7]!]], y: [...y, y[4]!, -y[7]!] };
    for (const samples of [data.x, sparse(data.x)]) {
      const { conflict, separable: possible, answer } = await through0({ maxIterations: 50 }).fit(samples, data.y);
      expect([conflict, possible]).toEqual([[7, 21], false]);
      expect(answer).toContain('Not separable: samples 7 and 21 are equal and have different labels');
    }
  });

  test('validation samples choose the weights, and end the training', async () => {
    const validation = blobs(200, 3, 2, 0.8, 5);
    validation.x.reverse();
    validation.y.reverse();
    const held = { x: validation.x.slice(0, 60), y: validation.y.slice(0, 60) };
    const train = { x: validation.x.slice(60), y: validation.y.slice(60) };
    const model = new LogisticRegression({ solver: 'gd', stepSize: 0.5, maxIterations: 3000 });
    const report = await model.fit(train.x, train.y, { validation: held, patience: 30 });
    expect(report.iterations).toBe(report.problems[0]!.kept + 30);
    expect(report.iterations).toBeLessThan(3000);
    const kept = await model.score(held.x, held.y);
    // No iterate so far is better on them: train as long again, without them, and look at each.
    for (let iterations = 1; iterations <= report.iterations; iterations++) {
      const other = new LogisticRegression({ solver: 'gd', stepSize: 0.5, maxIterations: iterations });
      const { problems } = await other.fit(train.x, train.y);
      if (problems[0]!.kept === iterations) expect(await other.score(held.x, held.y)).toBeLessThanOrEqual(kept);
    }
  });
});

describe('forms of the data', () => {
  const { x, y } = separable(120, 7, 0.1, 6);
  const holes = x.map((row, i) => row.map((value, j) => ((i + j) % 3 === 0 ? 0 : value)));

  test('dense and sparse matrices, rows and batches give the same weights', async () => {
    for (const solver of [...stepSolvers, 'lbfgs'] as Solver[]) {
      const options = { solver, maxIterations: 40 };
      const [rows, dense, compressed, streamed] = Array.from({ length: 4 }, () => new LogisticRegression(options));
      const report = await rows!.fit(holes, y);
      await dense!.fit({ values: Float64Array.from(holes.flat()), shape: [120, 7] }, y);
      await compressed!.fit(sparse(holes), Float32Array.from(y));
      const streamedReport = await streamed!.fitBatches(async function* () {
        for (const [begin, end] of [
          [0, 1],
          [1, 70],
          [70, 120],
        ] as const) {
          await Promise.resolve();
          yield { x: begin === 1 ? sparse(holes.slice(begin, end)) : holes.slice(begin, end), y: y.slice(begin, end) };
        }
      });
      expect(dense!.toJSON(), solver).toEqual(rows!.toJSON());
      for (const other of [compressed!, streamed!]) {
        // Sums in another order.
        other.coefficients[0]!.forEach((value, i) => {
          const wanted = rows!.coefficients[0]![i]!;
          expect(Math.abs(value - wanted), solver).toBeLessThan(1e-6 * (1 + Math.abs(wanted)));
        });
        expect([...(await other.predict(sparse(holes)))]).toEqual([...(await rows!.predict(holes))]);
      }
      expect(streamedReport.iterations).toBe(report.iterations);
      expect([streamedReport.samples, streamedReport.radius]).toEqual([120, report.radius]);
    }
  });

  test('batches of tensors run on the backend, and leave nothing behind', async () => {
    for (const name of backends) {
      await backend(name);
      const before = memory().numTensors;
      const model = new LogisticRegression({ stepSize: 1 });
      const report = await model.fitBatches(function* () {
        for (const begin of [0, 60]) {
          const batch = { x: tensor2d(x.slice(begin, begin + 60)), y: y.slice(begin, begin + 60) };
          yield batch;
          batch.x.dispose();
        }
      });
      const whole = new LogisticRegression({ stepSize: 1 });
      await whole.fit(x, y);
      expect([report.place, report.separated]).toEqual([name, true]);
      expect(Math.abs(report.iterations - whole.report!.iterations)).toBeLessThanOrEqual(1);
      expect(memory().numTensors).toBe(before);
    }
  });

  test('passes that differ are refused', async () => {
    let pass = 0;
    const batches = (): { x: number[][]; y: number[] }[] => [{ x: x.slice(pass++), y: y.slice(pass - 1) }];
    expect(await refusal(() => new LogisticRegression().fitBatches(batches))).toContain(
      'INVALID_ARGUMENT batches: LogisticRegression.fitBatches: batches is 119, expected 120 samples in each pass, as in the first',
    );
  });
});

describe('more than two classes', () => {
  const three = blobs(150, 4, 3, 6, 8);

  test('one against the rest, and multinomial, separate what can be', async () => {
    for (const options of [{}, { solver: 'gd' }, { solver: 'gd', multiClass: 'multinomial' }, { solver: 'lbfgs' }] as const) {
      const model = new LogisticRegression({ maxIterations: 3000, ...options });
      const report = await model.fit(three.x, three.y);
      const label = JSON.stringify(options);
      expect(report.classes, label).toEqual([0, 1, 2]);
      expect(report.separated, label).toBe(true);
      expect(await model.score(three.x, three.y), label).toBe(1);
      const proba = await model.predictProba(three.x);
      expect(proba.length).toBe(450);
      for (let i = 0; i < 150; i++) expect(proba[3 * i]! + proba[3 * i + 1]! + proba[3 * i + 2]!).toBeCloseTo(1, 12);
      expect((await model.decisionFunction(three.x)).length).toBe(450);
      expect(model.coefficients.map(({ length }) => length)).toEqual([4, 4, 4]);
    }
  });

  test('the answer names the class that is worst', async () => {
    const mixed = blobs(90, 2, 3, 0.3, 2);
    const { answer, problems, separated } = await new LogisticRegression({ maxIterations: 30 }).fit(mixed.x, mixed.y);
    const worst = Math.max(...problems.map(({ misclassified }) => misclassified));
    expect(separated).toBe(false);
    expect(answer).toMatch(new RegExp(`of class [012] against the rest, with ${worst} of 90 on the wrong side`));
  });
});

describe('lbfgs', () => {
  test('ends where the gradient is zero, which a convex function has once', async () => {
    const data = blobs(80, 3, 2, 1, 11);
    for (const l2 of [undefined, 0.3]) {
      const model = new LogisticRegression({ solver: 'lbfgs', tolerance: 1e-9, ...(l2 !== undefined && { l2 }) });
      const report = await model.fit(data.x, data.y);
      expect(report.problems[0]!.gradient).toBeLessThanOrEqual(1e-9);
      expect(report.iterations).toBeLessThan(60);
      const theta = [...model.coefficients[0]!, model.intercepts[0]!];
      const at = (i: number, by: number): number =>
        objective(
          data,
          theta.map((value, j) => (i === j ? value + by : value)),
          l2 ?? 1 / 80,
        );
      theta.forEach((_, i) => expect(Math.abs(at(i, 1e-4) - at(i, -1e-4)) / 2e-4).toBeLessThan(1e-7));
      expect(report.problems[0]!.history.loss.at(-1)).toBeCloseTo(at(-1, 0), 12);
    }
  });

  test('ends at the same place multinomially: probabilities sum to the frequencies of the classes', async () => {
    const data = blobs(120, 3, 3, 1, 13);
    data.y[0] = 1;
    const model = new LogisticRegression({ solver: 'lbfgs', tolerance: 1e-9 });
    await model.fit(data.x, data.y);
    const proba = await model.predictProba(data.x);
    // The intercepts have no penalty: their gradient is the difference of the two.
    for (const k of [0, 1, 2]) {
      const sum = data.y.reduce((total, _, i) => total + proba[3 * i + k]!, 0);
      expect(sum).toBeCloseTo(data.y.filter((label) => label === k).length, 6);
    }
  });
});

describe('what is refused', () => {
  const fine = [
    [1, 2],
    [3, 4],
  ];
  test.each([
    ['stepSize', { stepSize: 0 }],
    ['stepSize', { stepSize: -1 }],
    ['stepSize', { stepSize: Number.NaN }],
    ['stepSize', { stepSize: Infinity }],
    ['stepSize', { solver: 'perceptron', stepSize: 2 }],
    ['solver', { solver: 'adam' }],
    ['maxIterations', { maxIterations: 0 }],
    ['multiClass', { solver: 'perceptron', multiClass: 'multinomial' }],
    ['l2', { l2: 1 }],
    ['l2', { solver: 'lbfgs', l2: -1 }],
    ['gamma', { gamma: 1 }],
  ])('%s of %o', async (argument, options) => {
    expect(await refusal(() => new LogisticRegression(options as LogisticRegressionOptions))).toMatch(
      new RegExp(`^INVALID_ARGUMENT ${argument}: LogisticRegression: `),
    );
  });

  test.each<[string, unknown, unknown, string]>([
    ['labels of another number', fine, [1], 'SHAPE y: LogisticRegression.fit: y is 1, expected 2 labels, as x has rows'],
    [
      'labels that are no whole numbers',
      fine,
      [1, 0.5],
      'INVALID_ARGUMENT y: LogisticRegression.fit: y[1] is 0.5, expected a whole number',
    ],
    ['labels that are no numbers', fine, ['a', 'b'], 'INVALID_ARGUMENT y: LogisticRegression.fit: y[0] is "a"'],
    ['no samples', [], [], 'INVALID_ARGUMENT x: LogisticRegression.fit: x is "0 samples", expected at least one sample'],
    ['no features', [[], []], [0, 1], 'SHAPE x: LogisticRegression.fit: x is "0 features"'],
    [
      'a NaN',
      [
        [1, 2],
        [3, Number.NaN],
      ],
      [0, 1],
      'NON_FINITE x: LogisticRegression.fit: x has a NaN or an infinity in column 1 in row 1',
    ],
    ['rows of different lengths', [[1, 2], [3]], [0, 1], 'SHAPE x: LogisticRegression.fit: x is 1, expected 2 features in row 1'],
    [
      'values that do not fill a shape',
      { values: [1, 2, 3], shape: [2, 2] },
      [0, 1],
      'SHAPE x: LogisticRegression.fit: x is 3, expected 4 values',
    ],
    ['columns that fall', { values: [1, 2], columns: [1, 0], offsets: [0, 2], shape: [1, 2] }, [1], 'column 0 in row 0 after column 1'],
    [
      'offsets that do not fit',
      { values: [1, 2], columns: [0, 1], offsets: [0, 1], shape: [1, 2] },
      [1],
      'offsets from 0 to 1, expected 0 to 2',
    ],
    ['what is no matrix', 'x', [1], 'INVALID_ARGUMENT x: LogisticRegression.fit: x is "x"'],
  ])('%s', async (_, x, y, message) => {
    expect(await refusal(() => new LogisticRegression().fit(x as number[][], y as number[]))).toContain(message);
  });

  test('a row of zeros without an intercept, which is on no side', async () => {
    const x = [
      [1, 0],
      [0, 0],
      [0, 1],
    ];
    expect(await refusal(() => through0({}).fit(x, [1, 0, 1]))).toMatch(/INVALID_ARGUMENT x: .*only zeros.* in row 1/);
    expect((await new LogisticRegression().fit(x, [1, 0, 1])).separated).toBe(true);
  });

  test('features so large that sums overflow', async () => {
    expect(
      await refusal(() =>
        through0({}).fit(
          [
            [1e200, 1],
            [-1e200, 3],
          ],
          [1, 0],
        ),
      ),
    ).toMatch(/NON_FINITE x: .*overflowed/);
    await backend('wasm');
    const x = tensor2d([1e25, 1, 2, -1e25], [2, 2]);
    expect(await refusal(() => through0({}).fit(x, [1, 0]))).toMatch(/NON_FINITE x: .*overflowed/);
    x.dispose();
    expect(await refusal(() => through0({}).fit(x, [1, 0]))).toMatch(/^DISPOSED x/);
  });

  test('predictions before fit, or of another width', async () => {
    expect(await refusal(() => new LogisticRegression().predict(fine))).toMatch(
      /^NOT_FOUND undefined: LogisticRegression.predict: has no weights yet/,
    );
    const fitted = new LogisticRegression();
    await fitted.fit(fine, [0, 1]);
    expect(await refusal(() => fitted.predict([[1]]))).toContain(
      'SHAPE x: LogisticRegression.predict: x is 1, expected 2 features, as in fit',
    );
  });
});

describe('long work', () => {
  const { x, y } = blobs(300, 4, 2, 0.5, 3);

  test('tells its steps', async () => {
    const events: ProgressEvent[] = [];
    await new LogisticRegression({ maxIterations: 2 }).fit(x, y, { onProgress: (event) => events.push(event) });
    const name = 'logistic regression';
    expect(events.map(({ status }) => status)).toEqual([
      'progress_total',
      'initiate',
      'progress',
      'progress',
      'progress',
      'done',
      'progress_total',
      'ready',
    ]);
    expect(events[4]).toMatchObject({ status: 'progress', name, loaded: 2, total: 2 });
    expect(Object.keys((events[4] as { metrics: object }).metrics)).toEqual(['loss', 'misclassified']);
  });

  test('hears an abort, and stays as it was', async () => {
    const abort = new AbortController();
    const model = new LogisticRegression({ maxIterations: 1_000_000 });
    await model.fit(x.slice(0, 1), y.slice(0, 1));
    const before = model.toJSON();
    const { report } = model;
    const onProgress = (event: ProgressEvent): void => {
      if (event.status === 'progress' && event.loaded === 5) abort.abort();
    };
    expect(await refusal(() => model.fit(x, y, { signal: abort.signal, onProgress }))).toMatch(/^ABORTED/);
    expect(await refusal(() => model.fit(x, y, { signal: abort.signal }))).toMatch(/^ABORTED/);
    expect(model.toJSON()).toEqual(before);
    expect(model.report).toBe(report);
  });

  test('lets timers in, so that an abort from outside is heard', async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 50);
    expect(await refusal(() => new LogisticRegression({ maxIterations: 1e9 }).fit(x, y, { signal: abort.signal }))).toMatch(/^ABORTED/);
  });
});

test('JSON brings back a model to the bit', async () => {
  const { x, y } = blobs(60, 3, 3, 2, 7);
  for (const options of [{}, { solver: 'lbfgs', fitIntercept: false, l2: 0.1 }] as const) {
    const model = new LogisticRegression(options);
    await model.fit(x, y);
    const again = LogisticRegression.fromJSON(JSON.parse(JSON.stringify(model)) as ReturnType<LogisticRegression['toJSON']>);
    expect(await again.predictProba(x)).toEqual(await model.predictProba(x));
    expect(again.toJSON()).toEqual(model.toJSON());
    const broken = { ...model.toJSON(), weights: [[1]] };
    expect(await refusal(() => LogisticRegression.fromJSON(broken))).toContain('INVALID_ARGUMENT weights');
  }
});
