import { tidy, transpose, type Tensor2D } from '@tensorflow/tfjs-core';
import { expect } from '@evenkeel/core';
import { checkCount } from '../checks.ts';
import { ranksOf, type Targets } from './ranks.ts';

export interface RetrievalMetricsOptions {
  /** Where recall is taken. Default 1, 5, 10. */
  at?: readonly number[];
  /** Down to which rank nDCG looks. Default 10. */
  k?: number;
}

/** Of ranks of the best right item a query, nDCG of all its right items. Shares are of 1. */
export interface RetrievalMetrics {
  readonly queries: number;
  /** Share of the queries whose best right item has at most that rank. */
  readonly recall: Readonly<Record<number, number>>;
  readonly medianRank: number;
  readonly meanRank: number;
  /** Mean of 1 / rank. */
  readonly meanReciprocalRank: number;
  /** With gains of 0 and 1. */
  readonly ndcg: number;
  /** Geometric mean of the recalls. */
  readonly geometricMeanRecall: number;
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** 1 / log2(1 + rank); nothing beyond k. */
const discount = (rank: number, k: number): number => (rank <= k ? 1 / Math.log2(1 + rank) : 0);

/** nDCG@k of one query: the discounts of its right items over those of the best possible ranking. */
function ndcg(ranks: ArrayLike<number>, k: number): number {
  let found = 0;
  let best = 0;
  for (let i = 0; i < ranks.length; i++) {
    found += discount(ranks[i]!, k);
    best += discount(i + 1, k);
  }
  return found / best;
}

/**
 * Metrics of ranks that are known: of {@link ranksOf}, or of an index's results, Infinity where an item was not found.
 *
 * @param ranks - of the right items of each query, best first
 */
export function metricsOf(
  ranks: readonly ArrayLike<number>[],
  { at = [1, 5, 10], k = 10 }: RetrievalMetricsOptions = {},
): RetrievalMetrics {
  const op = 'metricsOf';
  expect(ranks.length > 0, op, 'ranks', 'the ranks of at least one query', ranks);
  expect(at.length > 0, op, 'at', 'at least one rank', at);
  for (const rank of at) checkCount(op, 'at', rank);
  checkCount(op, 'k', k);
  const best = ranks.map((of, i) => {
    expect(of.length > 0 && of[0]! >= 1, op, `ranks[${i}]`, 'ranks >= 1, best first', of[0]);
    return of[0]!;
  });
  const recall = Object.fromEntries(at.map((rank) => [rank, mean(best.map((each) => (each <= rank ? 1 : 0)))]));
  return {
    queries: ranks.length,
    recall,
    medianRank: median(best),
    meanRank: mean(best),
    meanReciprocalRank: mean(best.map((rank) => 1 / rank)),
    ndcg: mean(ranks.map((of) => ndcg(of, k))),
    geometricMeanRecall: Object.values(recall).reduce((product, value) => product * value, 1) ** (1 / at.length),
  };
}

/** The right queries of each item: for the other direction. Items without one are left out. */
function turn(targets: Targets, columns: number): { items: number[]; of: number[][] } {
  const queries = Array.from({ length: columns }, (): number[] => []);
  for (let i = 0; i < targets.length; i++) {
    const target = targets[i]!;
    for (const item of typeof target === 'number' ? [target] : target) queries[item]!.push(i);
  }
  const items = queries.flatMap((list, item) => (list.length > 0 ? [item] : []));
  return { items, of: items.map((item) => queries[item]!) };
}

/**
 * How well right items are found, from queries to the gallery and from the gallery to queries. Ties have the mean of their ranks.
 *
 * @param similarities - [queries, gallery items], raw or corrected
 * @param targets - the right item of each query, or several
 * @param options - `reverse`: what the other direction is ranked by, [gallery items, queries], corrected by banks of its own; default: the transpose
 * @throws EvenkeelError as {@link ranksOf}
 *
 * @example
 * const { forward, backward } = await retrievalMetrics(similarities, targets);
 * forward.recall[1]; // share of the queries whose right item comes first
 */
export async function retrievalMetrics(
  similarities: Tensor2D,
  targets: Targets,
  options: RetrievalMetricsOptions & { reverse?: Tensor2D } = {},
): Promise<{ forward: RetrievalMetrics; backward: RetrievalMetrics }> {
  const { reverse, ...rest } = options;
  const forward = metricsOf(await ranksOf(similarities, targets), rest);
  const [rows, columns] = similarities.shape;
  if (reverse !== undefined) {
    const fits = reverse.shape[0] === columns && reverse.shape[1] === rows;
    expect(fits, 'retrievalMetrics', 'reverse', `[${columns}, ${rows}]`, reverse, 'SHAPE');
  }
  const { items, of } = turn(targets, columns);
  const turned = reverse ?? tidy(() => transpose(similarities));
  try {
    // Every item needs a target to be ranked by; those without one are left out of the mean.
    const all = Array.from({ length: columns }, (): number[] => [0]);
    items.forEach((item, i) => (all[item] = of[i]!));
    const ranks = await ranksOf(turned, all);
    return {
      forward,
      backward: metricsOf(
        items.map((item) => ranks[item]!),
        rest,
      ),
    };
  } finally {
    if (reverse === undefined) turned.dispose();
  }
}
