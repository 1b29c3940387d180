// Computes the cases of normalized-lr-gd.json: in float64 where a count must be exact or a theta is huge, else on the running backend too.
import { tensor2d } from '@tensorflow/tfjs-core';
import type { Adapter, OracleTensor, Value } from '../../../tools/oracles/adapter.ts';
import { LogisticRegression, trajectory, type Solver } from '../src/index.ts';

type StepSolver = Exclude<Solver, 'lbfgs'>;

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
async function statesOf(
  data: Data,
  solver: StepSolver,
  stepSize: number | undefined,
  steps: number,
  onBackend: boolean,
): Promise<Record<string, OracleTensor>> {
  const { values, shape } = matrix(data);
  const x = onBackend ? tensor2d(Float32Array.from(values), shape) : { values, shape };
  const [thetas, losses, accuracies, betas] = [[] as Float64Array[], [] as number[], [] as number[], [] as number[]];
  const options = { solver, fitIntercept: false, ...(stepSize !== undefined && { stepSize }) };
  for await (const { iteration, theta, loss, misclassified, beta } of trajectory(x, data.y.data, options)) {
    if (iteration > 0) {
      thetas.push(theta);
      losses.push(loss);
      accuracies.push(1 - misclassified / shape[0]);
    }
    if (iteration === steps) break;
    betas.push(beta);
  }
  if ('dispose' in x) x.dispose();
  return { theta: table(thetas), loss: list(losses), accuracy: list(accuracies), beta: list(betas) };
}

const isData = (inputs: Readonly<Record<string, Value>>): boolean => 'X' in inputs && 'y' in inputs;

const trajectories: Adapter = {
  claims: ({ params, inputs }) => params['op'] === 'trajectory' && isData(inputs),
  async run({ params, inputs, wanted }) {
    const { method, gamma, steps } = params as { method: string; gamma: number; steps: number };
    // Normalized steps of 50 amplify float32's roundings, by exp of margins in the hundreds: to 1e-3 within twelve steps.
    const onBackend = gamma < 50 || method === 'logisticGD';
    const found = await statesOf(inputs as unknown as Data, methods[method]!, gamma, steps, onBackend);
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
      batch_perceptron_theta: (await statesOf(data, 'batch-perceptron', undefined, steps, true))['theta']!,
    };
    for (const gamma of gammas) {
      const { shape, data: theta } = (await statesOf(data, 'gd', gamma, steps, true))['theta']!;
      // As Python writes it: 1e+06.
      const name = gamma >= 1e6 ? gamma.toExponential().replace(/\+(\d)$/, '+0$1') : String(gamma);
      outputs[`logisticGD_theta_over_gamma_${name}`] = { shape, data: theta.map((value) => value / gamma) };
    }
    return { outputs };
  },
};

export const logisticRegressionAdapters: readonly Adapter[] = [trajectories, counts, limit];
