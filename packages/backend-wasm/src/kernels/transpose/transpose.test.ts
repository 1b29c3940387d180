import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, test } from 'vitest';
import { agree, normal } from '../../../test/agree.ts';
import { standIn } from '../index.ts';

beforeAll(async () => {
  standIn();
  await tf.setBackend('wasm');
});
afterAll(() => tf.setBackend('cpu'));

test.each([
  [
    [5, 7],
    [1, 0],
  ],
  [
    [1, 9],
    [1, 0],
  ],
  [
    [64, 64],
    [1, 0],
  ],
  [
    [67, 35],
    [1, 0],
  ],
  [
    [3, 34, 5],
    [0, 2, 1],
  ],
  [
    [3, 34, 5],
    [2, 0, 1],
  ],
  [
    [3, 34, 5],
    [1, 2, 0],
  ],
  [
    [3, 34, 5],
    [2, 1, 0],
  ],
  [
    [2, 3, 1, 5],
    [3, 2, 0, 1],
  ],
  [
    [2, 3, 4, 5],
    [0, 2, 1, 3],
  ],
  [
    [2, 3, 4, 5],
    [0, 3, 1, 2],
  ],
  [
    [0, 3],
    [1, 0],
  ],
])('%j by %j, float32 and int32', async (shape, perm) => {
  const x = await normal(shape as [number]);
  const integers = tf.cast(tf.mul(x, 1000), 'int32');
  await integers.data();
  await agree(() => [tf.transpose(x, perm), tf.transpose(integers, perm)], 0);
});
