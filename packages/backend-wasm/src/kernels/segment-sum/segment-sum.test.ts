import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agree, normal } from '../../../test/agree.ts';
import { standIn } from '../index.ts';

beforeAll(async () => {
  standIn();
  await tf.setBackend('wasm');
});
afterAll(() => tf.setBackend('cpu'));

test.each([
  { shape: [5], ids: [0, 2, 0, 1, 2], segments: 3 },
  { shape: [5, 7], ids: [4, -1, 4, 9, 0], segments: 5 },
  { shape: [3, 2, 9], ids: [1, 1, 1], segments: 2 },
  { shape: [1, 16], ids: [0], segments: 1 },
])('$shape by $ids', async ({ shape, ids, segments }) => {
  const x = await normal(shape as [number]);
  const segmentIds = tf.tensor1d(ids, 'int32');
  await segmentIds.data();
  await agree(() => [tf.unsortedSegmentSum(x, segmentIds, segments)]);
  const known = tf.tensor1d(
    ids.map((id) => Math.min(id, segments - 1)),
    'int32',
  );
  await known.data();
  await agree(() => [tf.grad((a) => tf.sum(tf.square(tf.unsortedSegmentSum(a, known, segments))))(x)]);
});

test('int32 stays int32', async () => {
  const y = tf.unsortedSegmentSum(tf.tensor1d([2 ** 30, 5, 2 ** 29], 'int32'), tf.tensor1d([0, 1, 0], 'int32'), 2);
  expect(y.dtype).toBe('int32');
  expect([...(await y.data())]).toEqual([2 ** 30 + 2 ** 29, 5]);
});

test('a NaN stays in its segment (on cpu, which multiplies by masks, it reaches all)', async () => {
  const y = tf.unsortedSegmentSum(tf.tensor1d([NaN, 1, 2]), tf.tensor1d([0, 1, 1], 'int32'), 2);
  expect([...(await y.data())]).toEqual([NaN, 3]);
});

test('no rows, no segments, no columns', async () => {
  const ids = tf.tensor1d([], 'int32');
  expect([...(await tf.unsortedSegmentSum(tf.zeros([0, 2]), ids, 2).data())]).toEqual([0, 0, 0, 0]);
  expect(tf.unsortedSegmentSum(tf.zeros([1, 0]), tf.tensor1d([0], 'int32'), 2).shape).toEqual([2, 0]);
});

test.each([0, 1, -1])('the gradient of gather along axis %i', async (axis) => {
  const x = await normal<tf.Rank.R3>([4, 5, 4]);
  const indices = tf.tensor1d([3, 0, 3, 2], 'int32');
  await indices.data();
  await agree(() => [tf.grad((a) => tf.sum(tf.square(tf.gather(a, indices, axis))))(x)]);
});
