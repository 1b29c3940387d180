import type { Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError, expect } from '@evenkeel/core';

/** Epsilon stands inside the square root: without it a constant row divides by zero. */
export function checkEpsilon(op: string, epsilon: number): void {
  expect(Number.isFinite(epsilon) && epsilon > 0, op, 'epsilon', 'a finite number > 0', epsilon);
}

/** A statistic over no elements is no number. */
export function checkReduced(op: string, { shape }: Tensor, axes: readonly number[]): void {
  const empty = axes.find((axis) => shape[axis] === 0);
  if (empty === undefined) return;
  throw new EvenkeelError(
    'SHAPE',
    `x has shape [${shape.join(', ')}], expected at least one element along axis ${empty}, which is reduced`,
    {
      op,
      argument: 'x',
    },
  );
}

/** Throws unless `tensor`, where given, has this shape. */
export function checkShape(op: string, argument: string, tensor: Tensor | undefined, shape: readonly number[], why: string): void {
  if (tensor === undefined || (tensor.rank === shape.length && shape.every((length, axis) => tensor.shape[axis] === length))) return;
  throw new EvenkeelError('SHAPE', `${argument} has shape [${tensor.shape.join(', ')}], expected [${shape.join(', ')}] (${why})`, {
    op,
    argument,
  });
}
