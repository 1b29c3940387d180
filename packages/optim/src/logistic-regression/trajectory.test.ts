import { backends } from '../../../../tools/test-backends.ts';
import { memory, tensor2d } from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError } from '@evenkeel/core';
import { expect, test } from 'vitest';
import { separable } from '../../test/samples.ts';
import { LogisticRegression, trajectory, type TrajectoryOptions, type TrajectoryPoint } from './index.ts';

const data = separable(40, 3, 0.1, 21);

async function pointsOf(x: Parameters<typeof trajectory>[0], steps: number, options: TrajectoryOptions = {}): Promise<TrajectoryPoint[]> {
  const points: TrajectoryPoint[] = [];
  for await (const point of trajectory(x, data.y, options)) {
    points.push(point);
    if (point.iteration === steps) break;
  }
  return points;
}

test('takes the steps of fit, and goes on behind them', async () => {
  for (const solver of ['normalized-gd', 'batch-perceptron', 'perceptron'] as const) {
    const model = new LogisticRegression({ solver });
    const { iterations, problems } = await model.fit(data.x, data.y);
    const points = await pointsOf(data.x, iterations + 2, { solver });
    expect([...model.coefficients[0]!, model.intercepts[0]!]).toEqual([...points[iterations]!.theta]);
    expect(points.slice(0, iterations + 1).map(({ loss }) => loss)).toEqual(problems[0]!.history.loss);
    expect(points[iterations]!.margin).toBe(problems[0]!.margin);
  }
});

test('beta is what a step of the gradient is multiplied by', async () => {
  const [first, second] = (await pointsOf(data.x, 1, { stepSize: 3 })) as [TrajectoryPoint, TrajectoryPoint];
  const plain = (await pointsOf(data.x, 1, { solver: 'gd', stepSize: 3 }))[1]!;
  expect(first.beta).toBe(2);
  second.theta.forEach((value, i) => expect(value).toBeCloseTo(2 * plain.theta[i]!, 12));
});

test('frees its tensors when it is left', async () => {
  for (const name of backends) {
    await backend(name);
    const x = tensor2d(data.x);
    const before = memory().numTensors;
    expect(await pointsOf(x, 3)).toHaveLength(4);
    expect(memory().numTensors).toBe(before);
    x.dispose();
  }
});

test.each<[string, () => AsyncGenerator<TrajectoryPoint>]>([
  ['solver', () => trajectory(data.x, data.y, { solver: 'lbfgs' } as never)],
  ['stepSize', () => trajectory(data.x, data.y, { stepSize: -1 })],
  ['y', () => trajectory([[1], [2]], [1, 1])],
])('refuses a bad %s', async (argument, start) => {
  const error: unknown = await start()
    .next()
    .catch((error: unknown) => error);
  expect(isEvenkeelError(error) && error.argument).toBe(argument);
});
