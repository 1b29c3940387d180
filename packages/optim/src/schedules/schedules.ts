import { expect } from '@evenkeel/core';
import type { Schedule } from '../optimizer/optimizer.ts';

const isRate = (rate: number): boolean => Number.isFinite(rate) && rate >= 0;
const isCount = (count: number): boolean => Number.isFinite(count) && count > 0;

/**
 * Rises along a line for some steps, then follows another schedule, which counts from the end of the rise: rate(step) =
 * after(0) (step + 1) / steps while step < steps, then after(step - steps).
 *
 * @param after - a schedule, or a rate that stays
 * @throws EvenkeelError INVALID_ARGUMENT for steps <= 0 or a rate < 0
 *
 * Source: Goyal et al. 2017, "Accurate, Large Minibatch SGD", section 2.2.
 *
 * @example
 * const schedule = warmUp(100, cosineDecay(0.1, 900));
 * schedule(0); // 0.001
 */
export function warmUp(steps: number, after: Schedule | number): Schedule {
  expect(isCount(steps), 'warmUp', 'steps', 'a number > 0', steps);
  if (typeof after === 'number') expect(isRate(after), 'warmUp', 'after', 'a schedule, or a number >= 0', after);
  const then = typeof after === 'number' ? (): number => after : after;
  return (step) => (step < steps ? (then(0) * (step + 1)) / steps : then(step - steps));
}

/**
 * Falls along half a cosine: rate(step) = end + (rate - end) (1 + cos(pi step / steps)) / 2, and stays at `end` from `steps` on.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for steps <= 0 or rates < 0
 *
 * Source: Loshchilov, Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts", equation 5.
 *
 * @example
 * const schedule = cosineDecay(0.1, 1000);
 * schedule(500); // 0.05
 */
export function cosineDecay(rate: number, steps: number, end = 0): Schedule {
  expect(isRate(rate), 'cosineDecay', 'rate', 'a number >= 0', rate);
  expect(isCount(steps), 'cosineDecay', 'steps', 'a number > 0', steps);
  expect(isRate(end), 'cosineDecay', 'end', 'a number >= 0', end);
  return (step) => end + ((rate - end) / 2) * (1 + Math.cos(Math.PI * Math.min(1, Math.max(0, step / steps))));
}

/**
 * Is multiplied by `factor` at each boundary: rate(step) = rate factor^(boundaries that are <= step).
 *
 * @param boundaries - steps, ascending
 * @throws EvenkeelError INVALID_ARGUMENT for a rate or factor < 0, or boundaries that do not ascend
 *
 * @example
 * const schedule = stepDecay(0.1, [80, 120]);
 * schedule(100); // 0.01
 */
export function stepDecay(rate: number, boundaries: readonly number[], factor = 0.1): Schedule {
  expect(isRate(rate), 'stepDecay', 'rate', 'a number >= 0', rate);
  expect(isRate(factor), 'stepDecay', 'factor', 'a number >= 0', factor);
  const ascending = boundaries.every((at, i) => Number.isFinite(at) && (i === 0 || at > boundaries[i - 1]!));
  expect(ascending, 'stepDecay', 'boundaries', 'finite numbers that ascend', [...boundaries]);
  return (step) => rate * factor ** boundaries.filter((at) => at <= step).length;
}
