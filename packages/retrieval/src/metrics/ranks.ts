import type { Tensor2D } from '@tensorflow/tfjs-core';
import { expect } from '@evenkeel/core';
import { checkMatrices } from '../checks.ts';
import { checkLength, readMatrix } from '../matrix.ts';

/** The right items of each query: an index, or several. */
export type Targets = ArrayLike<number | readonly number[]>;

const listOf = (target: number | readonly number[]): readonly number[] => (typeof target === 'number' ? [target] : target);

/** Throws unless each query has a target, all of them items. */
function checkTargets(op: string, targets: Targets, rows: number, columns: number): void {
  checkLength(op, 'targets', targets.length, rows);
  for (let i = 0; i < rows; i++) {
    const list = listOf(targets[i]!);
    expect(list.length > 0, op, `targets[${i}]`, 'at least one item', list);
    for (const item of list) {
      expect(Number.isSafeInteger(item) && item >= 0 && item < columns, op, `targets[${i}]`, `an item, 0 to ${columns - 1}`, item);
    }
  }
}

/**
 * Ranks of all right items of each query, best first: 1 + how many items are better + half of those that are as good. Tied items thus have
 * the mean of the ranks that they share, and a matrix of equal numbers does not score.
 *
 * @param similarities - [queries, gallery items]
 * @param targets - the right item of each query, or several
 * @throws EvenkeelError SHAPE, DTYPE or INVALID_ARGUMENT where targets do not fit, NON_FINITE for NaN, naming row and column
 */
export async function ranksOf(similarities: Tensor2D, targets: Targets): Promise<Float64Array[]> {
  const op = 'ranksOf';
  checkMatrices(op, { similarities });
  checkTargets(op, targets, similarities.shape[0], similarities.shape[1]);
  const { rows, columns, values } = await readMatrix(op, similarities);
  const ranks: Float64Array[] = [];
  for (let i = 0; i < rows; i++) {
    const row = values.subarray(i * columns, (i + 1) * columns);
    const of = Float64Array.from(listOf(targets[i]!), (item) => {
      const own = row[item]!;
      let better = 0;
      let equal = 0;
      for (const value of row) {
        if (value > own) better++;
        else if (value === own) equal++;
      }
      return 1 + better + (equal - 1) / 2;
    });
    ranks.push(of.sort());
  }
  return ranks;
}
