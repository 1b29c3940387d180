import { concat, ones, tensor1d, tidy, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { EvenkeelError, expect, show, throwIfAborted } from '@evenkeel/core';
import { asFloat, checkTensor, isTensor, toRows, type Features, type Numbers, type Rows } from './matrix.ts';
import { marginSums } from './op.ts';
import { checkTotals, emptyTotals, hostTotals, mergeTotals, type MarginTotals, type Weights } from './totals.ts';

/** A whole number a sample: its class. */
export type Labels = Numbers | Tensor;

/** Some of the samples. */
export interface Batch {
  readonly x: Features;
  readonly y: Labels;
}

/** Starts a pass over the data from its beginning: every call gives the same samples. */
export type Batches = () => AsyncIterable<Batch> | Iterable<Batch>;

/** A batch that has been read. */
export interface Chunk {
  readonly rows: Rows;
  readonly labels: Numbers;
  /** The samples as a tensor, where passes run on a backend; with a column of ones for the intercept. */
  readonly x: Tensor2D | undefined;
  /** 1 and -1 as a tensor, by the class that is 1. */
  readonly signs: Map<number, Tensor1D>;
}

/** Rows of equal samples with different labels: no hyperplane has both on the right side. */
export type Conflict = readonly [first: number, second: number];

/** What one pass over the data finds out before training. */
export interface Summary {
  readonly count: number;
  readonly width: number;
  /** The labels that occur, rising. */
  readonly classes: readonly number[];
  /** The largest norm of a sample, with the constant feature of an intercept. */
  readonly radius: number;
  readonly conflict: Conflict | undefined;
}

async function readLabels(op: string, y: Labels, count: number): Promise<Numbers> {
  if (isTensor(y)) checkTensor(op, 'y', y, 1);
  const labels = isTensor(y) ? await y.data() : y;
  expect(Array.isArray(labels) || ArrayBuffer.isView(labels), op, 'y', 'an array of whole numbers', y);
  expect(labels.length === count, op, 'y', `${count} labels, as x has rows`, labels.length, 'SHAPE');
  for (let i = 0; i < count; i++) {
    if (Number.isSafeInteger(labels[i])) continue;
    throw new EvenkeelError('INVALID_ARGUMENT', `y[${i}] is ${show(labels[i])}, expected a whole number`, { op, argument: 'y' });
  }
  return labels;
}

/** Reads a batch; `onBackend` keeps it as a tensor, too, which `disposeChunk` frees. */
export async function readChunk(op: string, { x, y }: Batch, intercept: boolean, onBackend: boolean): Promise<Chunk> {
  const rows = await toRows(op, x);
  const labels = await readLabels(op, y, rows.count);
  let tensor: Tensor2D | undefined;
  if (onBackend && isTensor(x) && x.size > 0) {
    tensor = tidy(() => (intercept ? concat([asFloat(x), ones([rows.count, 1]) as Tensor2D], 1) : asFloat(x)));
  }
  return { rows, labels, x: tensor, signs: new Map() };
}

export function disposeChunk({ x, signs }: Chunk): void {
  x?.dispose();
  for (const tensor of signs.values()) tensor.dispose();
  signs.clear();
}

/** A hash of a row that does not see zeros, so that dense and sparse rows agree. */
function hashOf(rows: Rows, row: number, view: DataView): number {
  let hash = 0;
  rows.each(row, (column, value) => {
    if (value === 0) return;
    view.setFloat64(0, value);
    const bits = Math.imul(view.getUint32(0) ^ Math.imul(view.getUint32(4), 0x85ebca6b), 0xc2b2ae35);
    hash = Math.imul(hash ^ Math.imul(bits ^ (bits >>> 15) ^ Math.imul(column + 1, 0x9e3779b1), 0x27d4eb2f), 0x165667b1);
    hash ^= hash >>> 13;
  });
  return hash;
}

function sameRow(rows: Rows, a: number, b: number): boolean {
  const values = new Map<number, number>();
  rows.each(a, (column, value) => value !== 0 && values.set(column, value));
  let [same, entries] = [true, 0];
  rows.each(b, (column, value) => {
    if (value === 0) return;
    entries++;
    same &&= values.get(column) === value;
  });
  return same && entries === values.size;
}

/** The first two equal rows with different labels. */
function findConflict({ rows, labels }: Chunk): Conflict | undefined {
  const byHash = new Map<number, number[]>();
  const view = new DataView(new ArrayBuffer(8));
  for (let row = 0; row < rows.count; row++) {
    const hash = hashOf(rows, row, view);
    const before = byHash.get(hash);
    if (before === undefined) {
      byHash.set(hash, [row]);
      continue;
    }
    const twin = before.find((other) => labels[other] !== labels[row] && sameRow(rows, other, row));
    if (twin !== undefined) return [twin, row];
    // Rows equal to one that is there, label and all, add nothing.
    if (!before.some((other) => labels[other] === labels[row] && sameRow(rows, other, row))) before.push(row);
  }
  return undefined;
}

/** The largest squared norm of a row. Throws for a NaN, an infinity, or a row of zeros without an intercept. */
function largestSquare(op: string, { rows }: Chunk, first: number, intercept: boolean): number {
  let largest = 0;
  for (let row = 0; row < rows.count; row++) {
    let square = 0;
    let bad = -1;
    rows.each(row, (column, value) => {
      if (!Number.isFinite(value) && bad < 0) bad = column;
      square += value * value;
    });
    const fail = (what: string, code: 'NON_FINITE' | 'INVALID_ARGUMENT'): never => {
      throw new EvenkeelError(code, `x has ${what} in row ${first + row}`, { op, argument: 'x' });
    };
    if (bad >= 0) fail(`a NaN or an infinity in column ${bad}`, 'NON_FINITE');
    if (square === 0 && !intercept)
      fail('only zeros, which are on no side of a hyperplane through 0: set fitIntercept or leave it out,', 'INVALID_ARGUMENT');
    largest = Math.max(largest, square);
  }
  return largest;
}

/** Goes through the data once: checks it, and tells what training needs to know. Equal rows in different chunks are not seen. */
export async function scan(
  op: string,
  chunks: () => AsyncIterable<Chunk> | Iterable<Chunk>,
  intercept: boolean,
  signal: AbortSignal | undefined,
): Promise<Summary> {
  let count = 0;
  let width: number | undefined;
  let square = 0;
  let conflict: Conflict | undefined;
  const classes = new Set<number>();
  for await (const chunk of chunks()) {
    throwIfAborted(signal, op);
    const { rows, labels } = chunk;
    width ??= rows.width;
    expect(rows.width === width, op, 'x', `${width} features, as in the first batch`, rows.width, 'SHAPE');
    square = Math.max(square, largestSquare(op, chunk, count, intercept));
    const found = conflict ?? findConflict(chunk);
    if (found && !conflict) conflict = [found[0] + count, found[1] + count];
    for (let i = 0; i < labels.length; i++) classes.add(labels[i]!);
    count += rows.count;
  }
  expect(count > 0, op, 'x', 'at least one sample', `${count} samples`);
  expect(width! > 0, op, 'x', 'at least one feature', `${width} features`, 'SHAPE');
  const radius = Math.sqrt(square + (intercept ? 1 : 0));
  return { count, width: width!, classes: [...classes].sort((a, b) => a - b), radius, conflict };
}

const signsOf = (labels: Numbers, positive: number): Int8Array => Int8Array.from(labels, (label) => (label === positive ? 1 : -1));

async function backendTotals(
  chunk: Chunk,
  x: Tensor2D,
  positive: number,
  theta: Float64Array,
  weights: 'logistic' | 'misclassified',
): Promise<MarginTotals> {
  let signs = chunk.signs.get(positive);
  if (signs === undefined) {
    signs = tensor1d(Float32Array.from(signsOf(chunk.labels, positive)));
    chunk.signs.set(positive, signs);
  }
  const sums = tidy(() => marginSums(x, signs, tensor1d(Float32Array.from(theta)), { weights }));
  const [direction, statistics] = await Promise.all([sums.direction.data(), sums.statistics.data()]);
  sums.direction.dispose();
  sums.statistics.dispose();
  const [least, weight, misclassified, loss] = statistics as Float32Array;
  return {
    direction: Float64Array.from(direction),
    least: least!,
    weight: weight!,
    misclassified: misclassified!,
    loss: loss!,
    count: chunk.rows.count,
  };
}

/** The totals over all chunks: on the backend where they are tensors (and the weights are known there), else on the host in float64. */
export async function totalsOf(
  op: string,
  chunks: () => AsyncIterable<Chunk> | Iterable<Chunk>,
  { count, width }: Summary,
  { positive, theta, weights, signal }: { positive: number; theta: Float64Array; weights: Weights; signal: AbortSignal | undefined },
): Promise<MarginTotals> {
  let totals = emptyTotals(theta.length);
  for await (const chunk of chunks()) {
    throwIfAborted(signal, op);
    expect(chunk.rows.width === width, op, 'x', `${width} features, as in the first pass`, chunk.rows.width, 'SHAPE');
    const part =
      chunk.x === undefined || weights === 'first'
        ? hostTotals(chunk.rows, signsOf(chunk.labels, positive), theta, theta.length > width, weights)
        : await backendTotals(chunk, chunk.x, positive, theta, weights);
    totals = mergeTotals(totals, part, weights);
  }
  checkTotals(op, totals.direction, totals.least, totals.weight, totals.loss);
  expect(totals.count === count, op, 'batches', `${count} samples in each pass, as in the first`, totals.count);
  return totals;
}
