// What each arm measures.
import { LogisticRegression, trajectory, type Convergence, type LogisticRegressionOptions } from '@evenkeel/optim/logistic-regression';
import type { Figures, RunContext } from '../harness/index.ts';
import { drawClothes, drawDigits, smallSeparable, worstCase, type Samples } from './samples.ts';

const MOST_ITERATIONS = 5000;
/** Steps toward the largest margin after separation, which make the bound tighter: it is computed with the margin that was reached. */
const MARGIN_ITERATIONS = 200;

export const ARMS = {
  'normalized-gd 100': { solver: 'normalized-gd', stepSize: 100 },
  'normalized-gd 10': { solver: 'normalized-gd', stepSize: 10 },
  'normalized-gd 1': { solver: 'normalized-gd', stepSize: 1 },
  'normalized-gd 0.1': { solver: 'normalized-gd', stepSize: 0.1 },
  'gd 100': { solver: 'gd', stepSize: 100 },
  'gd 0.1': { solver: 'gd', stepSize: 0.1 },
  'gd 1000000': { solver: 'gd', stepSize: 1e6 },
  'batch-perceptron': { solver: 'batch-perceptron' },
} as const satisfies Readonly<Record<string, LogisticRegressionOptions>>;

export type Arm = keyof typeof ARMS;

type Context = Pick<RunContext, 'seed' | 'scale' | 'signal'>;

async function train({ x, y }: Samples, options: LogisticRegressionOptions, { scale, signal }: Context): Promise<Convergence> {
  const model = new LogisticRegression({ maxIterations: Math.ceil(scale * MOST_ITERATIONS), ...options });
  return (await model.fit(x, y, { signal })).problems[0]!;
}

/** Iterations until all samples are right; Infinity where that did not come. */
const countOf = ({ separated, iterations }: Convergence): number => (separated ? iterations : Infinity);

async function worstCases(arm: Arm, context: Context): Promise<Figures> {
  const figures: Record<string, number> = {};
  const sizes = arm === 'batch-perceptron' || arm === 'normalized-gd 100' ? [10, 40, 100, 1000] : [1000];
  for (const n of sizes) figures[`worst case ${n}`] = countOf(await train(worstCase(n), { ...ARMS[arm], fitIntercept: false }, context));
  return figures;
}

async function clothes(arm: Arm, counts: readonly [number, number], context: Context): Promise<Figures> {
  const samples = await drawClothes(counts, context.seed);
  const found = await train(samples, ARMS[arm], context);
  const wide = await train(samples, { ...ARMS[arm], marginIterations: MARGIN_ITERATIONS }, context);
  return {
    'imbalanced clothes': countOf(found),
    'bound on clothes': wide.bound ?? Infinity,
    'largest loss on clothes': Math.max(...found.history.loss),
  };
}

/** How far theta / gamma is from the batch perceptron's theta, at most, over the steps before separation. */
async function limit(
  { solver, stepSize }: { readonly solver: 'gd'; readonly stepSize: number },
  { seed, signal }: Context,
): Promise<Figures> {
  const { x, y } = smallSeparable(seed);
  const perceptron = trajectory(x, y, { solver: 'batch-perceptron', fitIntercept: false, signal });
  let [worst, steps] = [0, 0];
  for await (const { theta, misclassified, iteration } of trajectory(x, y, { solver, stepSize, fitIntercept: false, signal })) {
    const other = (await perceptron.next()).value!;
    steps = iteration;
    if (iteration > 0) theta.forEach((value, i) => (worst = Math.max(worst, Math.abs(value / stepSize - other.theta[i]!))));
    if (iteration > 0 && (misclassified === 0 || other.misclassified === 0)) break;
  }
  await perceptron.return();
  return { 'difference from the batch perceptron': worst, 'steps compared': steps };
}

/** All figures of one arm. */
export async function runExperiments(arm: Arm, { seed, scale, signal, progress }: RunContext): Promise<Figures> {
  const context = { seed, scale, signal };
  if (arm === 'gd 1000000') return limit(ARMS[arm], context);
  const of = (count: number): number => Math.max(2, Math.round(scale * count));
  const imbalanced = [of(20), of(980)] as const;
  const total = 4;
  const figures: Record<string, number> = {};
  Object.assign(figures, await worstCases(arm, context));
  progress(1, total);
  Object.assign(figures, await clothes(arm, imbalanced, context));
  progress(2, total);
  figures['imbalanced digits'] = countOf(await train(await drawDigits([0, 1], imbalanced, seed), ARMS[arm], context));
  progress(3, total);
  figures['balanced digits'] = countOf(await train(await drawDigits([3, 8], [of(500), of(500)], seed), ARMS[arm], context));
  progress(4, total);
  return figures;
}
