import { backends } from '../../../../tools/test-backends.ts';
import { memory, tensor2d, type Tensor2D } from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError } from '@evenkeel/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { double, matrix, type Matrix } from '../../test/host.ts';
import { localScaling } from '../local-scaling/index.ts';
import { mutualProximity } from '../mutual-proximity/index.ts';
import { csls } from './index.ts';

const upload = ({ values, rows, columns }: Matrix): Tensor2D => tensor2d(Float32Array.from(values), [rows, columns]);

async function run(compute: (s: Tensor2D, p: Tensor2D) => Tensor2D, a: Matrix, b: Matrix): Promise<Float32Array> {
  const before = memory().numTensors;
  const [s, p] = [upload(a), upload(b)];
  const result = compute(s, p);
  const values = (await result.data()) as Float32Array;
  for (const each of [s, p, result]) each.dispose();
  expect(memory().numTensors).toBe(before);
  return values;
}

function near(found: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): void {
  expect(found.length).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    expect(Math.abs(found[i]! - wanted[i]!), `at ${i}: ${found[i]} against ${wanted[i]}`).toBeLessThanOrEqual(
      tolerance * (1 + Math.abs(wanted[i]!)),
    );
  }
}

const [S, P] = [matrix(9, 13, 1), matrix(12, 13, 2)];

/** log of the normal distribution function, by a quadrature of the density in float64. */
function logNormalCdf(z: number): number {
  if (z > 0) return Math.log1p(-Math.exp(logNormalCdf(-z)));
  // With u = z - t the integral is exp(-z^2 / 2) times that of exp(z t - t^2 / 2) over t >= 0.
  const [steps, width] = [4000, 12 / Math.max(1, -z / 4)];
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const t = (width * i) / steps;
    sum += (i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2) * Math.exp(z * t - (t * t) / 2);
  }
  return -(z * z) / 2 - Math.log(2 * Math.PI) / 2 + Math.log((sum * width) / steps / 3);
}

function momentsOf(values: readonly number[]): [number, number] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return [mean, Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)];
}

function doubleProximity(s: Matrix, bank: Matrix): number[] {
  return s.values.map((value, at) => {
    const [i, j] = [Math.floor(at / s.columns), at % s.columns];
    const [rowMean, rowDeviation] = momentsOf(s.values.slice(i * s.columns, (i + 1) * s.columns));
    const [mean, deviation] = momentsOf(bank.values.filter((_, index) => index % s.columns === j));
    return logNormalCdf((value - rowMean) / rowDeviation) + logNormalCdf((value - mean) / deviation);
  });
}

describe.each(backends)('on %s, float32 agrees with float64', (name) => {
  beforeAll(() => backend(name));

  test.each([1, 3, 10, 100])('CSLS, k = %s', async (k) => {
    near(await run((s, p) => csls(s, p, { k }), S, P), double.csls(S, P, k), 1e-6);
  });

  test.each([1, 3, 10, 100])('local scaling, k = %s', async (k) => {
    near(await run((s, p) => localScaling(s, p, { k }), S, P), double.localScaling(S, P, k), 1e-5);
  });

  test('mutual proximity', async () => {
    near(await run((s, p) => mutualProximity(s, p), S, P), doubleProximity(S, P), 1e-5);
  });

  test('mutual proximity far out in a tail stays finite and in order', async () => {
    const bank: Matrix = { rows: 2, columns: 3, values: [0.001, 0.001, 0.001, -0.001, -0.001, -0.001] };
    const scores = await run((s, p) => mutualProximity(s, p), { rows: 1, columns: 3, values: [-0.9, -0.8, 0.9] }, bank);
    expect([...scores].every(Number.isFinite)).toBe(true);
    expect(scores[0]!).toBeLessThan(scores[1]!);
    expect(scores[1]!).toBeLessThan(scores[2]!);
  });

  test('local scaling: what exceeds the largest similarity by rounding has distance 0', async () => {
    const scores = await run(
      (s, p) => localScaling(s, p, { k: 1 }),
      { rows: 1, columns: 2, values: [1 + 1e-6, 0] },
      { rows: 1, columns: 2, values: [1, 0.5] },
    );
    expect(scores[0]! + 0).toBe(0);
    expect(Number.isFinite(scores[1]!)).toBe(true);
  });
});

test.each<[string, string, string, (s: Tensor2D) => unknown]>([
  ['CSLS of k = 0', 'INVALID_ARGUMENT', 'k', (s) => csls(s, s, { k: 0 })],
  ['CSLS of kRow = 1.5', 'INVALID_ARGUMENT', 'kRow', (s) => csls(s, s, { kRow: 1.5 })],
  ['local scaling about 0', 'INVALID_ARGUMENT', 'largest', (s) => localScaling(s, s, { largest: 0 })],
  ['an empty bank', 'INVALID_ARGUMENT', 'queryBank', (s) => mutualProximity(s, tensor2d([], [0, 2]))],
])('%s is refused', async (_, code, argument, call) => {
  await backend('cpu');
  const error = await Promise.resolve(tensor2d([[1, 0]]))
    .then(call)
    .catch((thrown: unknown) => thrown);
  expect(isEvenkeelError(error) && [error.code, error.argument]).toEqual([code, argument]);
});
