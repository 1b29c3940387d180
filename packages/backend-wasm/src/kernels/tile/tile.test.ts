import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, test } from 'vitest';
import { agree, normal } from '../../../test/agree.ts';
import { standDown, standIn } from '../index.ts';

beforeAll(async () => {
  standDown();
  standIn();
  await tf.setBackend('wasm');
});
afterAll(async () => void (await tf.setBackend('cpu')));

test.each([
  [[3], [4]],
  [[1], [37]],
  [
    [3, 1],
    [1, 9],
  ],
  [
    [1, 5],
    [7, 1],
  ],
  [
    [2, 3],
    [3, 5],
  ],
  [
    [2, 1, 4],
    [1, 6, 2],
  ],
  [
    [1, 1, 1, 5],
    [2, 3, 4, 1],
  ],
  [
    [2, 3],
    [1, 1],
  ],
  [
    [2, 3],
    [0, 2],
  ],
  [
    [0, 3],
    [2, 2],
  ],
])('of %j, %j times', async (shape, reps) => {
  const x = await normal(shape as [number, number]);
  await agree(() => [tf.tile(x, reps)]);
  if (!reps.includes(0) && !shape.includes(0)) await agree(() => [tf.grad((t: tf.Tensor) => tf.square(tf.tile(t, reps)))(x)]);
});

test('of int32 and bool', async () => {
  const integers = tf.tensor2d([1, -2, 3, 4, 5, 6], [2, 3], 'int32');
  const bits = tf.tensor2d([1, 0, 1], [3, 1], 'bool');
  await Promise.all([integers.data(), bits.data()]);
  await agree(() => [tf.tile(integers, [2, 3]), tf.tile(bits, [2, 7]), tf.tile(bits, [5, 1])]);
});
