import { backends } from '../../../../tools/test-backends.ts';
import { memory, scalar, tensor, tidy, variable, type Variable } from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError } from '@evenkeel/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { WeightAverage } from './index.ts';

const make = (...values: number[]): Variable => tidy(() => variable(tensor(values)));
const set = (weight: Variable, ...values: number[]): void => tidy(() => weight.assign(tensor(values)));

async function close(weight: Variable, wanted: number[]): Promise<void> {
  expect([...(await weight.data())]).toEqual(wanted.map((value) => expect.closeTo(value, 5)));
}

function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (isEvenkeelError(error)) return `${error.code} ${error.argument}`;
    throw error;
  }
  return 'nothing was thrown';
}

describe.each(backends)('the average of weights on %s', (name) => {
  beforeAll(() => backend(name));

  test('weighs later weights more, and counts nothing before the first', async () => {
    const before = memory().numTensors;
    const weight = make(4, -8);
    const average = new WeightAverage([weight], { decay: 0.5 });
    average.update();
    average.apply();
    await close(weight, [4, -8]);
    average.restore();
    set(weight, 1, 1);
    average.update();
    average.apply();
    // (0.25 * 4 + 0.5 * 1) / 0.75
    await close(weight, [2, -2]);
    average.restore();
    expect([...(await weight.data())]).toEqual([1, 1]);
    average.dispose();
    weight.dispose();
    expect(memory().numTensors).toBe(before);
  });

  test('goes on from saved state as if nothing had been between', async () => {
    const weight = make(0.3, 7);
    const [whole, half] = [new WeightAverage([weight], { decay: 0.9 }), new WeightAverage([weight], { decay: 0.9 })];
    whole.update();
    half.update();
    const resumed = new WeightAverage([weight], { decay: 0.9 });
    resumed.setWeights(half.getWeights(), half.updates);
    half.dispose();
    set(weight, 0.1, -0.7);
    whole.update();
    resumed.update();
    const [a, b] = [await whole.getWeights()[0]!.tensor.data(), await resumed.getWeights()[0]!.tensor.data()];
    expect([...a]).toEqual([...b]);
    expect(resumed.updates).toBe(2);
    for (const each of [whole, resumed, weight]) each.dispose();
  });

  test('says what is wrong', () => {
    const weight = make(1, 2);
    const average = new WeightAverage([weight]);
    expect(refusal(() => average.apply())).toBe('INVALID_ARGUMENT apply');
    expect(refusal(() => average.restore())).toBe('INVALID_ARGUMENT restore');
    average.update();
    average.apply();
    expect(refusal(() => average.update())).toBe('INVALID_ARGUMENT update');
    expect(refusal(() => average.apply())).toBe('INVALID_ARGUMENT apply');
    average.restore();
    expect(refusal(() => new WeightAverage([weight], { decay: 1 }))).toBe('INVALID_ARGUMENT decay');
    expect(refusal(() => new WeightAverage([]))).toBe('INVALID_ARGUMENT weights');
    const other = scalar(1);
    expect(refusal(() => average.setWeights([{ name: 'w', tensor: other }], 1))).toBe('SHAPE weights');
    expect(refusal(() => average.setWeights([], 1))).toBe('INVALID_ARGUMENT weights');
    for (const each of [average, weight, other]) each.dispose();
  });
});
