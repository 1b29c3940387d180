// Matrices and formulas in float64 on the host, to hold float32 to.
import { random } from '@evenkeel/core';

export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: readonly number[];
}

/** Cosine-like numbers in [-1, 1), the same for a seed, each of them a float32. */
export function matrix(rows: number, columns: number, seed: number): Matrix {
  return { rows, columns, values: Array.from(random(seed).uniform(rows * columns), (value) => Math.fround(2 * value - 1)) };
}

const row = (m: Matrix, i: number): readonly number[] => m.values.slice(i * m.columns, (i + 1) * m.columns);
const column = (m: Matrix, j: number): number[] => Array.from({ length: m.rows }, (_, i) => m.values[i * m.columns + j]!);

function logSum(values: readonly number[]): number {
  const most = Math.max(...values);
  return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
}

const normalizers = (bank: Matrix, beta: number): number[] =>
  Array.from({ length: bank.columns }, (_, j) => logSum(column(bank, j).map((value) => beta * value)));

const argMax = (values: readonly number[]): number => values.indexOf(Math.max(...values));

function nearest(values: readonly number[], k: number): number[] {
  return values
    .map((_, j) => j)
    .sort((a, b) => values[b]! - values[a]! || a - b)
    .slice(0, k);
}

function invertedSoftmax(s: Matrix, bank: Matrix, beta: number): number[] {
  const z = normalizers(bank, beta);
  return s.values.map((value, i) => beta * value - z[i % s.columns]!);
}

function dynamicInvertedSoftmax(s: Matrix, bank: Matrix, beta: number, k: number): number[] {
  const z = normalizers(bank, beta);
  const active = new Set(Array.from({ length: bank.rows }, (_, a) => nearest(row(bank, a), k)).flat());
  return s.values.map((value, i) => beta * value - (active.has(argMax(row(s, Math.floor(i / s.columns)))) ? z[i % s.columns]! : 0));
}

const add = (a: readonly number[], b: readonly number[]): number[] => a.map((value, i) => value + b[i]!);

function csls(s: Matrix, bank: Matrix, k: number): number[] {
  const meanOf = (values: readonly number[]): number => {
    const largest = nearest(values, k).map((j) => values[j]!);
    return largest.reduce((sum, value) => sum + value, 0) / largest.length;
  };
  return s.values.map((value, i) => 2 * value - meanOf(row(s, Math.floor(i / s.columns))) - meanOf(column(bank, i % s.columns)));
}

function localScaling(s: Matrix, bank: Matrix, k: number): number[] {
  const radius = (values: readonly number[]): number => 1 - values[nearest(values, k).at(-1)!]!;
  return s.values.map(
    (value, i) => -((1 - value) ** 2) / (radius(row(s, Math.floor(i / s.columns))) * radius(column(bank, i % s.columns))),
  );
}

export const double = {
  invertedSoftmax,
  dynamicInvertedSoftmax,
  dualInvertedSoftmax: (s: Matrix, p: Matrix, r: Matrix, beta1: number, beta2: number): number[] =>
    add(invertedSoftmax(s, p, beta1), invertedSoftmax(s, r, beta2)),
  add,
  csls,
  localScaling,
};
