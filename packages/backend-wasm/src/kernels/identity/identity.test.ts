import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import '../../../test/agree.ts';
import { standDown, standIn } from '../index.ts';

beforeAll(async () => {
  standDown();
  standIn();
  await tf.setBackend('wasm');
});
afterAll(async () => void (await tf.setBackend('cpu')));

test('a clone shares its values, which live as long as one of the two', async () => {
  const x = tf.tensor1d([1, 2, 3]);
  await x.data();
  const before = tf.backend().numDataIds();
  const y = tf.clone(x);
  const z = tf.engine().runKernel('Identity', { x }) as unknown as tf.Tensor;
  expect(tf.backend().numDataIds()).toBe(before);
  expect(z.dataId).toBe(x.dataId);
  x.dispose();
  y.dispose();
  const product = tf.mul(z, 2);
  expect(Array.from(await product.data())).toEqual([2, 4, 6]);
  tf.dispose([z, product]);
  expect(tf.backend().numDataIds()).toBe(before - 1);
});

test('a variable keeps its value when the tensor that it came from is assigned anew', async () => {
  const start = tf.tensor1d([1, 2]);
  const variable = tf.variable(start);
  const copy = tf.clone(variable);
  variable.assign(tf.tensor1d([3, 4]));
  expect(Array.from(await copy.data())).toEqual([1, 2]);
  expect(Array.from(await start.data())).toEqual([1, 2]);
});
