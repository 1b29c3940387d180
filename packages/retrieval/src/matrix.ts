import { EvenkeelError, expect } from '@evenkeel/core';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { checkMatrices } from './checks.ts';

/** A matrix on the host, row by row. */
export interface HostMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/** Reads similarities. Throws NON_FINITE, naming row and column, where they cannot be ranked: NaN. */
export async function readMatrix(op: string, similarities: Tensor2D): Promise<HostMatrix> {
  checkMatrices(op, { similarities });
  const [rows, columns] = similarities.shape;
  const values = (await similarities.data()) as Float32Array;
  const bad = values.findIndex(Number.isNaN);
  if (bad >= 0) {
    const message = `similarities is NaN in row ${Math.floor(bad / columns)}, column ${bad % columns}, expected numbers that can be ranked`;
    throw new EvenkeelError('NON_FINITE', message, { op, argument: 'similarities' });
  }
  return { rows, columns, values };
}

/** Throws unless there is one value a query. */
export function checkLength(op: string, name: string, found: number, rows: number): void {
  expect(found === rows, op, name, `${rows} entries, one a query`, `an array of ${found}`, 'SHAPE');
}
