// Measures of how unevenly items are retrieved, of the numbers N[j] of queries that have item j among their k nearest.
import { expect } from '@evenkeel/core';

export interface SkewnessOptions {
  /** Whether items count that no query retrieved. Default true; the authors' code of DBNorm leaves them out, which understates hubness. */
  includeZeros?: boolean;
}

function checkOccurrences(op: string, occurrences: ArrayLike<number>): void {
  expect(occurrences?.length > 0, op, 'occurrences', 'the occurrences of at least one item', occurrences);
  for (let j = 0; j < occurrences.length; j++) {
    expect(occurrences[j]! >= 0 && occurrences[j]! < Infinity, op, `occurrences[${j}]`, 'a finite number >= 0', occurrences[j]);
  }
}

function total(values: ArrayLike<number>): number {
  let sum = 0;
  for (let j = 0; j < values.length; j++) sum += values[j]!;
  return sum;
}

/**
 * Skewness of the occurrences: mean((N - m)^3) / sd^3, moments of the population. 0 where all are equal; above 1 there are hubs.
 *
 * Source: Radovanović, Nanopoulos, Ivanović 2010, "Hubs in Space".
 *
 * @example
 * skewness(await kOccurrence(similarities, 10));
 */
export function skewness(occurrences: ArrayLike<number>, { includeZeros = true }: SkewnessOptions = {}): number {
  checkOccurrences('skewness', occurrences);
  const values = Array.from(occurrences).filter((value) => includeZeros || value > 0);
  if (values.length === 0) return 0;
  const mean = total(values) / values.length;
  let second = 0;
  let third = 0;
  for (const value of values) {
    second += (value - mean) ** 2;
    third += (value - mean) ** 3;
  }
  return second === 0 ? 0 : third / values.length / (second / values.length) ** 1.5;
}

/** Share of the queries that have the most frequent item among their k nearest: max N / queries, where all N sum to k times the queries. */
export function hubShare(occurrences: ArrayLike<number>, k: number): number {
  checkOccurrences('hubShare', occurrences);
  expect(Number.isSafeInteger(k) && k > 0, 'hubShare', 'k', 'a whole number >= 1', k);
  const all = total(occurrences);
  if (all === 0) return 0;
  let most = 0;
  for (let j = 0; j < occurrences.length; j++) most = Math.max(most, occurrences[j]!);
  return (most * k) / all;
}

/** Share of the items that no query retrieved. */
export function antihubShare(occurrences: ArrayLike<number>): number {
  checkOccurrences('antihubShare', occurrences);
  let none = 0;
  for (let j = 0; j < occurrences.length; j++) if (occurrences[j] === 0) none++;
  return none / occurrences.length;
}

/**
 * Robin Hood index: the share of all occurrences that would have to change hands for all items to have as many, 1/2 sum |N - m| / sum N.
 *
 * Source: Feldbauer, Leodolter, Plant, Flexer 2018, "Fast Approximate Hubness Reduction for Large High-Dimensional Data".
 */
export function robinHoodIndex(occurrences: ArrayLike<number>): number {
  checkOccurrences('robinHoodIndex', occurrences);
  const all = total(occurrences);
  if (all === 0) return 0;
  const mean = all / occurrences.length;
  let apart = 0;
  for (let j = 0; j < occurrences.length; j++) apart += Math.abs(occurrences[j]! - mean);
  return apart / 2 / all;
}

/** Gini coefficient: 0 where all items are retrieved equally often, towards 1 where one has all. */
export function gini(occurrences: ArrayLike<number>): number {
  checkOccurrences('gini', occurrences);
  const sorted = Float64Array.from(occurrences).sort();
  const all = total(sorted);
  if (all === 0) return 0;
  let weighted = 0;
  for (let j = 0; j < sorted.length; j++) weighted += (2 * (j + 1) - sorted.length - 1) * sorted[j]!;
  return weighted / (sorted.length * all);
}
