// Test pairs and banks of a seed, as vectors of length 1: as they are, or after a ridge regression from glosses to lemmas.
import { random } from '@evenkeel/core';
import type { Pairs } from './words.ts';

export interface Side {
  readonly glosses: Float32Array;
  readonly lemmas: Float32Array;
}

export interface View {
  readonly test: Side;
  readonly bank: Side;
}

const RIDGE = 10;

function take(from: Float32Array, rows: readonly number[], width: number): Float32Array {
  const taken = new Float32Array(rows.length * width);
  rows.forEach((row, i) => taken.set(from.subarray(row * width, (row + 1) * width), i * width));
  return taken;
}

function unit(vectors: Float32Array, width: number): Float32Array {
  const scaled = vectors.slice();
  for (let at = 0; at < scaled.length; at += width) {
    const row = scaled.subarray(at, at + width);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)) || 1;
    row.forEach((value, d) => (row[d] = value / length));
  }
  return scaled;
}

function meanOf(vectors: Float32Array, width: number): Float64Array {
  const mean = new Float64Array(width);
  vectors.forEach((value, i) => (mean[i % width]! += (value * width) / vectors.length));
  return mean;
}

const less = (vectors: Float32Array, mean: Float64Array): Float32Array => vectors.map((value, i) => value - mean[i % mean.length]!);

/** W of least squares |X W - Y|^2 + ridge |W|^2, in float64 by Cholesky's decomposition. */
function regress(x: Float32Array, y: Float32Array, width: number): Float64Array {
  const gram = new Float64Array(width * width);
  const w = new Float64Array(width * width);
  for (let at = 0; at < x.length; at += width) {
    for (let i = 0; i < width; i++) {
      const value = x[at + i]!;
      for (let j = 0; j < width; j++) {
        gram[i * width + j]! += value * x[at + j]!;
        w[i * width + j]! += value * y[at + j]!;
      }
    }
  }
  for (let i = 0; i < width; i++) gram[i * width + i]! += RIDGE;
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = gram[i * width + j]!;
      for (let k = 0; k < j; k++) sum -= gram[i * width + k]! * gram[j * width + k]!;
      gram[i * width + j] = i === j ? Math.sqrt(sum) : sum / gram[j * width + j]!;
    }
  }
  for (let c = 0; c < width; c++) {
    for (let i = 0; i < width; i++) {
      let sum = w[i * width + c]!;
      for (let k = 0; k < i; k++) sum -= gram[i * width + k]! * w[k * width + c]!;
      w[i * width + c] = sum / gram[i * width + i]!;
    }
    for (let i = width - 1; i >= 0; i--) {
      let sum = w[i * width + c]!;
      for (let k = i + 1; k < width; k++) sum -= gram[k * width + i]! * w[k * width + c]!;
      w[i * width + c] = sum / gram[i * width + i]!;
    }
  }
  return w;
}

function times(x: Float32Array, w: Float64Array, width: number): Float32Array {
  const product = new Float32Array(x.length);
  for (let at = 0; at < x.length; at += width) {
    const sums = new Float64Array(width);
    for (let i = 0; i < width; i++) for (let j = 0; j < width; j++) sums[j]! += x[at + i]! * w[i * width + j]!;
    product.set(sums, at);
  }
  return product;
}

/** Test and bank pairs of a seed, which have none in common; both views of them. */
export function viewsOf(pairs: Pairs, seed: number, tests: number, bank: number): { raw: View; ridge: View } {
  const { dimensions: width, count } = pairs;
  const order = Array.from({ length: count }, (_, i) => i);
  const chances = random(seed).uniform(tests + bank);
  for (let i = 0; i < tests + bank; i++) {
    const other = i + Math.floor(chances[i]! * (count - i));
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
  const side = (from: number, to: number): Side => ({
    glosses: take(pairs.glosses, order.slice(from, to), width),
    lemmas: take(pairs.lemmas, order.slice(from, to), width),
  });
  const view: View = { test: side(0, tests), bank: side(tests, tests + bank) };
  const [glossMean, lemmaMean] = [meanOf(view.bank.glosses, width), meanOf(view.bank.lemmas, width)];
  const w = regress(less(view.bank.glosses, glossMean), less(view.bank.lemmas, lemmaMean), width);
  const both = (change: (each: Side) => Side): View => ({ test: change(view.test), bank: change(view.bank) });
  return {
    raw: both(({ glosses, lemmas }) => ({ glosses: unit(glosses, width), lemmas: unit(lemmas, width) })),
    ridge: both(({ glosses, lemmas }) => ({
      glosses: unit(times(less(glosses, glossMean), w, width), width),
      lemmas: unit(less(lemmas, lemmaMean), width),
    })),
  };
}
