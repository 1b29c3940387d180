import { EvenkeelError, expect } from '@evenkeel/core';

/** Epsilon stands inside the square root: without it a constant row divides by zero. */
export function checkEpsilon(op: string, epsilon: number): void {
  expect(Number.isFinite(epsilon) && epsilon > 0, op, 'epsilon', 'a finite number > 0', epsilon);
}

/** A statistic over no elements is no number. */
export function checkReduced(op: string, shape: readonly number[], axes: readonly number[]): void {
  for (const axis of axes) {
    if (shape[axis] === 0)
      throw new EvenkeelError(
        'SHAPE',
        `x has shape [${shape.join(', ')}], expected at least one element along axis ${axis}, which is reduced`,
        { op, argument: 'x' },
      );
  }
}
