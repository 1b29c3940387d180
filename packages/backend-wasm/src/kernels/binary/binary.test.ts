import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agree, normal } from '../../../test/agree.ts';
import { standIn } from '../index.ts';

beforeAll(async () => {
  standIn();
  await tf.setBackend('wasm');
});
afterAll(() => tf.setBackend('cpu'));

const functions = {
  add: tf.add,
  sub: tf.sub,
  mul: tf.mul,
  div: tf.div,
  squaredDifference: tf.squaredDifference,
  maximum: tf.maximum,
  minimum: tf.minimum,
  equal: tf.equal,
  notEqual: tf.notEqual,
  greater: tf.greater,
  greaterEqual: tf.greaterEqual,
  less: tf.less,
  lessEqual: tf.lessEqual,
};

const shapes: [number[], number[]][] = [
  [[], []],
  [[1], [67]],
  [[70], [1]],
  [[70], [70]],
  [[5, 19], [19]],
  [
    [5, 1],
    [5, 35],
  ],
  [
    [5, 1],
    [1, 33],
  ],
  [
    [2, 1, 3, 1, 17],
    [4, 1, 2, 1],
  ],
  [
    [2, 3, 1],
    [2, 3, 4],
  ],
  [
    [0, 3],
    [1, 3],
  ],
];

test.each(Object.entries(functions))('%s of shapes of all kinds', async (_, op) => {
  for (const [left, right] of shapes) {
    const [a, b] = [tf.round(await normal(left as [number])), tf.round(await normal(right as [number]))];
    await Promise.all([a.data(), b.data()]);
    await agree(() => [op(a, b)], 0);
  }
});

test.each(Object.entries(functions))('%s of NaN and infinities', async (_, op) => {
  const special = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 3];
  const [a, b] = [tf.tensor1d(special.flatMap((x) => special.map(() => x))), tf.tensor1d(special.flatMap(() => special))];
  await Promise.all([a.data(), b.data()]);
  await agree(() => [op(a, b)], 0);
});

test('shapes that do not fit are an error', () => {
  expect(() => tf.maximum(tf.ones([2, 3]), tf.ones([2, 4]))).toThrow('could not be broadcast');
});

test.each(['float32', 'int32'] as const)('selection of %s', async (dtype) => {
  for (const n of [0, 1, 3, 4, 33]) {
    const condition = tf.tensor1d(
      Array.from({ length: n }, (_, i) => (i % 3 === 0 ? 1 : 0)),
      'bool',
    );
    const [t, e] = [tf.range(0, n, 1, dtype), tf.range(100, 100 + n, 1, dtype)];
    await Promise.all([condition.data(), t.data(), e.data()]);
    await agree(() => [tf.where(condition, t, e)], 0);
  }
});
