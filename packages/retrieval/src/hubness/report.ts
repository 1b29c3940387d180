import type { Tensor2D } from '@tensorflow/tfjs-core';
import { checkCount, checkMatrices } from '../checks.ts';
import { readMatrix } from '../matrix.ts';
import { occurrencesOf } from './k-occurrence.ts';
import { antihubShare, gini, hubShare, robinHoodIndex, skewness } from './measures.ts';

export interface HubnessReportOptions {
  /** How many nearest items of each query count. Default 10; fewer where there are fewer. */
  k?: number;
  /** How many of the most frequent items are listed. Default 10. */
  hubs?: number;
}

export interface Hub {
  readonly item: number;
  readonly occurrences: number;
}

/** How unevenly the items of a gallery are retrieved. */
export interface HubnessReport {
  readonly k: number;
  readonly queries: number;
  readonly items: number;
  /** Of the occurrences: about 0 without hubs, above 1 with. */
  readonly skewness: number;
  /** Share of the queries that retrieve the most frequent item. */
  readonly hubShare: number;
  /** Share of the items that no query retrieves. */
  readonly antihubShare: number;
  /** Share of all occurrences that would have to change hands for all items to have as many. */
  readonly robinHoodIndex: number;
  readonly gini: number;
  /** Queries whose k-th and next item are equal, so that indices decided; undefined where it is not known. */
  readonly ties: number | undefined;
  /** The most frequent items. */
  readonly hubs: readonly Hub[];
  /** Whether there are hubs that a correction can be expected to remove: skewness above 1. */
  readonly hubness: boolean;
  /** How many queries retrieve each item. */
  readonly occurrences: Int32Array;
}

/** The report of occurrences that are known, such as those of an index's results. */
export function hubnessReportOf(
  occurrences: Int32Array,
  queries: number,
  { k = 10, hubs = 10 }: HubnessReportOptions = {},
  ties?: number,
): HubnessReport {
  checkCount('hubnessReport', 'k', k);
  checkCount('hubnessReport', 'hubs', hubs);
  const skew = skewness(occurrences);
  const order = Int32Array.from(occurrences, (_, j) => j).sort((a, b) => occurrences[b]! - occurrences[a]! || a - b);
  return {
    k,
    queries,
    items: occurrences.length,
    skewness: skew,
    hubShare: hubShare(occurrences, k),
    antihubShare: antihubShare(occurrences),
    robinHoodIndex: robinHoodIndex(occurrences),
    gini: gini(occurrences),
    ties,
    hubs: Array.from(order.subarray(0, hubs), (item) => ({ item, occurrences: occurrences[item]! })),
    hubness: skew > 1,
    occurrences,
  };
}

/**
 * Tells whether a gallery has hubs: items that are among the k nearest of a great many queries, while others are of none.
 *
 * @param similarities - [queries, gallery items]; hundreds of queries are needed for a skewness worth the name
 * @throws EvenkeelError as {@link kOccurrence}
 *
 * @example
 * const { skewness, hubs } = await hubnessReport(similarities, { k: 10 });
 */
export async function hubnessReport(similarities: Tensor2D, options: HubnessReportOptions = {}): Promise<HubnessReport> {
  const { k = 10, hubs = 10 } = options;
  checkMatrices('hubnessReport', { similarities });
  checkCount('hubnessReport', 'k', k);
  checkCount('hubnessReport', 'hubs', hubs);
  const matrix = await readMatrix('hubnessReport', similarities);
  const most = Math.min(k, matrix.columns);
  const { occurrences, ties } = occurrencesOf(matrix, most);
  return hubnessReportOf(occurrences, matrix.rows, { k: most, hubs }, ties);
}
