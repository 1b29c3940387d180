import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { standDown, standIn } from '../index.ts';
import { wasm } from '../../plugin.ts';
import { wasmFeatures } from '../../features.ts';

afterAll(() => tf.setBackend('cpu'));

/** Index into the batch axes of an operand that is broadcast. */
function outer(shape: number[], at: number[]): number[] {
  return shape.slice(0, -2).map((length, axis) => (length === 1 ? 0 : at[at.length - (shape.length - 2) + axis]!));
}

/** The same product by definition, in double precision. */
function naive(
  a: tf.TensorBuffer<tf.Rank, 'float32'>,
  b: tf.TensorBuffer<tf.Rank, 'float32'>,
  ta: boolean,
  tb: boolean,
  batch: number[],
  m: number,
  n: number,
  k: number,
): number[] {
  const values: number[] = [];
  const size = batch.reduce((x, y) => x * y, 1);
  for (let i = 0; i < size; i++) {
    const at: number[] = [];
    for (let rest = i, axis = batch.length - 1; axis >= 0; axis--) {
      at.unshift(rest % batch[axis]!);
      rest = Math.floor(rest / batch[axis]!);
    }
    for (let r = 0; r < m; r++)
      for (let c = 0; c < n; c++) {
        let sum = 0;
        for (let x = 0; x < k; x++) {
          const [ar, ac] = ta ? [x, r] : [r, x];
          const [br, bc] = tb ? [c, x] : [x, c];
          sum += a.get(...outer(a.shape, at), ar, ac) * b.get(...outer(b.shape, at), br, bc);
        }
        values.push(sum);
      }
  }
  return values;
}

const sizes = [
  [1, 1, 1],
  [1, 40, 7],
  [1, 33, 300],
  [2, 16, 5],
  [3, 37, 19],
  [4, 15, 64],
  [5, 17, 3],
  [16, 16, 16],
  [31, 33, 530],
  [130, 20, 513],
  [7, 100, 1030],
] as const;

describe.each([false, true])('with relaxed SIMD: %s', (relaxed) => {
  beforeAll(async () => {
    // Node 20 has it behind a flag, which this option sets.
    if (relaxed) wasm({ relaxedSimd: true });
    expect(wasmFeatures().relaxedSimd || !relaxed).toBe(true);
    standDown();
    standIn(relaxed);
    await tf.setBackend('wasm');
  });

  for (const ta of [false, true]) {
    for (const tb of [false, true]) {
      test.each(sizes)(`matMul, a ${ta ? 'transposed' : 'plain'}, b ${tb ? 'transposed' : 'plain'}: %i x %i x %i`, async (m, n, k) => {
        const a = tf.randomNormal(ta ? [k, m] : [m, k]);
        const b = tf.randomNormal(tb ? [n, k] : [k, n]);
        const before = tf.backend().numDataIds();
        const y = tf.matMul(a, b, ta, tb);
        expect(tf.backend().numDataIds()).toBe(before + 1);
        const wanted = naive(await a.buffer(), await b.buffer(), ta, tb, [], m, n, k);
        const found = await y.data();
        wanted.forEach((value, i) => expect(Math.abs(found[i]! - value) / (1 + Math.abs(value))).toBeLessThan(2e-6 * (1 + Math.sqrt(k))));
        tf.dispose([a, b, y]);
      });
    }
  }

  test.each([
    [[3, 5, 7], [3, 7, 4], [3]],
    [
      [2, 3, 5, 7],
      [1, 1, 7, 4],
      [2, 3],
    ],
    [
      [2, 1, 5, 7],
      [1, 3, 7, 4],
      [2, 3],
    ],
    [[1, 5, 7], [4, 7, 4], [4]],
  ] as const)('batches of %j and %j', async (left, right, batch) => {
    const a = tf.randomNormal([...left]);
    const b = tf.randomNormal([...right]);
    const y = tf.matMul(a, b);
    expect(y.shape).toEqual([...batch, 5, 4]);
    const wanted = naive(await a.buffer(), await b.buffer(), false, false, [...batch], 5, 4, 7);
    (await y.data()).forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 4));
  });

  test.each(['linear', 'relu', 'relu6', 'leakyrelu', 'elu', 'sigmoid'] as const)('bias and %s, fused', async (activation) => {
    for (const [m, n, k] of [
      [3, 21, 9],
      [20, 18, 600],
    ] as const) {
      const [a, b, bias] = [tf.randomNormal<tf.Rank.R2>([m, k]), tf.randomNormal<tf.Rank.R2>([k, n]), tf.randomNormal([n])];
      const fused = await tf.fused.matMul({ a, b, bias, activation, leakyreluAlpha: 0.3 }).data();
      await Promise.all([a.data(), b.data(), bias.data()]);
      await tf.setBackend('cpu');
      const wanted = await tf.fused.matMul({ a, b, bias, activation, leakyreluAlpha: 0.3 }).data();
      await tf.setBackend('wasm');
      // Sums of 600 products of about 1 that cancel: each order of summing errs by some 1e-5 of its own.
      wanted.forEach((value, i) => expect(Math.abs(fused[i]! - value) / (1 + Math.abs(value))).toBeLessThan(1e-4));
    }
  });

  test('a NaN in a stays in its row', async () => {
    const a = tf.tensor2d([
      [1, NaN],
      [1, 2],
    ]);
    const y = await tf.matMul(a, tf.ones([2, 20])).data();
    expect([...y.subarray(0, 20)].every(Number.isNaN)).toBe(true);
    expect([...y.subarray(20)].every((value) => value === 3)).toBe(true);
  });

  test('empty sides give zeros', async () => {
    expect(tf.matMul(tf.zeros([0, 3]), tf.zeros([3, 4])).shape).toEqual([0, 4]);
    expect([...(await tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 20])).data())]).toEqual(Array.from({ length: 40 }, () => 0));
  });

  test('int32 goes to the kernel of tfjs, which says what it does not do', () => {
    expect(() => tf.matMul(tf.ones([2, 2], 'int32'), tf.ones([2, 2], 'int32'))).toThrow('float32');
  });
});
