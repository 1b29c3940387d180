import { backends } from '../../../../tools/test-backends.ts';
import { memory, serialization, tensor1d, tidy, train, variable, type Variable } from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError } from '@evenkeel/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { GradientAccumulation } from './index.ts';

const make = (...values: number[]): Variable => tidy(() => variable(tensor1d(values)));
const step = (optimizer: GradientAccumulation, weight: Variable, ...gradient: number[]): void =>
  tidy(() => optimizer.applyGradients({ [weight.name]: tensor1d(gradient) }));
const values = async (weight: Variable): Promise<number[]> => [...(await weight.data())];

function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (isEvenkeelError(error)) return `${error.code} ${error.argument}`;
    throw error;
  }
  return 'nothing was thrown';
}

const options = () => ({ optimizer: train.momentum(0.1, 0.9), batches: 2 });

describe.each(backends)('accumulated gradients on %s', (name) => {
  beforeAll(() => backend(name));

  test('a step is made of the mean of all batches, and not before the last', async () => {
    const before = memory().numTensors;
    const weight = make(1, 2);
    const optimizer = new GradientAccumulation({ optimizer: train.sgd(0.5), batches: 3 });
    step(optimizer, weight, 3, 0);
    step(optimizer, weight, 0, 6);
    expect(await values(weight)).toEqual([1, 2]);
    step(optimizer, weight, 3, 0);
    expect(await values(weight)).toEqual([expect.closeTo(0, 5), expect.closeTo(1, 5)]);
    expect(optimizer.iterations).toBe(3);
    step(optimizer, weight, 1, 1);
    optimizer.dispose();
    weight.dispose();
    expect(memory().numTensors).toBe(before);
  });

  test('goes on in the middle of a mean, under the names of another process', async () => {
    const [first, second] = [make(1, 2), make(1, 2)];
    const [whole, half] = [new GradientAccumulation(options()), new GradientAccumulation(options())];
    step(whole, first, 0.3, 0.7);
    step(half, second, 0.3, 0.7);
    const saved = await half.getWeights();
    const resumed = new GradientAccumulation(options());
    await resumed.setWeights(saved);
    half.dispose();
    const renamed = make(...(await values(second)));
    step(whole, first, -1.1, 0.2);
    step(resumed, renamed, -1.1, 0.2);
    expect(await values(renamed)).toEqual(await values(first));
    expect(await values(first)).not.toEqual([1, 2]);
    for (const each of [whole, resumed, first, second, renamed]) each.dispose();
  });

  test('a gradient of another shape is an error, and changes nothing', () => {
    const weight = make(1, 2);
    const optimizer = new GradientAccumulation({ optimizer: train.sgd(0.5), batches: 2 });
    step(optimizer, weight, 1, 1);
    expect(refusal(() => step(optimizer, weight, 1, 1, 1))).toBe('SHAPE variableGradients');
    expect(optimizer.iterations).toBe(1);
    optimizer.dispose();
    weight.dispose();
  });
});

test('its configuration makes the same again', async () => {
  await backend('cpu');
  const optimizer = new GradientAccumulation({ optimizer: train.adam(0.01), batches: 4 });
  const config = optimizer.getConfig();
  expect(
    refusal(() =>
      GradientAccumulation.fromConfig(GradientAccumulation as never, { ...config, optimizer: { className: 'None', config: {} } }),
    ),
  ).toBe('NOT_FOUND optimizer');
  serialization.registerClass(train.adam(0.01).constructor as never);
  const again = GradientAccumulation.fromConfig(GradientAccumulation as never, config) as GradientAccumulation;
  expect(again.getConfig()).toEqual(config);
  expect(refusal(() => new GradientAccumulation({ optimizer: train.sgd(1), batches: 0 }))).toBe('INVALID_ARGUMENT batches');
});
