import { expect } from '@evenkeel/core';

/** How far a layer's statistics move in a step: a number, a function of how many steps there have been, or 'lr', what `setUpdateRate` was told. */
export type UpdateRate = number | 'lr' | ((step: number) => number);

const inRange = (rate: unknown): boolean => typeof rate === 'number' && rate >= 0 && rate <= 1;

export function checkRate(op: string, argument: string, rate: number): void {
  expect(inRange(rate), op, argument, 'a number in [0, 1]', rate);
}

export function checkSchedule(op: string, rate: UpdateRate): void {
  if (rate === 'lr' || typeof rate === 'function') return;
  expect(inRange(rate), op, 'updateRate', `a number in [0, 1], a function of the step, or 'lr'`, rate);
}

/**
 * The update rate of a step. With a warm start it is 1 / (step + 1) at least: until that falls below the rate, the statistics are the mean of
 * those of all batches so far, and not near where they began.
 */
export function rateOf(op: string, rate: UpdateRate, step: number, told: number, warmStart: boolean): number {
  const base = rate === 'lr' ? told : typeof rate === 'function' ? rate(step) : rate;
  checkRate(op, 'updateRate', base);
  return warmStart ? Math.max(base, 1 / (step + 1)) : base;
}
