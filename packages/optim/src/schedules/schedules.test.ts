import { isEvenkeelError } from '@evenkeel/core';
import { describe, expect, test } from 'vitest';
import { cosineDecay, followSchedule, stepDecay, warmUp, type Schedule } from './index.ts';

const rates = (schedule: Schedule, steps: readonly number[]): number[] => steps.map(schedule);

function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (isEvenkeelError(error)) return `${error.code} ${error.argument}`;
    throw error;
  }
  return 'nothing was thrown';
}

describe('schedules', () => {
  test('a rise, and then what follows from its own beginning', () => {
    const schedule = warmUp(4, stepDecay(0.8, [2], 0.5));
    expect(rates(schedule, [0, 1, 2, 3, 4, 5, 6, 7])).toEqual(
      [0.2, 0.4, 0.6, 0.8, 0.8, 0.8, 0.4, 0.4].map((rate) => expect.closeTo(rate, 12)),
    );
    expect(rates(warmUp(2, 0.5), [0, 1, 2, 99])).toEqual([0.25, 0.5, 0.5, 0.5]);
  });

  test('a cosine from one rate to another, which it keeps', () => {
    const schedule = cosineDecay(0.3, 100, 0.1);
    const wanted = [0.3, 0.1 + 0.1 * (1 + Math.SQRT1_2), 0.2, 0.1 + 0.1 * (1 - Math.SQRT1_2), 0.1, 0.1];
    expect(rates(schedule, [0, 25, 50, 75, 100, 1000])).toEqual(wanted.map((rate) => expect.closeTo(rate, 12)));
    expect(cosineDecay(0.3, 100)(100)).toBeCloseTo(0, 15);
  });

  test('steps down at their boundaries', () => {
    expect(rates(stepDecay(1, [3, 5]), [0, 2, 3, 4, 5, 6])).toEqual([1, 1, 0.1, 0.1, 0.01, 0.01].map((rate) => expect.closeTo(rate, 12)));
    expect(stepDecay(1, [])(10)).toBe(1);
  });

  test('refuse what makes no sense', () => {
    expect(refusal(() => warmUp(0, 1))).toBe('INVALID_ARGUMENT steps');
    expect(refusal(() => warmUp(5, -1))).toBe('INVALID_ARGUMENT after');
    expect(refusal(() => cosineDecay(Number.NaN, 5))).toBe('INVALID_ARGUMENT rate');
    expect(refusal(() => cosineDecay(1, Infinity))).toBe('INVALID_ARGUMENT steps');
    expect(refusal(() => cosineDecay(1, 5, -1))).toBe('INVALID_ARGUMENT end');
    expect(refusal(() => stepDecay(-1, []))).toBe('INVALID_ARGUMENT rate');
    expect(refusal(() => stepDecay(1, [5, 5]))).toBe('INVALID_ARGUMENT boundaries');
    expect(refusal(() => stepDecay(1, [5], -0.1))).toBe('INVALID_ARGUMENT factor');
  });
});

describe('the callback', () => {
  test('sets the rate by the count of the optimizer, not of its own', async () => {
    const optimizer = { learningRate: 1, iterations: 0 };
    const callback = followSchedule(optimizer, stepDecay(0.5, [10], 0.1));
    await callback.onBatchBegin();
    expect(optimizer.learningRate).toBe(0.5);
    optimizer.iterations = 12;
    await callback.onBatchBegin();
    expect(optimizer.learningRate).toBeCloseTo(0.05, 12);
  });

  test('says which step has no rate, and leaves the old one', async () => {
    const optimizer = { learningRate: 1, iterations: 7 };
    const error: unknown = await followSchedule(optimizer, () => Number.NaN)
      .onBatchBegin()
      .catch((error: unknown) => error);
    expect(isEvenkeelError(error, 'INVALID_ARGUMENT') && error.message).toContain('schedule(7) is NaN');
    expect(optimizer.learningRate).toBe(1);
    expect(refusal(() => followSchedule({} as typeof optimizer, () => 1))).toBe('INVALID_ARGUMENT optimizer');
  });
});
