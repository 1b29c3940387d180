// Samples for tests of linear classifiers.
import { random } from '@evenkeel/core';
import type { CsrMatrix } from '../src/index.ts';

export interface Sample {
  readonly x: number[][];
  readonly y: number[];
}

/** One sample (0.5, -1) of class 1 and n - 1 samples (-0.5, -1) of class -1: the batch perceptron needs a number of steps that grows with n. */
export function worstCase(n: number): Sample {
  return {
    x: Array.from({ length: n }, (_, i) => [i === 0 ? 0.5 : -0.5, -1]),
    y: Array.from({ length: n }, (_, i) => (i === 0 ? 1 : -1)),
  };
}

/** Normal samples around a centre for each class, `apart` from 0 in directions of their own. */
export function blobs(count: number, width: number, classes: number, apart: number, seed: number): Sample {
  const centres = random(seed)
    .stream('centres')
    .normal(classes * width);
  const noise = random(seed)
    .stream('noise')
    .normal(count * width);
  const y = Array.from({ length: count }, (_, i) => i % classes);
  const x = y.map((label, i) => {
    const centre = centres.slice(label * width, (label + 1) * width);
    const norm = Math.hypot(...centre);
    return Array.from({ length: width }, (_, j) => Math.fround((apart * centre[j]!) / norm + noise[i * width + j]!));
  });
  return { x, y };
}

/** Samples that a hyperplane through 0 separates with a margin. */
export function separable(count: number, width: number, gap: number, seed: number): Sample {
  const normal = Array.from(random(seed).stream('normal').normal(width));
  const norm = Math.hypot(...normal);
  const noise = random(seed)
    .stream('noise')
    .normal(count * width);
  const x: number[][] = [];
  const y: number[] = [];
  for (let i = 0; i < count; i++) {
    const row = Array.from(noise.slice(i * width, (i + 1) * width));
    const side = row.reduce((sum, value, j) => sum + (value * normal[j]!) / norm, 0);
    y.push(side > 0 ? 1 : -1);
    x.push(row.map((value, j) => Math.fround(value + ((side > 0 ? gap : -gap) * normal[j]!) / norm)));
  }
  return { x, y };
}

/** The same rows without their zeros. */
export function sparse(rows: readonly (readonly number[])[]): CsrMatrix {
  const [values, columns, offsets] = [[] as number[], [] as number[], [0]];
  for (const row of rows) {
    row.forEach((value, j) => {
      if (value === 0) return;
      values.push(value);
      columns.push(j);
    });
    offsets.push(values.length);
  }
  return { values, columns, offsets, shape: [rows.length, rows[0]!.length] };
}
