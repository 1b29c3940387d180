import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@evenkeel/core/register-gradients';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { standIn } from '../index.ts';

beforeAll(async () => {
  standIn();
  await tf.setBackend('wasm');
});
afterAll(() => tf.setBackend('cpu'));

/** The same computation on wasm and on cpu. Where windows overlap, gradients are added in another order. */
async function same(compute: () => tf.Tensor[]): Promise<void> {
  tf.dispose(tf.tidy(compute));
  const before = tf.backend().numDataIds();
  const ours = tf.tidy(compute);
  expect(tf.backend().numDataIds()).toBe(before + ours.length);
  const found = await Promise.all(ours.map((each) => each.data()));
  await tf.setBackend('cpu');
  const wanted = await Promise.all(tf.tidy(compute).map((each) => each.data()));
  await tf.setBackend('wasm');
  wanted.forEach((values, i) => {
    expect(found[i]!.length).toBe(values.length);
    values.forEach((value, at) => expect(found[i]![at]).toBeCloseTo(value, 5));
  });
}

/** A window of nothing but negative numbers: tfjs' kernels start their search at the smallest positive float, and find 1e-38. */
const negative = <R extends tf.Rank>(shape: number[]): tf.Tensor<R> =>
  tf.sub(tf.neg(tf.abs(tf.randomNormal<R>(shape as tf.ShapeMap[R]))), 3);

const shapes2d = [
  { shape: [2, 6, 6, 3], size: 2, strides: 2, pad: 'valid' as const },
  { shape: [1, 7, 5, 4], size: [3, 2] as [number, number], strides: [2, 1] as [number, number], pad: 'same' as const },
  { shape: [2, 5, 6, 9], size: 3, strides: 1, pad: 'same' as const },
];

test.each(shapes2d)('the gradient of maxPool: $shape, window $size, all negative', async ({ shape, size, strides, pad }) => {
  const x = negative<tf.Rank.R4>(shape);
  const weights = tf.randomNormal(tf.maxPool(x, size, strides, pad).shape);
  await Promise.all([x.data(), weights.data()]);
  await same(() => [tf.grad((a) => tf.sum(tf.mul(tf.maxPool(a as tf.Tensor4D, size, strides, pad), weights)))(x)]);
});

test.each(shapes2d)('maxPoolWithArgmax: $shape, window $size, all negative', async ({ shape, size, strides, pad }) => {
  const x = negative<tf.Rank.R4>(shape);
  await x.data();
  for (const includeBatch of [false, true]) {
    await same(() => {
      const { result, indexes } = tf.maxPoolWithArgmax(x, size, strides, pad, includeBatch);
      return [result!, indexes!];
    });
  }
});

test.each([
  { shape: [2, 4, 4, 4, 3], size: 2, strides: 2, pad: 'valid' as const },
  { shape: [1, 3, 5, 4, 6], size: [2, 3, 3] as [number, number, number], strides: 1, pad: 'same' as const },
])('maxPool3d and its gradient: $shape, window $size, all negative', async ({ shape, size, strides, pad }) => {
  const x = negative<tf.Rank.R5>(shape);
  const weights = tf.randomNormal(tf.maxPool3d(x, size, strides, pad).shape);
  await Promise.all([x.data(), weights.data()]);
  await same(() => [tf.maxPool3d(x, size, strides, pad)]);
  await same(() => [tf.grad((a) => tf.sum(tf.mul(tf.maxPool3d(a as tf.Tensor5D, size, strides, pad), weights)))(x)]);
});

test('the gradient of maxPool3d with a window higher than wide, where the cpu backend mistakes one for the other', async () => {
  const x = tf.tensor5d([1, 5, 2, 9, 3, 4, 8, 7, 6, 0, 1, 2], [1, 1, 4, 3, 1]);
  const dx = tf.grad((a) =>
    tf.sum(tf.mul(tf.maxPool3d(a as tf.Tensor5D, [1, 3, 2], 1, 'valid'), tf.tensor5d([1, 10, 100, 1000], [1, 1, 2, 2, 1]))),
  )(x);
  // Windows by rows and columns from (0, 0), (0, 1), (1, 0), (1, 1): their maxima are 9, 7, 9, 7.
  expect([...(await dx.data())]).toEqual([0, 0, 0, 101, 0, 0, 0, 1010, 0, 0, 0, 0]);
});

test('equal values give the gradient to the first, a NaN to nobody', async () => {
  const x = tf.tensor4d([1, 1, 1, 1, NaN, 2, 0, NaN], [1, 2, 4, 1]);
  await x.data();
  await same(() => [tf.grad((a) => tf.sum(tf.maxPool(a as tf.Tensor4D, 2, 2, 'valid')))(x)]);
});
