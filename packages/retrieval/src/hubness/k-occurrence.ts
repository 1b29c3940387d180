import type { Tensor2D } from '@tensorflow/tfjs-core';
import { expect } from '@evenkeel/core';
import { checkCount, checkMatrices } from '../checks.ts';
import { readMatrix, type HostMatrix } from '../matrix.ts';

export interface KOccurrenceOptions {
  /** How many nearest items of each query count. Default 10; fewer where there are fewer. */
  k?: number;
}

/**
 * How often each item stands in lists of results.
 *
 * @param indices - of items, those of all lists one after another; -1 stands for none
 * @param items - how many items there are
 */
export function countOccurrences(indices: ArrayLike<number>, items: number): Int32Array {
  checkCount('countOccurrences', 'items', items);
  const counts = new Int32Array(items);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (index === -1) continue;
    expect(Number.isSafeInteger(index) && index >= 0 && index < items, 'countOccurrences', 'indices', `indices below ${items}`, index);
    counts[index]!++;
  }
  return counts;
}

/** Occurrences, and how many rows have a tie at the edge of their k nearest, which the lower index wins. */
export function occurrencesOf({ rows, columns, values }: HostMatrix, k: number): { occurrences: Int32Array; ties: number } {
  const occurrences = new Int32Array(columns);
  const sorted = new Float32Array(columns);
  let ties = 0;
  for (let i = 0; i < rows; i++) {
    const row = values.subarray(i * columns, (i + 1) * columns);
    sorted.set(row);
    sorted.sort();
    const edge = sorted[columns - k]!;
    let room = k;
    let equal = 0;
    for (const value of row) {
      if (value > edge) room--;
      else if (value === edge) equal++;
    }
    if (equal > room) ties++;
    for (let j = 0; j < columns; j++) {
      if (row[j]! > edge) occurrences[j]!++;
      else if (row[j] === edge && room > 0) {
        occurrences[j]!++;
        room--;
      }
    }
  }
  return { occurrences, ties };
}

/**
 * How many queries have each item among their k nearest. Among equals the lower index comes first.
 *
 * @param similarities - [queries, gallery items]
 * @returns one number an item
 * @throws EvenkeelError SHAPE or DTYPE for other than a float32 matrix, INVALID_ARGUMENT for k, NON_FINITE for NaN, naming row and column
 *
 * @example
 * const occurrences = await kOccurrence(similarities, { k: 10 });
 */
export async function kOccurrence(similarities: Tensor2D, { k = 10 }: KOccurrenceOptions = {}): Promise<Int32Array> {
  checkMatrices('kOccurrence', { similarities });
  checkCount('kOccurrence', 'k', k);
  const matrix = await readMatrix('kOccurrence', similarities);
  return occurrencesOf(matrix, Math.min(k, matrix.columns)).occurrences;
}
