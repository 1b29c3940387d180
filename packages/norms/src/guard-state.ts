import { all, isFinite, keep, logicalAnd, logicalNot, where, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError, raiseIf } from '@evenkeel/core';
import type { OnNonFinite } from './batch-norm/moving-statistics.ts';

/**
 * The state after a step: `next`, or what it was before where what the batch gave (`found`) is not finite. With 'throw', that raises
 * NON_FINITE, too. Call it in a tidy.
 */
export function guardState<K extends string>(
  op: string,
  argument: string,
  found: readonly Tensor[],
  before: Readonly<Record<K, Tensor>>,
  next: Readonly<Record<K, Tensor>>,
  onNonFinite: OnNonFinite,
): Record<K, Tensor> {
  if (onNonFinite === 'propagate') return next;
  const finite = found.map((each) => all(isFinite(each))).reduce((a, b) => logicalAnd(a, b));
  if (onNonFinite === 'throw') {
    const message = `${argument} has NaN or infinite statistics, expected finite ones; the state is as it was`;
    // Kept: on webgpu it is read after the tidy has ended. raiseIf disposes it.
    raiseIf(keep(logicalNot(finite)), new EvenkeelError('NON_FINITE', message, { op, argument }));
  }
  const entries = Object.keys(next).map((name) => [name, where(finite, next[name as K], before[name as K])]);
  return Object.fromEntries(entries) as Record<K, Tensor>;
}
