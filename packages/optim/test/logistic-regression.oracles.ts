// Computes the cases of normalized-lr-gd.json: in float64 where a count must be exact or a theta is huge, else on the running backend too.
import { tensor2d } from '@tensorflow/tfjs-core';
import type { Adapter, OracleTensor, Value } from '../../../tools/oracles/adapter.ts';
import type { Solver } from '../src/index.ts';
import { LogisticRegression } from '../src/index.ts';
import { betaOf, iterates, type StepSolver } from '../src/logistic-regression/descend.ts';
import { disposeChunk, readChunk, scan, totalsOf } from '../src/logistic-regression/samples.ts';

interface Data {
  X: OracleTensor;
  y: OracleTensor;
}

const methods: Readonly<Record<string, StepSolver>> = {
  logisticGD: 'gd',
  normalizedLogisticGD: 'normalized-gd',
  batchPerceptron: 'batch-perceptron',
  normalizedBatchPerceptron: 'normalized-batch-perceptron',
  perceptron: 'perceptron',
};

const matrix = ({ X: { shape, data } }: Data): { values: OracleTensor['data']; shape: [number, number] } => ({
  values: data,
  shape: shape as [number, number],
});
const list = (values: readonly number[]): OracleTensor => ({ shape: [values.length], data: Float64Array.from(values) });
const table = (rows: readonly Float64Array[]): OracleTensor => ({
  shape: [rows.length, rows[0]!.length],
  data: Float64Array.from(rows.flatMap((row) => [...row])),
});

/** States after steps 1 to `steps`, and the beta of each step. */
async function trajectory(
  data: Data,
  solver: StepSolver,
  stepSize: number,
  steps: number,
  onBackend: boolean,
): Promise<Record<string, OracleTensor>> {
  const { values, shape } = matrix(data);
  const x = onBackend ? tensor2d(Float32Array.from(values), shape) : { values, shape };
  const chunk = await readChunk('trajectory', { x, y: data.y.data }, false, onBackend);
  if ('dispose' in x) x.dispose();
  const summary = await scan('trajectory', () => [chunk], false, undefined);
  const [thetas, losses, accuracies, betas] = [[] as Float64Array[], [] as number[], [] as number[], [] as number[]];
  const pass = (theta: Float64Array, weights: 'logistic' | 'misclassified' | 'first') =>
    totalsOf('trajectory', () => [chunk], summary, { positive: 1, theta, weights, signal: undefined });
  for await (const { iteration, theta, totals } of iterates(pass, new Float64Array(summary.width), { solver, stepSize })) {
    if (iteration > 0) {
      thetas.push(theta);
      losses.push(totals.loss / totals.count);
      accuracies.push(1 - totals.misclassified / totals.count);
    }
    if (iteration === steps) break;
    betas.push(betaOf(totals));
  }
  disposeChunk(chunk);
  return { theta: table(thetas), loss: list(losses), accuracy: list(accuracies), beta: list(betas) };
}

const isData = (inputs: Readonly<Record<string, Value>>): boolean => 'X' in inputs && 'y' in inputs;

const trajectories: Adapter = {
  claims: ({ params, inputs }) => params['op'] === 'trajectory' && isData(inputs),
  async run({ params, inputs, wanted }) {
    const { method, gamma, steps } = params as { method: string; gamma: number; steps: number };
    // Normalized steps of 50 amplify float32's roundings, by exp of margins in the hundreds: to 1e-3 within twelve steps.
    const onBackend = gamma < 50 || method === 'logisticGD';
    const found = await trajectory(inputs as unknown as Data, methods[method]!, gamma, steps, onBackend);
    return { outputs: Object.fromEntries(Object.keys(wanted.outputs).map((key) => [key, found[key]!])) };
  },
};

async function fitted(data: Data, solver: Solver, stepSize?: number): Promise<LogisticRegression> {
  const model = new LogisticRegression({ solver, fitIntercept: false, maxIterations: 10_000, ...(stepSize && { stepSize }) });
  await model.fit(matrix(data), data.y.data);
  return model;
}

const counts: Adapter = {
  claims: ({ params, inputs }) => params['op'] === 'iterationsToSeparate' && isData(inputs),
  async run({ params, inputs }) {
    const { gammas } = params as unknown as { gammas: number[] };
    const data = inputs as unknown as Data;
    const outputs: Record<string, Value> = {};
    const found: Record<string, number> = {};
    for (const name of ['batchPerceptron', 'normalizedBatchPerceptron', 'perceptron']) {
      const model = await fitted(data, methods[name]!);
      found[name] = model.report!.iterations;
      outputs[`theta_${name}`] = list([...model.coefficients[0]!]);
    }
    for (const gamma of gammas) {
      for (const name of ['logisticGD', 'normalizedLogisticGD']) {
        found[`${name}_${gamma}`] = (await fitted(data, methods[name]!, gamma)).report!.iterations;
      }
    }
    return { outputs: { ...outputs, counts: found } };
  },
};

const limit: Adapter = {
  claims: ({ params, inputs }) => params['op'] === 'largeStepLimit' && isData(inputs),
  async run({ params, inputs }) {
    const { gammas, steps } = params as unknown as { gammas: number[]; steps: number };
    const data = inputs as unknown as Data;
    const outputs: Record<string, Value> = {
      batch_perceptron_theta: (await trajectory(data, 'batch-perceptron', 1, steps, true))['theta']!,
    };
    for (const gamma of gammas) {
      const { shape, data: theta } = (await trajectory(data, 'gd', gamma, steps, true))['theta']!;
      // As Python writes it: 1e+06.
      const name = gamma >= 1e6 ? gamma.toExponential().replace(/\+(\d)$/, '+0$1') : String(gamma);
      outputs[`logisticGD_theta_over_gamma_${name}`] = { shape, data: theta.map((value) => value / gamma) };
    }
    return { outputs };
  },
};

export const logisticRegressionAdapters: readonly Adapter[] = [trajectories, counts, limit];
