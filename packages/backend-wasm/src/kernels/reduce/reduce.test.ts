import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agree, normal } from '../../../test/agree.ts';
import { standDown, standIn } from '../index.ts';

beforeAll(async () => {
  standDown();
  standIn();
  await tf.setBackend('wasm');
});
afterAll(async () => void (await tf.setBackend('cpu')));

const functions = { sum: tf.sum, mean: tf.mean, max: tf.max, min: tf.min };

const cases: readonly (readonly [shape: number[], axes: number[] | undefined])[] = [
  [[7], undefined],
  [[1], [0]],
  [[], undefined],
  [[5, 67], [1]],
  [[5, 67], [0]],
  [[300, 19], [0]],
  [[3, 700, 5], [1]],
  [
    [2, 9, 9, 16],
    [1, 2],
  ],
  [
    [2, 9, 9, 33],
    [0, 1, 2],
  ],
  [
    [2, 12, 4, 6],
    [1, 3],
  ],
  [
    [4, 3, 5, 2],
    [0, 2],
  ],
  [[3, 1, 5], [1]],
  [[3, 4, 5], undefined],
  [[3, 4, 5], [-1]],
];

describe.each(Object.entries(functions))('%s', (name, reduce) => {
  test.each(cases)('of %j over %j', async (shape, axes) => {
    const x = await normal(shape as [number]);
    await agree(() => [reduce(x, axes), reduce(x, axes, true)]);
  });

  test('of negative values, infinities and NaN', async () => {
    const x = tf.tensor2d([-3, -1, -2, -Infinity, -5, -7, Number.NaN, 1, 2, 3, Infinity, -1, -1, -1, -1, Number.NaN, 0, 1], [3, 6]);
    await x.data();
    await agree(() => [reduce(x, 0), reduce(x, 1)]);
  });

  test('its gradient', async () => {
    const x = await normal([3, 5, 4]);
    await agree(() => [tf.grad((t: tf.Tensor) => tf.square(reduce(t, [0, 2])))(x)]);
  });

  test('of int32, as tfjs does it', async () => {
    const x = tf.tensor2d([1, -2, 3, 4, 5, -6], [2, 3], 'int32');
    await x.data();
    await agree(() => [reduce(x, 0), reduce(x, 1)]);
    expect(reduce(x, 0).dtype).toBe(name === 'mean' ? 'float32' : 'int32');
  });
});

test('sums of nothing are zero, and their means are no number', async () => {
  const x = tf.zeros([0, 3]);
  expect(Array.from(await tf.sum(x, 0).data())).toEqual([0, 0, 0]);
  expect(Array.from(await tf.mean(x, 0).data())).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  expect(tf.sum(x, 1).shape).toEqual([0]);
  expect(Array.from(await tf.sum(tf.zeros([3, 0]), 1).data())).toEqual([0, 0, 0]);
});

test('a sum over many values keeps its places', async () => {
  const count = 2_000_000;
  const values = Float32Array.from({ length: count }, (_, i) => 1 + Math.sin(i) / 2);
  const exact = values.reduce((sum, value) => sum + value, 0);
  const row = (await tf.sum(tf.tensor1d(values)).data())[0]!;
  const columns = await tf.sum(tf.tensor2d(values, [count / 4, 4]), 0).data<'float32'>();
  expect(Math.abs(row / exact - 1)).toBeLessThan(1e-6);
  expect(Math.abs(columns.reduce((sum, value) => sum + value, 0) / exact - 1)).toBeLessThan(1e-6);
});
