// A bank of an index: vectors that are kept, and their log sums with items, kept up to date as rows come and go.
//
// A running maximum cannot be taken back when its row goes. A logarithm can: z' = z + log(1 - exp(dz - z)) in float64, whatever the size of
// the similarities. What that costs in precision is bounded, row by row of the bank, and items are summed anew where the bound is too large.
import { tensor1d, tensor2d, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { similarityLogNormalizers } from '../search/log-sum.ts';
import type { Segment } from './segment.ts';
import type { Metric } from './vectors.ts';
import { squaresOf } from './vectors.ts';

export interface Bank {
  readonly rows: number;
  readonly vectors: Float32Array;
  /** Which items rows are themselves; undefined where none is. */
  readonly own: readonly string[] | undefined;
}

/** Error of a log sum as the kernels give it, in units of its size. */
const ROUNDING = 4e-7;

/** The first `count` rows of a bank, or those after them. */
export function splitBank({ rows, vectors, own }: Bank, count: number): [Bank, Bank] {
  const width = vectors.length / rows;
  return [
    { rows: count, vectors: vectors.slice(0, count * width), own: own?.slice(0, count) },
    { rows: rows - count, vectors: vectors.slice(count * width), own: own?.slice(count) },
  ];
}

export interface SumContext {
  readonly dimensions: number;
  readonly metric: Metric;
  readonly beta: number;
}

/** Log sums of a bank's rows with the items of some vectors, [items], in float64. */
export async function sumsOf(
  bank: Bank,
  { vectors, scales, squares }: Pick<Segment, 'vectors' | 'scales' | 'squares'>,
  rowOf: (id: string) => number,
  { dimensions, metric, beta }: SumContext,
): Promise<Float64Array> {
  const made: (Tensor1D | Tensor2D)[] = [];
  const keep = <T extends Tensor1D | Tensor2D>(tensor: T): T => {
    made.push(tensor);
    return tensor;
  };
  try {
    const rows = keep(tensor2d(bank.vectors.slice(), [bank.rows, dimensions]));
    const offsets = metric === 'euclidean' ? keep(tensor1d(squaresOf(bank.vectors, dimensions).map((square) => beta * square))) : undefined;
    const exclude = bank.own && keep(tensor1d(Int32Array.from(bank.own, rowOf), 'int32'));
    const scale = metric === 'euclidean' ? 2 * beta : beta;
    const z = keep(similarityLogNormalizers(rows, vectors, { scale, offsets, exclude, scales }));
    const sums = Float64Array.from(await z.data());
    // -beta |item|^2 is the same for all rows of the bank.
    if (squares !== undefined) sums.forEach((sum, j) => (sums[j] = sum - beta * squares[j]!));
    return sums;
  } finally {
    for (const tensor of made) tensor.dispose();
  }
}

export const roundingOf = (sums: Float64Array, beta: number): number => {
  let most = 0;
  for (const sum of sums) most = Math.max(most, Math.abs(sum));
  return ROUNDING * (1 + beta + most);
};

/** Adds the sums of new rows. The error of a sum is no larger than the larger of its parts'. */
export function addSums(z: Float64Array, added: Float64Array): void {
  for (let j = 0; j < z.length; j++) {
    const [low, high] = z[j]! < added[j]! ? [z[j]!, added[j]!] : [added[j]!, z[j]!];
    z[j] = high + Math.log1p(Math.exp(low - high));
  }
}

/** Takes the sums of rows back. Returns the bound on the error afterwards: infinite where hardly anything is left. */
export function subtractSums(z: Float64Array, removed: Float64Array, error: number, rounding: number): number {
  let worst = error;
  for (let j = 0; j < z.length; j++) {
    const share = Math.exp(removed[j]! - z[j]!);
    if (!(share < 1)) return Infinity;
    z[j]! += Math.log1p(-share);
    worst = Math.max(worst, (error + share * rounding) / (1 - share));
  }
  return worst;
}
