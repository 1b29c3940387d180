import { concat, neg, pad, slice, sum, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError, expect } from '@evenkeel/core';

export interface CompressOptions {
  /** Rows are filled up with zeros to a multiple of so many elements, so that they stay aligned. Default 1: d - 1 elements. */
  padTo?: number;
}

export interface DecompressOptions {
  /** How many of the last columns are padding, as {@link CompressOptions} adds it. Default 0. */
  padding?: number;
}

function checkWidth(op: string, argument: string, { shape }: Tensor, least: number, why: string): number {
  const width = shape.at(-1);
  if (width !== undefined && width >= least) return width;
  throw new EvenkeelError('SHAPE', `${argument} has shape [${shape.join(', ')}], expected [..., ${why}]`, { op, argument });
}

/** `length` columns of the last axis. */
function columns(x: Tensor, length: number): Tensor {
  return slice(
    x,
    x.shape.map(() => 0),
    [...x.shape.slice(0, -1), length],
  );
}

/**
 * Leaves out the last of d numbers with mean 0, which the others tell: it is minus their sum. Whether the mean is 0 is not looked at:
 * that of what a centred layer writes is, up to rounding.
 *
 * @param x - [..., d] with mean 0 along the last axis
 * @returns a new tensor [..., d - 1]; with `padTo`, rows have zeros behind them
 * @throws EvenkeelError SHAPE for d < 2, INVALID_ARGUMENT for a `padTo` that is no integer >= 1
 *
 * Source: Jiang, Gu, Zhu, Pan 2023, "Pre-RMSNorm and Pre-CRMSNorm Transformers".
 *
 * @example
 * const c = compressZeroMean(tf.tensor2d([[1, 2, -3]])); // [[1, 2]]
 */
export function compressZeroMean(x: Tensor, { padTo = 1 }: CompressOptions = {}): Tensor {
  const op = 'compressZeroMean';
  const width = checkWidth(op, 'x', x, 2, 'd] with d >= 2');
  expect(Number.isInteger(padTo) && padTo >= 1, op, 'padTo', 'an integer >= 1', padTo);
  return tidy(() => {
    const compressed = columns(x, width - 1);
    const zeros = (padTo - ((width - 1) % padTo)) % padTo;
    if (zeros === 0) return compressed;
    return pad(
      compressed,
      x.shape.map((_, axis) => [0, axis === x.rank - 1 ? zeros : 0]),
    );
  });
}

/**
 * The way back of {@link compressZeroMean}: puts minus the sum behind a row. Right for every vector that has been compressed and for what
 * {@link crmsNorm} makes of it.
 *
 * @param c - [..., d - 1], or with `padding` zeros behind
 * @returns a new tensor [..., d] with mean 0 along the last axis
 * @throws EvenkeelError SHAPE for d < 2, INVALID_ARGUMENT for a `padding` that leaves no column
 *
 * @example
 * const x = decompressZeroMean(tf.tensor2d([[1, 2]])); // [[1, 2, -3]]
 */
export function decompressZeroMean(c: Tensor, { padding = 0 }: DecompressOptions = {}): Tensor {
  const op = 'decompressZeroMean';
  const width = checkWidth(op, 'c', c, 1, 'd - 1] with d >= 2');
  expect(Number.isInteger(padding) && padding >= 0 && padding < width, op, 'padding', `an integer from 0 to ${width - 1}`, padding);
  return tidy(() => {
    const kept = padding === 0 ? c : columns(c, width - padding);
    return concat([kept, neg(sum(kept, -1, true))], -1);
  });
}
