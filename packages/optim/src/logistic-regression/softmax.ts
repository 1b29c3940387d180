import { expect, throwIfAborted } from '@evenkeel/core';
import type { Chunk, Summary } from './samples.ts';
import { checkTotals } from './totals.ts';

/** What a step of multinomial regression needs to know of the data. */
export interface SoftmaxTotals {
  /** Sum over the samples of (one-hot label - probabilities) x: [classes, parameters of one]. */
  readonly direction: Float64Array;
  readonly misclassified: number;
  /** The least lead of the right class over the best of the others. */
  readonly least: number;
  /** Sum of -log probability of the right class. */
  readonly loss: number;
}

/** Logits of one row, a class each; theta is [classes, width, and one more with an intercept]. */
export function logitsOf({ rows }: Pick<Chunk, 'rows'>, row: number, vectors: readonly Float64Array[], logits: Float64Array): void {
  const { width } = rows;
  for (let k = 0; k < vectors.length; k++) {
    const vector = vectors[k]!;
    logits[k] = rows.dot(row, vector) + (vector.length > width ? vector[width]! : 0);
  }
}

/** The totals over all chunks, on the host in float64. */
export async function softmaxTotals(
  op: string,
  chunks: () => AsyncIterable<Chunk> | Iterable<Chunk>,
  { count, width, classes }: Summary,
  theta: Float64Array,
  signal: AbortSignal | undefined,
): Promise<SoftmaxTotals> {
  const length = theta.length / classes.length;
  const direction = new Float64Array(theta.length);
  const part = (vector: Float64Array, k: number): Float64Array => vector.subarray(k * length, (k + 1) * length);
  const vectors = classes.map((_, k) => part(theta, k));
  const directions = classes.map((_, k) => part(direction, k));
  const indices = new Map(classes.map((label, k) => [label, k]));
  const logits = new Float64Array(classes.length);
  let [misclassified, least, loss, seen] = [0, Infinity, 0, 0];
  for await (const chunk of chunks()) {
    throwIfAborted(signal, op);
    const { rows, labels } = chunk;
    expect(rows.width === width, op, 'x', `${width} features, as in the first pass`, rows.width, 'SHAPE');
    for (let row = 0; row < rows.count; row++) {
      logitsOf(chunk, row, vectors, logits);
      const right = indices.get(labels[row]!);
      expect(right !== undefined, op, 'y', 'labels that the first pass had', labels[row]);
      let [highest, others, sum] = [-Infinity, -Infinity, 0];
      logits.forEach((logit, k) => {
        highest = Math.max(highest, logit);
        if (k !== right) others = Math.max(others, logit);
      });
      for (const logit of logits) sum += Math.exp(logit - highest);
      const lead = logits[right]! - others;
      least = Math.min(least, lead);
      if (!(lead > 0)) misclassified++;
      loss += highest + Math.log(sum) - logits[right]!;
      for (let k = 0; k < logits.length; k++) {
        const factor = (k === right ? 1 : 0) - Math.exp(logits[k]! - highest) / sum;
        rows.add(row, factor, directions[k]!);
        if (length > width) directions[k]![width]! += factor;
      }
    }
    seen += rows.count;
  }
  checkTotals(op, direction, least, loss);
  expect(seen === count, op, 'batches', `${count} samples in each pass, as in the first`, seen);
  return { direction, misclassified, least, loss };
}
