import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@evenkeel/core/register-gradients';
import { backend, inspect } from '@evenkeel/core';
import { expect, test } from 'vitest';
import { rmsNorm } from './index.ts';

test('forward, gradient, second order', async () => {
  await backend('cpu');
  const x = tf.tensor2d([
    [3, 4],
    [1, 2],
  ]);
  const gamma = tf.tensor1d([1, 2]);
  const y = rmsNorm(x, gamma);
  expect(y.arraySync()).toEqual([
    [expect.closeTo(0.8485), expect.closeTo(2.2627)],
    [expect.closeTo(0.6325), expect.closeTo(2.5298)],
  ]);
  const [dx, dgamma] = tf.grads((a: tf.Tensor, b: tf.Tensor) => rmsNorm(a, b))([x, gamma]);
  dx!.print();
  dgamma!.print();
  const h = tf.grad((a) => tf.sum(tf.square(tf.grad((b) => rmsNorm(b, gamma))(a))))(x);
  h.print();
  expect(() => rmsNorm(x, tf.ones([3]))).toThrow('RMSNorm: gamma has shape [3], expected [2]: n = 2, as in x');
  console.log(inspect());
});
