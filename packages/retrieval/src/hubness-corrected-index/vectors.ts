import { EvenkeelError, expect } from '@evenkeel/core';

/** How near two vectors are: their cosine, their product, or less their squared distance. */
export type Metric = 'cosine' | 'dot' | 'euclidean';

/** Embeddings: one array each, or all of them one after another. */
export type Vectors = readonly ArrayLike<number>[] | Float32Array;

function lengthsOf(vectors: Float32Array, dimensions: number): Float64Array {
  return Float64Array.from({ length: vectors.length / dimensions }, (_, i) => {
    let squares = 0;
    for (let d = i * dimensions; d < (i + 1) * dimensions; d++) squares += vectors[d]! * vectors[d]!;
    return Math.sqrt(squares);
  });
}

/**
 * A copy of vectors as rows, of length 1 for cosines. Throws SHAPE where dimensions differ, NON_FINITE for NaN and infinities, INVALID_ARGUMENT
 * for a vector of zeros with cosines, which has no direction; each time naming the vector.
 */
export function rowsOf(op: string, name: string, vectors: Vectors, dimensions: number, metric: Metric): Float32Array {
  const flat = vectors instanceof Float32Array;
  expect(flat || Array.isArray(vectors), op, name, 'an array of vectors, or a Float32Array', vectors);
  if (flat) {
    expect(vectors.length % dimensions === 0, op, name, `a multiple of ${dimensions} numbers`, `${vectors.length} numbers`, 'SHAPE');
  }
  const count = flat ? vectors.length / dimensions : vectors.length;
  const rows = new Float32Array(count * dimensions);
  for (let i = 0; i < count; i++) {
    const vector = flat ? vectors.subarray(i * dimensions, (i + 1) * dimensions) : (vectors[i] as ArrayLike<number>);
    expect(vector?.length === dimensions, op, `${name}[${i}]`, `${dimensions} numbers`, `a vector of ${vector?.length} numbers`, 'SHAPE');
    rows.set(vector, i * dimensions);
  }
  const bad = rows.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const [i, d] = [Math.floor(bad / dimensions), bad % dimensions];
    throw new EvenkeelError('NON_FINITE', `${name}[${i}] is ${rows[bad]} in dimension ${d}, expected finite numbers`, {
      op,
      argument: name,
    });
  }
  if (metric !== 'cosine') return rows;
  lengthsOf(rows, dimensions).forEach((length, i) => {
    expect(length > 0, op, `${name}[${i}]`, 'a vector with a direction, for cosines', 'all zeros');
    for (let d = i * dimensions; d < (i + 1) * dimensions; d++) rows[d]! /= length;
  });
  return rows;
}

/** Squared length of each row. */
export function squaresOf(rows: Float32Array, dimensions: number): Float32Array {
  return Float32Array.from(lengthsOf(rows, dimensions), (length) => length * length);
}
