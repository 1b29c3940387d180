import { tensor2d } from '@tensorflow/tfjs-core';
import { LogisticRegression, type Solver } from '@evenkeel/optim/logistic-regression';

export async function main() {
  // One sample of a class against 39 of the other: what makes plain steps slow.
  const x = Array.from({ length: 40 }, (_, i) => [i === 0 ? 0.5 : -0.5, -1]);
  const y = x.map((_, i) => (i === 0 ? 1 : 0));
  const iterations: Partial<Record<Solver, number>> = {};
  for (const solver of ['batch-perceptron', 'gd', 'normalized-gd'] as const) {
    const report = await new LogisticRegression({ solver, fitIntercept: false }).fit(x, y);
    iterations[solver] = report.iterations;
  }

  // A tensor: passes over the data are one op on the running backend.
  const model = new LogisticRegression({ fitIntercept: false, marginIterations: 100 });
  const { answer, problems } = await model.fit(tensor2d(x), y);
  const { margin, bound } = problems[0]!;
  const labels = [...(await model.predict(x.slice(0, 3)))];
  return { iterations, answer, margin, bound, labels };
}
