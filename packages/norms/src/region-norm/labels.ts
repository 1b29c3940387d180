// What a caller gives as a mask, as the labels that ops take.
import {
  all,
  cast,
  equal,
  greater,
  greaterEqual,
  isFinite,
  keep,
  lessEqual,
  logicalAnd,
  logicalNot,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { EvenkeelError, expect, raiseIf } from '@evenkeel/core';
import { checkShape } from '../checks.ts';
import { detached } from './detached.ts';

export interface MaskOptions {
  /** How many regions there are: the mask then holds 0, 1, ..., regions - 1. Default 2: 0 is valid, 1 is the hole. */
  regions?: number;
  /** Whether all above 0.5 is hole and all else valid, in place of an error for values between. Only for two regions. Default false. */
  binarize?: boolean;
}

export function checkTensor(op: string, argument: string, value: Tensor, expected: string): void {
  expect(typeof value === 'object' && value !== null && 'dataId' in value, op, argument, expected, value);
}

export function checkMask(op: string, x: Tensor, mask: Tensor): void {
  checkTensor(op, 'x', x, 'a tensor [batch, ...spatial, channels]');
  checkTensor(op, 'mask', mask, 'a tensor [batch, ...spatial, 1]: 1 is hole, 0 valid');
  if (mask.dtype !== 'float32' && mask.dtype !== 'int32' && mask.dtype !== 'bool') {
    throw new EvenkeelError('DTYPE', `mask has dtype ${mask.dtype}, expected float32, int32 or bool`, { op, argument: 'mask' });
  }
  checkShape(op, 'mask', mask, [...x.shape.slice(0, -1), 1], 'one value for each pixel of x: 1 is hole, 0 valid');
}

/** Raises where `wrong` is true, on webgpu at the next `await data()`. Call it in a tidy. */
export function raiseWhere(op: string, fine: Tensor, message: string): void {
  // Kept: on webgpu it is read after the tidy has ended. raiseIf disposes it.
  raiseIf(keep(logicalNot(all(fine))), new EvenkeelError('INVALID_ARGUMENT', message, { op, argument: 'mask' }));
}

/** Labels of the mask's pixels, int32. A mask is constant: no gradient goes into it. Call it in a tidy. */
export function labelsOf(op: string, x: Tensor, mask: Tensor, { regions = 2, binarize = false }: MaskOptions): Tensor {
  checkMask(op, x, mask);
  expect(Number.isInteger(regions) && regions > 0, op, 'regions', 'an integer > 0', regions);
  expect(!binarize || regions === 2, op, 'binarize', 'false where there are more than two regions', binarize);
  return detached(() => {
    const values = cast(mask, 'float32');
    if (binarize) {
      if (mask.size > 0) raiseWhere(op, isFinite(values), 'mask has NaN or infinite values, expected finite ones');
      return cast(greater(values, 0.5), 'int32');
    }
    const labels = cast(values, 'int32');
    if (mask.size > 0) {
      const among = logicalAnd(greaterEqual(values, 0), lessEqual(values, regions - 1));
      const expected = regions === 2 ? '1 (hole) and 0 (valid), or binarize: true' : `whole numbers from 0 to ${regions - 1}`;
      raiseWhere(op, logicalAnd(among, equal(cast(labels, 'float32'), values)), `mask has other values than expected: ${expected}`);
    }
    return labels;
  });
}
