import { all, cast, equal, keep, notEqual, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError, expect, raiseIf } from '@evenkeel/core';

/** What to do when a mask keeps no token: there is no statistic then. */
export type EmptyMask = 'throw' | 'skip';

export function checkEmptyMask(op: string, emptyMask: EmptyMask): void {
  expect(emptyMask === 'throw' || emptyMask === 'skip', op, 'emptyMask', "'throw' or 'skip'", emptyMask);
}

/** A mask of any dtype as kernels take it: int32, 1 where it is not 0. Raises where it keeps nothing, if that is wanted. Call it in a tidy. */
export function keptTokens(op: string, mask: Tensor | undefined, emptyMask: EmptyMask): Tensor | undefined {
  if (mask === undefined) return undefined;
  const kept = cast(notEqual(cast(mask, 'float32'), 0), 'int32');
  if (emptyMask === 'throw' && mask.size > 0) {
    const error = new EvenkeelError('INVALID_ARGUMENT', 'mask is 0 everywhere, expected at least one token that counts', {
      op,
      argument: 'mask',
    });
    // Kept: on webgpu it is read after the tidy has ended. raiseIf disposes it.
    raiseIf(keep(all(equal(kept, 0))), error);
  }
  return kept;
}
