import * as tf from '@tensorflow/tfjs-core';
import { isEvenkeelError } from '@evenkeel/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agree, normal } from '../test/agree.ts';
import { l2Norm, logSumExp, moments } from './functions.ts';
import { standIn } from './kernels/index.ts';

beforeAll(async () => {
  standIn();
  await tf.setBackend('wasm');
});
afterAll(() => tf.setBackend('cpu'));

const shapes: [number[], number | number[] | undefined][] = [
  [[7], undefined],
  [[1], 0],
  [[5, 67], -1],
  [[5, 67], 0],
  [[300, 19], 0],
  [
    [2, 9, 8, 33],
    [0, 1, 2],
  ],
  [
    [2, 9, 8, 3],
    [1, 2],
  ],
  [
    [2, 3, 4, 5],
    [0, 2],
  ],
  [[3, 2100], 1],
];

describe.each([false, true])('keepDims %s', (keepDims) => {
  test.each(shapes)('moments, logSumExp and l2Norm of %j over %j, with their gradients, as on cpu', async (shape, axis) => {
    const x = await normal(shape as [number]);
    await agree(() => Object.values(moments(x, axis, keepDims)));
    await agree(() => [logSumExp(x, axis, keepDims), l2Norm(x, axis, keepDims)]);
    const weights = await normal(l2Norm(x, axis, keepDims).shape as [number]);
    const weighed = (y: tf.Tensor): tf.Scalar => tf.sum(tf.mul(y, weights));
    await agree(
      () => [tf.grad((a) => weighed(moments(a, axis, keepDims).mean))(x), tf.grad((a) => weighed(moments(a, axis, keepDims).variance))(x)],
      2e-6,
    );
    await agree(
      () => [tf.grad((a) => weighed(logSumExp(a, axis, keepDims)))(x), tf.grad((a) => weighed(l2Norm(a, axis, keepDims)))(x)],
      2e-6,
    );
  });
});

function loss(x: tf.Tensor): tf.Scalar {
  const { mean, variance } = moments(x, 1);
  return tf.sum(tf.mul(tf.square(mean), variance));
}

test('the gradient of both moments at once, and a second derivative', async () => {
  const x = await normal<tf.Rank.R2>([4, 9]);
  await agree(() => [tf.grad(loss)(x)]);
  await agree(() => [tf.grad((a) => tf.sum(tf.square(tf.grad(loss)(a))))(x)]);
});

test('a variance beside a large mean, where the sum of squares would drown it', async () => {
  const x = tf.tensor2d(
    Array.from({ length: 4000 }, (_, i) => 10000 + (i % 2)),
    [2000, 2],
  );
  for (const axis of [undefined, 0, 1]) {
    const { mean, variance } = moments(axis === 1 ? tf.reshape(x, [2, 2000]) : x, axis);
    const expected = axis === 0 ? 0 : 0.25;
    (await variance.data()).forEach((value) => expect(value).toBeCloseTo(expected, 6));
    (await mean.data()).forEach((value) => expect(Math.abs(value - 10000.5)).toBeLessThan(0.51));
  }
});

test('NaN and infinities stay in their row or column', async () => {
  const x = tf.tensor2d([1, NaN, 3, 4, 5, Infinity], [3, 2]);
  const { mean, variance } = moments(x, 0);
  expect([...(await mean.data()), ...(await variance.data())].map(Number.isNaN)).toEqual([false, true, false, true]);
  expect([...(await moments(x, 1).mean.data())]).toEqual([NaN, 3.5, Infinity]);
  expect([...(await l2Norm(x, 1).data())]).toEqual([NaN, 5, Infinity]);
});

test('norms whose squares overflow or vanish', async () => {
  const y = await l2Norm(tf.tensor2d([3e30, 4e30, 3e-30, 4e-30, 0, 0], [3, 2]), 1).data();
  [5e30, 5e-30, 0].forEach((value, i) => expect(Math.abs(y[i]! - value)).toBeLessThanOrEqual(1e-6 * value));
});

test('the gradient of a norm of 0 is 0', async () => {
  expect([
    ...(await tf
      .grad((x) => l2Norm(x))(tf.zeros([3]))
      .data()),
  ]).toEqual([0, 0, 0]);
});

test('integers are taken as floats', async () => {
  expect((await moments(tf.tensor1d([1, 2, 6], 'int32')).mean.data())[0]).toBe(3);
});

test.each([
  [() => moments(tf.ones([2, 3]), 2), 'INVALID_ARGUMENT', 'moments: axis is 2, expected integers from -2 to 1'],
  [() => logSumExp(tf.ones([2, 3]), [0, -2]), 'INVALID_ARGUMENT', 'logSumExp: axis is [0, -2], expected no axis twice'],
  [() => l2Norm(tf.ones([2, 0]), 1), 'SHAPE', 'l2Norm: x has shape [2, 0], expected axes [1] to hold something'],
])('%s says what is wrong', (call, code, message) => {
  let error: unknown;
  try {
    call();
  } catch (caught) {
    error = caught;
  }
  expect(isEvenkeelError(error) && error.code).toBe(code);
  expect((error as Error).message).toContain(message);
});
