import { backends } from '../../../../tools/test-backends.ts';
import { add, grads, mul, randomNormal, sum, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError } from '@evenkeel/core';
import { beforeEach, describe, expect, test } from 'vitest';
import { layerNormGRUStep, type LayerNormGRUWeights } from '../index.ts';

const [batch, inputs, units] = [2, 3, 4];
const normal = (shape: number[], seed: number): Tensor => randomNormal(shape, 0, 0.7, 'float32', seed);
type AllWeights = { [K in keyof LayerNormGRUWeights]-?: Tensor };

const allWeights = (): AllWeights => ({
  kernel: normal([inputs, 3 * units], 1),
  recurrentKernel: normal([units, 3 * units], 2),
  bias: normal([3 * units], 3),
  gammaX: normal([2 * units], 4),
  betaX: normal([2 * units], 5),
  gammaH: normal([2 * units], 6),
  betaH: normal([2 * units], 7),
  gammaCandidateX: normal([units], 8),
  betaCandidateX: normal([units], 9),
  gammaCandidateH: normal([units], 10),
  betaCandidateH: normal([units], 11),
});

type Numbers = number[];
type Weights = Record<keyof LayerNormGRUWeights, Numbers>;

const read = async (x: Tensor): Promise<Numbers> => Array.from(await x.data());

/** The cell in double, sample by sample, as its equations stand. */
function inDouble(x: Numbers, h: Numbers, w: Weights, epsilon: number): Numbers {
  const product = (row: Numbers, matrix: Numbers, from: number, to: number): Numbers =>
    Array.from({ length: to - from }, (_, j) => row.reduce((total, value, i) => total + value * matrix[i * 3 * units + from + j]!, 0));
  const norm = (row: Numbers, gamma: Numbers, beta: Numbers): Numbers => {
    const mean = row.reduce((a, b) => a + b) / row.length;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / row.length;
    return row.map((value, i) => (gamma[i]! * (value - mean)) / Math.sqrt(variance + epsilon) + beta[i]!);
  };
  const next: Numbers = [];
  for (let sample = 0; sample < batch; sample++) {
    const xs = x.slice(sample * inputs, (sample + 1) * inputs);
    const hs = h.slice(sample * units, (sample + 1) * units);
    const fromX = norm(product(xs, w.kernel, 0, 2 * units), w.gammaX, w.betaX);
    const fromH = norm(product(hs, w.recurrentKernel, 0, 2 * units), w.gammaH, w.betaH);
    const gates = fromX.map((value, i) => 1 / (1 + Math.exp(-(value + fromH[i]! + w.bias[i]!))));
    const candidateX = norm(product(xs, w.kernel, 2 * units, 3 * units), w.gammaCandidateX, w.betaCandidateX);
    const candidateH = norm(product(hs, w.recurrentKernel, 2 * units, 3 * units), w.gammaCandidateH, w.betaCandidateH);
    for (let i = 0; i < units; i++) {
      const [reset, update] = [gates[i]!, gates[units + i]!];
      const candidate = Math.tanh(candidateX[i]! + reset * candidateH[i]! + w.bias[2 * units + i]!);
      next.push((1 - update) * hs[i]! + update * candidate);
    }
  }
  return next;
}

async function readWeights(weights: AllWeights): Promise<Weights> {
  const entries: [string, Numbers][] = [];
  for (const [name, value] of Object.entries(weights)) entries.push([name, await read(value as Tensor)]);
  return Object.fromEntries(entries) as Weights;
}

describe.each(backends)('layerNormGRUStep on %s', (name) => {
  beforeEach(() => backend(name));

  test('computes its equations', async () => {
    const [x, h, weights] = [normal([batch, inputs], 12), normal([batch, units], 13), allWeights()];
    const found = await read(layerNormGRUStep(x, h, weights, { epsilon: 1e-3 }));
    const wanted = inDouble(await read(x), await read(h), await readWeights(weights), 1e-3);
    expect(found).toHaveLength(batch * units);
    found.forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 5));
  });

  test('works with kernels alone', async () => {
    const { kernel, recurrentKernel } = allWeights();
    const [x, h] = [normal([batch, inputs], 12), normal([batch, units], 13)];
    const found = await read(layerNormGRUStep(x, h, { kernel, recurrentKernel }));
    const weights = { ...(await readWeights(allWeights())) };
    for (const key of Object.keys(weights) as (keyof Weights)[]) {
      if (key.startsWith('gamma')) weights[key] = weights[key].map(() => 1);
      if (key.startsWith('beta') || key === 'bias') weights[key] = weights[key].map(() => 0);
    }
    const wanted = inDouble(await read(x), await read(h), weights, 1e-5);
    found.forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 4));
  });

  test('the gradients of all inputs and weights agree with differences in double', async () => {
    const [x, h, weights] = [normal([batch, inputs], 12), normal([batch, units], 13), allWeights()];
    const names = Object.keys(weights) as (keyof LayerNormGRUWeights)[];
    const dy = normal([batch, units], 14);
    const loss = (...values: Tensor[]): Tensor => {
      const rest = Object.fromEntries(names.map((key, i) => [key, values[i + 2]!])) as AllWeights;
      return sum(mul(layerNormGRUStep(values[0]!, values[1]!, rest, { epsilon: 1e-3 }), dy));
    };
    const point = [x, h, ...names.map((key) => weights[key])];
    const directions = point.map(({ shape }, i) => normal(shape, 20 + i));
    const gradients = grads(loss)(point);
    const slopes = await Promise.all(gradients.map((gradient, i) => read(tidy(() => sum(mul(gradient, directions[i]!))))));

    const [base, along, weight] = [await Promise.all(point.map(read)), await Promise.all(directions.map(read)), await read(dy)];
    const at = (input: number, t: number): number => {
      const moved = base.map((values, i) => (i === input ? values.map((value, j) => value + t * along[i]![j]!) : values));
      const rest = Object.fromEntries(names.map((key, i) => [key, moved[i + 2]!])) as Weights;
      return inDouble(moved[0]!, moved[1]!, rest, 1e-3).reduce((total, value, i) => total + value * weight[i]!, 0);
    };
    point.forEach((_, i) => {
      const numeric = (at(i, 1e-5) - at(i, -1e-5)) / 2e-5;
      expect(Math.abs(slopes[i]![0]! - numeric) / (1 + Math.abs(numeric))).toBeLessThan(1e-4);
    });
  });
});

test.each([
  ['kernel', { kernel: zeros([3, 8]) }, 'kernel has shape [3, 8], expected [3, 12] (inputs, 3 units)'],
  ['gammaX', { gammaX: zeros([4]) }, 'gammaX has shape [4], expected [8] (2 units)'],
  ['betaCandidateH', { betaCandidateH: zeros([8]) }, 'betaCandidateH has shape [8], expected [4] (units)'],
  ['bias', { bias: zeros([8]) }, 'bias has shape [8], expected [12] (3 units)'],
])('refuses a bad %s', async (argument, change, message) => {
  await backend('cpu');
  let error: unknown;
  try {
    layerNormGRUStep(add(zeros([2, 3]), 1), zeros([2, 4]), { ...allWeights(), ...change });
  } catch (thrown) {
    error = thrown;
  }
  expect(isEvenkeelError(error, 'SHAPE') && error.argument).toBe(argument);
  expect((error as Error).message).toBe(`layerNormGRUStep: ${message}`);
});
