import { all, cast, getBackend, isFinite, logicalNot, tidy, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core';
import { EvenkeelError, expect, raiseIf } from '@evenkeel/core';

/** What to do with NaN and infinities among similarities: carry them on (default), or throw. */
export type OnNonFinite = 'propagate' | 'throw';

/** A matrix of similarities that a function was given, by the name of its argument. */
export type Matrices = Readonly<Record<string, Tensor>>;

/** Throws unless all are float32 matrices with at least one row, and as many columns as the first. */
export function checkMatrices(op: string, matrices: Matrices): void {
  let columns: { of: string; count: number } | undefined;
  for (const [name, matrix] of Object.entries(matrices)) {
    const known = typeof matrix === 'object' && matrix !== null && 'shape' in matrix && 'dtype' in matrix;
    expect(known, op, name, 'a tensor [rows, gallery items]', matrix);
    expect(!matrix.isDisposed, op, name, 'a tensor that is not disposed', matrix, 'DISPOSED');
    expect(matrix.dtype === 'float32', op, name, 'float32', matrix, 'DTYPE');
    expect(matrix.shape.length === 2, op, name, 'a matrix [rows, gallery items]', matrix, 'SHAPE');
    const [rows, count] = matrix.shape as [number, number];
    if (columns === undefined) columns = { of: name, count };
    else {
      // Queries may be none; an empty bank says nothing of any item.
      expect(rows > 0, op, name, 'a bank of at least one row', matrix);
      expect(count === columns.count, op, name, `${columns.count} columns, as ${columns.of} has gallery items`, matrix, 'SHAPE');
    }
    expect(count > 0, op, name, 'at least one gallery item', matrix);
  }
}

/** Throws INVALID_ARGUMENT unless it is a finite number above 0. */
export function checkPositive(op: string, name: string, value: number): void {
  expect(Number.isFinite(value) && value > 0, op, name, 'a finite number > 0', value);
}

/** Throws INVALID_ARGUMENT unless it is a whole number of at least 1. */
export function checkCount(op: string, name: string, value: number): void {
  expect(Number.isSafeInteger(value) && value > 0, op, name, 'a whole number >= 1', value);
}

/** Throws NON_FINITE, naming row and column where the backend reads at once; on webgpu at the next `await data()`. */
export function checkFinite(op: string, matrices: Matrices, onNonFinite: OnNonFinite): void {
  expect(onNonFinite === 'propagate' || onNonFinite === 'throw', op, 'onNonFinite', "'propagate' or 'throw'", onNonFinite);
  if (onNonFinite === 'propagate') return;
  for (const [name, matrix] of Object.entries(matrices)) {
    const fail = (where: string): EvenkeelError =>
      new EvenkeelError('NON_FINITE', `${name} has a NaN or an infinity${where}, expected finite similarities`, { op, argument: name });
    if (getBackend() === 'webgpu') {
      raiseIf(
        tidy(() => cast(logicalNot(all(isFinite(matrix))), 'bool')),
        fail(''),
      );
      continue;
    }
    const found = (matrix as Tensor2D).dataSync().findIndex((value) => !Number.isFinite(value));
    if (found < 0) continue;
    const columns = matrix.shape[1]!;
    throw fail(` in row ${Math.floor(found / columns)}, column ${found % columns}`);
  }
}
