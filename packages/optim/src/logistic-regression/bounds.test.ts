import { isEvenkeelError } from '@evenkeel/core';
import { expect, test } from 'vitest';
import { separable, worstCase } from '../../test/samples.ts';
import { iterationBound, LogisticRegression, marginStats, trainingErrorBound, type Solver } from './index.ts';

test('the bounds are those of the paper', () => {
  const data = { radius: 3, margin: 0.5, count: 11 };
  expect(iterationBound('perceptron', data)).toBe(36);
  expect(iterationBound('normalized-batch-perceptron', data)).toBe(36);
  expect(iterationBound('batch-perceptron', data)).toBe(396);
  expect(iterationBound('normalized-gd', { ...data, stepSize: 2 })).toBeCloseTo(36 + Math.log(21) / 0.25, 12);
  expect(iterationBound('normalized-gd', { ...data, stepSize: 1e12 })).toBeCloseTo(36, 9);
  // 0.2785 is the maximum of m / (1 + exp(m)).
  const weighted = Math.max(...Array.from({ length: 4001 }, (_, i) => i / 1000 / (1 + Math.exp(i / 1000))));
  expect(iterationBound('gd', { ...data, stepSize: 2 })).toBeCloseTo(22 * (36 + (4 * weighted * 11) / (2 * 0.25)), 3);
});

test('the training error of the batch perceptron is below its bound at every step', async () => {
  const { x, y } = separable(100, 20, 0.05, 2);
  const model = new LogisticRegression({ solver: 'batch-perceptron', fitIntercept: false, maxIterations: 100_000 });
  const { problems, radius } = await model.fit(x, y);
  const { margin, history, iterations } = problems[0]!;
  let least = 1;
  for (let t = 1; t <= iterations; t++) {
    least = Math.min(least, history.misclassified[t]! / 100);
    expect(least).toBeLessThanOrEqual(trainingErrorBound({ radius, margin, iterations: t }));
  }
  expect(trainingErrorBound({ radius: 1.5, margin: 0.5, iterations: 90 })).toBeCloseTo(0.1, 12);
  expect(trainingErrorBound({ radius: 1.5, margin: 0.5, iterations: 1 })).toBe(1);
});

test('what a hyperplane leaves', async () => {
  const { x, y } = worstCase(5);
  const stats = await marginStats(x, y, [4, 0]);
  expect(stats).toMatchObject({ radius: Math.sqrt(1.25), margin: 0.5, misclassified: 0 });
  expect(stats.bound).toBeCloseTo(5, 12);
  const wrong = await marginStats(x, y, [0, 1]);
  expect([wrong.misclassified, wrong.bound]).toEqual([1, undefined]);
  expect(wrong.margin).toBe(-1);
  expect((await marginStats(x, y, [0, 0])).margin).toBe(0);
});

test.each<[string, () => unknown]>([
  ['margin', () => iterationBound('perceptron', { radius: 1, margin: 0, count: 3 })],
  ['solver', () => iterationBound('lbfgs' as Exclude<Solver, 'lbfgs'>, { radius: 1, margin: 1, count: 3 })],
  ['iterations', () => trainingErrorBound({ radius: 1, margin: 1, iterations: 0 })],
  ['theta', () => marginStats([[1, 2]], [1], [1])],
  ['y', () => marginStats([[1, 2]], [1], [1, 1])],
])('refuses a bad %s', async (argument, call) => {
  const error: unknown = await Promise.resolve()
    .then(call)
    .catch((error: unknown) => error);
  expect(isEvenkeelError(error) && error.argument).toBe(argument);
});
