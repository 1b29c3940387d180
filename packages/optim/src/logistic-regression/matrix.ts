import { cast, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core';
import { EvenkeelError, expect } from '@evenkeel/core';

/** Numbers in a row: an array or a typed one. */
export type Numbers = ArrayLike<number>;

/** A dense matrix, row by row. */
export interface DenseMatrix {
  readonly values: Numbers;
  readonly shape: readonly [rows: number, columns: number];
}

/**
 * A sparse matrix, compressed row by row: row i has its values from `offsets[i]` to `offsets[i + 1]`, in the columns that `columns` says,
 * which rise within a row.
 */
export interface CsrMatrix extends DenseMatrix {
  readonly columns: Numbers;
  readonly offsets: Numbers;
}

/** Samples, a row each: a float32 or int32 tensor, rows as arrays, a dense or a sparse matrix. */
export type Features = Tensor | DenseMatrix | CsrMatrix | readonly Numbers[];

/** Rows on the host, whatever they are made of. */
export interface Rows {
  readonly count: number;
  readonly width: number;
  /** Row . v */
  dot(row: number, v: Float64Array): number;
  /** v += factor row */
  add(row: number, factor: number, v: Float64Array): void;
  /** Calls `visit` for every entry that may be other than 0, columns rising. */
  each(row: number, visit: (column: number, value: number) => void): void;
}

function denseRows(values: Numbers, count: number, width: number): Rows {
  return {
    count,
    width,
    dot(row, v) {
      let sum = 0;
      for (let at = row * width, i = 0; i < width; i++) sum += values[at++]! * v[i]!;
      return sum;
    },
    add(row, factor, v) {
      for (let at = row * width, i = 0; i < width; i++) v[i]! += factor * values[at++]!;
    },
    each(row, visit) {
      for (let i = 0; i < width; i++) visit(i, values[row * width + i]!);
    },
  };
}

function sparseRows({ values, columns, offsets, shape: [count, width] }: CsrMatrix): Rows {
  return {
    count,
    width,
    dot(row, v) {
      let sum = 0;
      for (let at = offsets[row]!; at < offsets[row + 1]!; at++) sum += values[at]! * v[columns[at]!]!;
      return sum;
    },
    add(row, factor, v) {
      for (let at = offsets[row]!; at < offsets[row + 1]!; at++) v[columns[at]!]! += factor * values[at]!;
    },
    each(row, visit) {
      for (let at = offsets[row]!; at < offsets[row + 1]!; at++) visit(columns[at]!, values[at]!);
    },
  };
}

function checkSparse(op: string, { values, columns, offsets, shape: [count, width] }: CsrMatrix): void {
  const length = values.length;
  const fail = (what: string): never => {
    throw new EvenkeelError('SHAPE', `x is no sparse matrix [${count}, ${width}]: ${what}`, { op, argument: 'x' });
  };
  if (columns.length !== length) fail(`${columns.length} columns for ${length} values`);
  if (offsets.length !== count + 1) fail(`${offsets.length} offsets, expected ${count + 1}`);
  if (offsets[0] !== 0 || offsets[count] !== length) fail(`offsets from ${offsets[0]} to ${offsets[count]}, expected 0 to ${length}`);
  for (let row = 0; row < count; row++) {
    if (!(offsets[row]! <= offsets[row + 1]!)) fail(`the offset of row ${row + 1} is below that of row ${row}`);
    let before = -1;
    for (let at = offsets[row]!; at < offsets[row + 1]!; at++) {
      const column = columns[at]!;
      if (!Number.isInteger(column) || column <= before || column >= width) fail(`column ${column} in row ${row} after column ${before}`);
      before = column;
    }
  }
}

export function isTensor(value: unknown): value is Tensor {
  // Not instanceof: two copies of tfjs on a page exchange tensors freely.
  return typeof value === 'object' && value !== null && 'dataId' in value && 'shape' in value && 'dtype' in value;
}

/** Throws unless it is a tensor of that rank, of numbers, and not disposed. */
export function checkTensor(op: string, argument: string, tensor: Tensor, rank: number): void {
  expect(!tensor.isDisposed, op, argument, 'a tensor that is not disposed', tensor, 'DISPOSED');
  expect(tensor.shape.length === rank, op, argument, `a tensor of rank ${rank}`, tensor, 'SHAPE');
  expect(tensor.dtype === 'float32' || tensor.dtype === 'int32', op, argument, 'a float32 or int32 tensor', tensor, 'DTYPE');
}

const isDense = (value: unknown): value is DenseMatrix =>
  typeof value === 'object' && value !== null && 'values' in value && 'shape' in value;

/** The rows of `x`, read to the host. Finiteness is the scan's subject. */
export async function toRows(op: string, x: Features): Promise<Rows> {
  if (isTensor(x)) {
    checkTensor(op, 'x', x, 2);
    const [count, width] = (x as Tensor2D).shape;
    return denseRows(await x.data(), count, width);
  }
  if (isDense(x)) {
    const [count, width] = x.shape;
    const whole = x.shape.length === 2 && [count, width].every((length) => Number.isSafeInteger(length) && length >= 0);
    expect(whole, op, 'x', 'a shape of two whole numbers', x.shape, 'SHAPE');
    if ('columns' in x && 'offsets' in x) {
      checkSparse(op, x);
      return sparseRows(x);
    }
    expect(
      x.values.length === count * width,
      op,
      'x',
      `${count * width} values for a matrix [${count}, ${width}]`,
      x.values.length,
      'SHAPE',
    );
    return denseRows(x.values, count, width);
  }
  expect(Array.isArray(x), op, 'x', 'a tensor, rows, a dense or a sparse matrix', x);
  const rows = x as readonly Numbers[];
  const width = rows[0]?.length ?? 0;
  rows.forEach((row, i) => expect(row?.length === width, op, 'x', `${width} features in row ${i}, as in row 0`, row?.length, 'SHAPE'));
  const values = new Float64Array(rows.length * width);
  rows.forEach((row, i) => values.set(row, i * width));
  return denseRows(values, rows.length, width);
}

/** A float32 tensor as it is (a clone), an int32 one cast. */
export const asFloat = (x: Tensor): Tensor2D => cast(x, 'float32') as Tensor2D;
