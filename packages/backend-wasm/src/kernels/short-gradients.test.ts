import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agree, normal } from '../../test/agree.ts';
import { standDown, standIn } from './index.ts';

beforeAll(async () => {
  standIn();
  await tf.setBackend('wasm');
});
afterAll(() => tf.setBackend('cpu'));

/** Kernels that `compute` runs, by name. */
async function kernelsOf(compute: () => tf.Tensor): Promise<string[]> {
  const { kernelNames, result } = (await tf.profile(compute as never)) as unknown as { kernelNames: string[]; result: tf.Tensor };
  result.dispose();
  return kernelNames;
}

const functions: Record<string, (x: tf.Tensor) => tf.Tensor> = {
  tanh: tf.tanh,
  sigmoid: tf.sigmoid,
  relu: tf.relu,
  relu6: tf.relu6,
  clip: (x) => tf.clipByValue(x, -0.5, 0.7),
  square: tf.square,
  softmax: (x) => tf.softmax(x),
  sum: (x) => tf.sum(x, 0),
  'sum of all': (x) => tf.sum(x),
  'mean of the middle': (x) => tf.mean(x, 1, true),
  reshape: (x) => tf.reshape(x, [-1, 2]),
  'itself twice': (x) => tf.add(x, x),
  'itself times itself': (x) => tf.mul(x, x),
  'itself less itself': (x) => tf.sub(x, tf.mul(x, 2)),
};

/** The sum of squares, each with a weight of its own. */
const loss = (y: tf.Tensor): tf.Scalar => tf.sum(tf.mul(tf.square(y), tf.cos(tf.reshape(tf.range(0, y.size), y.shape))));

test.each(Object.entries(functions))('%s: the gradient is that of cpu', async (_, compute) => {
  const x = await normal<tf.Rank.R3>([3, 4, 2]);
  await agree(() => [tf.grad((a) => loss(compute(a)))(x)], 1e-6);
});

// tfjs has no second derivative of the two that compare.
test.each(Object.entries(functions).filter(([name]) => name !== 'relu6' && name !== 'clip'))(
  '%s: so is the second one, which the kernels do not have',
  async (_, compute) => {
    const x = await normal<tf.Rank.R3>([3, 4, 2]);
    await agree(() => [tf.grad((a) => tf.sum(tf.square(tf.grad((b) => loss(compute(b)))(a))))(x)], 1e-5);
  },
);

test.each([
  [[5], [3, 5]],
  [
    [3, 1],
    [1, 5],
  ],
  [[], [2, 3]],
  [[2, 3], []],
  [
    [1, 3, 1],
    [2, 3, 4],
  ],
])('operands %j and %j that are broadcast', async (left, right) => {
  const [a, b] = [await normal(left as never), await normal(right as never)];
  for (const op of [tf.add, tf.sub, tf.mul]) {
    await agree(() => tf.grads((p, q) => tf.sum(tf.square(op(p, q))))([a, b]), 1e-5);
  }
});

test('a gradient is a tensor of its own: what the app gave stays', async () => {
  const [x, dy] = [await normal([6]), await normal([6])];
  for (const compute of [(a: tf.Tensor) => tf.add(a, 1), (a: tf.Tensor) => tf.reshape(tf.reshape(a, [2, 3]), [6])]) {
    const dx = tf.grad(compute)(x, dy);
    expect(await dx.data()).toEqual(await dy.data());
    dx.dispose();
    expect([...(await dy.data())]).toHaveLength(6);
  }
});

test('NaN and infinities go where the formulas let them', async () => {
  const values = [NaN, Infinity, -Infinity, 0, -0, 1, 7];
  const [x, dy] = [tf.tensor1d(values), tf.tensor1d(values.toReversed())];
  await tf.tidy(() => tf.add(x, dy)).data();
  for (const compute of [tf.tanh, tf.sigmoid, tf.relu, tf.relu6, tf.square, functions['clip']!]) {
    await agree(() => [tf.grad(compute as (a: tf.Tensor) => tf.Tensor)(x, dy)]);
  }
});

test('each takes one kernel, and tfjs takes its own where ours is turned off', async () => {
  const x = await normal([8]);
  const gradient = (): tf.Tensor => tf.grad((a) => tf.tanh(a))(x, x);
  expect((await kernelsOf(gradient)).filter((name) => name.startsWith('Evenkeel'))).toEqual(['EvenkeelDerivative']);
  expect(await kernelsOf(gradient)).not.toContain('Square');
  standIn(false, [], new Set(['EvenkeelDerivative']));
  expect(await kernelsOf(gradient)).toContain('Square');
  await agree(() => [gradient()], 1e-6);
  standDown();
  standIn();
});
