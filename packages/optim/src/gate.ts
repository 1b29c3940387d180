import { isFinite, mul, where, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError, expect } from '@evenkeel/core';

// All updates take a scalar `scale`, which is computed on the device: the gradient is multiplied by it (clipping by global norm), and where
// it is not finite, which one NaN in any gradient makes it, nothing changes. So no value has to be read before variables are written.

/** What the ops of updates take for it. */
export const scaleSpec = { shape: '...', optional: true } as const;

export const scaled = (gradient: Tensor, scale: Tensor | undefined): Tensor => (scale ? mul(gradient, scale) : gradient);

/** `next`, or `old` where `scale` is not finite. */
export const gated = (scale: Tensor | undefined, next: Tensor, old: Tensor): Tensor => (scale ? where(isFinite(scale), next, old) : next);

/** An output like the value. */
export const likeValue = ({ value }: { value: Tensor }): { shape: number[]; dtype: 'float32' } => ({
  shape: value.shape,
  dtype: 'float32',
});

/** An output of one number. */
export const scalarOutput = (): { shape: number[]; dtype: 'float32' } => ({ shape: [], dtype: 'float32' });

/** All have the shape of `value`, and `scale` is a scalar. */
export function checkTensors(op: string, value: Tensor, others: Readonly<Record<string, Tensor>>, scale: Tensor | undefined): void {
  for (const [argument, { shape }] of Object.entries(others)) {
    if (shape.join() === value.shape.join()) continue;
    const message = `${argument} has shape [${shape.join(', ')}], expected that of the value, [${value.shape.join(', ')}]`;
    throw new EvenkeelError('SHAPE', message, { op, argument });
  }
  if (scale !== undefined && scale.rank !== 0) {
    throw new EvenkeelError('SHAPE', `scale has shape [${scale.shape.join(', ')}], expected a scalar`, { op, argument: 'scale' });
  }
}

const inUnit = (value: number): boolean => value >= 0 && value < 1;

export const checkRate = (op: string, rate: number): void =>
  expect(rate >= 0 && rate < Infinity, op, 'learningRate', 'a number >= 0', rate);

export const checkDecay = (op: string, decay: number): void =>
  expect(decay >= 0 && decay < Infinity, op, 'weightDecay', 'a number >= 0', decay);

/** A share that is kept: all of it would never change. */
export const checkShare = (op: string, name: string, share: number): void => expect(inUnit(share), op, name, 'a number in [0, 1)', share);

export const checkEpsilon = (op: string, epsilon: number): void =>
  expect(epsilon > 0 && epsilon < Infinity, op, 'epsilon', 'a number > 0', epsilon);

export const checkStep = (op: string, step: number): void =>
  expect(Number.isSafeInteger(step) && step > 0, op, 'step', 'an integer >= 1', step);
