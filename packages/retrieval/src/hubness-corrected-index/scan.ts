// The best items of all segments, with given parts of the correction.
import { tensor1d, tensor2d, type Tensor1D } from '@tensorflow/tfjs-core';
import { similarityTopK } from '../search/top-k.ts';
import type { Settings } from './options.ts';
import type { Item, Segment } from './segment.ts';
import { squaresOf } from './vectors.ts';

/** Which log sums are subtracted. */
export interface Corrections {
  readonly queries: boolean;
  readonly gallery: boolean;
}

export interface Found {
  readonly item: Item;
  /** factor * similarity - correction. */
  readonly score: number;
  readonly correction: number;
}

export interface Scan {
  readonly segments: readonly Segment[];
  readonly settings: Settings;
  /** What similarities are multiplied with: beta1 + beta2, or one of them. */
  readonly factor: number;
  readonly corrections: Corrections;
  /** Whether the offsets may be kept for the next search. */
  readonly keep: boolean;
  readonly filter: ((item: Item) => boolean) | undefined;
}

export function correctionOf({ queryZ, galleryZ }: Segment, row: number, { queries, gallery }: Corrections): number {
  return (queries ? queryZ[row]! : 0) + (gallery ? galleryZ[row]! : 0);
}

/** What is subtracted of each item's scores; undefined where that is nothing. */
function offsetsOf(segment: Segment, { factor, corrections, filter }: Scan): Tensor1D | undefined {
  const { items, squares } = segment;
  const plain = !corrections.queries && !corrections.gallery && filter === undefined && squares === undefined;
  if (plain && !items.includes(undefined)) return undefined;
  const offsets = Float32Array.from(items, (item, row) => {
    if (item === undefined || (filter !== undefined && !filter(item))) return Infinity;
    return correctionOf(segment, row, corrections) + (squares === undefined ? 0 : factor * squares[row]!);
  });
  return tensor1d(offsets);
}

/** Puts the best of a segment into the lists of all. Both are sorted; who came before wins ties. */
function merge(best: readonly Found[], more: readonly Found[], k: number): Found[] {
  const merged: Found[] = [];
  let [a, b] = [0, 0];
  while (merged.length < k && (a < best.length || b < more.length)) {
    const first = b >= more.length || (a < best.length && best[a]!.score >= more[b]!.score);
    merged.push(first ? best[a++]! : more[b++]!);
  }
  return merged;
}

/** The k best items of each row of queries, fewer where there are fewer. */
export async function scan(rows: Float32Array, k: number, what: Scan): Promise<Found[][]> {
  const { segments, settings, factor, corrections, keep } = what;
  const { dimensions, metric } = settings;
  const count = rows.length / dimensions;
  let best = Array.from({ length: count }, (): Found[] => []);
  if (count === 0) return best;
  const euclidean = metric === 'euclidean';
  const squares = euclidean ? squaresOf(rows, dimensions) : undefined;
  const queries = tensor2d(rows.slice(), [count, dimensions]);
  try {
    for (const segment of segments) {
      const offsets = (keep && segment.offsets) || offsetsOf(segment, what);
      try {
        const { vectors, scales, items } = segment;
        const most = Math.min(k, items.length);
        const scale = euclidean ? 2 * factor : factor;
        const { values, indices } = await similarityTopK(queries, vectors, { k: most, scale, offsets, scales });
        best = best.map((list, i) => {
          const more: Found[] = [];
          for (let at = i * most; at < (i + 1) * most; at++) {
            const row = indices[at]!;
            if (row < 0) break;
            const score = values[at]! - (squares === undefined ? 0 : factor * squares[i]!);
            more.push({ item: items[row]!, score, correction: correctionOf(segment, row, corrections) });
          }
          return merge(list, more, k);
        });
      } finally {
        if (keep) segment.offsets = offsets;
        else offsets?.dispose();
      }
    }
  } finally {
    queries.dispose();
  }
  return best;
}
