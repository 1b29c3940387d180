import { cast, gather, maximum, tensor1d, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError, expect, sizeOf } from '@evenkeel/core';
import { checkWord } from './attributes.ts';
import { checkTensor } from './labels.ts';

/** 'nearest': the pixel at floor(i H / h). 'max': hole where any pixel of the area is, so that thin holes stay. */
export type MaskResize = 'nearest' | 'max';

/** `to` indices into an axis of length `from`: those at which windows begin, `offset` further, but within the window. */
function indices(from: number, to: number, offset: number): number[] {
  return Array.from({ length: to }, (_, i) => {
    // Whole numbers: floor(i from / to) in floating point can be one too low.
    const start = (i * from - ((i * from) % to)) / to;
    const end = Math.max(start + 1, Math.ceil(((i + 1) * from) / to));
    return Math.min(start + offset, end - 1);
  });
}

/** The mask with one axis resized. */
function along(mask: Tensor, axis: number, to: number, mode: MaskResize): Tensor {
  const from = mask.shape[axis]!;
  if (from === to) return mask;
  const take = (offset: number): Tensor => gather(mask, tensor1d(indices(from, to, offset), 'int32'), axis);
  let result = take(0);
  // A window that does not begin at a whole number reaches over one pixel more.
  const window = mode === 'max' ? Math.ceil(from / to) + 1 : 1;
  for (let offset = 1; offset < window; offset++) result = maximum(result, take(offset));
  return result;
}

/**
 * A mask for features of another resolution than the picture's. A thin hole may vanish with 'nearest', as in the authors' code, and becomes
 * thicker with 'max'.
 *
 * @param mask - [batch, height, width, 1] float32, int32 or bool
 * @param size - height and width that are wanted, larger or smaller
 * @returns a new tensor [batch, ...size, 1], float32
 * @throws EvenkeelError SHAPE for a mask that is not [batch, height, width, 1] with at least one pixel, INVALID_ARGUMENT for a size that is not two
 * integers > 0, or another mode
 *
 * @example
 * const small = resizeMask(tf.tensor([0, 1, 0, 0], [1, 1, 4, 1]), [1, 2], 'max'); // [1, 0]; 'nearest' has [0, 0]
 */
export function resizeMask(mask: Tensor, size: readonly [height: number, width: number], mode: MaskResize = 'nearest'): Tensor {
  const op = 'resizeMask';
  checkTensor(op, 'mask', mask, 'a tensor [batch, height, width, 1]');
  checkWord(op, 'mode', mode, ['nearest', 'max']);
  const valid = Array.isArray(size) && size.length === 2 && size.every((length) => Number.isInteger(length) && length > 0);
  expect(valid, op, 'size', 'height and width, both integers > 0', size);
  if (mask.rank !== 4 || mask.shape[3] !== 1 || sizeOf(mask.shape.slice(1, 3)) === 0) {
    throw new EvenkeelError(
      'SHAPE',
      `mask has shape [${mask.shape.join(', ')}], expected [batch, height, width, 1] with at least one pixel`,
      {
        op,
        argument: 'mask',
      },
    );
  }
  return tidy(() => {
    const values = cast(mask, 'float32');
    return along(along(values, 1, size[0], mode), 2, size[1], mode);
  });
}
