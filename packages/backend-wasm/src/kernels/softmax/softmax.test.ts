import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agree, normal } from '../../../test/agree.ts';
import { wasmFeatures } from '../../features.ts';
import { wasm } from '../../plugin.ts';
import { standDown, standIn } from '../index.ts';

afterAll(() => tf.setBackend('cpu'));

const rows = (name: string, inputs: Record<string, tf.Tensor>, attrs = {}): tf.Tensor =>
  tf.engine().runKernel(name, inputs, attrs) as tf.Tensor;

async function close(found: tf.Tensor, wanted: tf.Tensor): Promise<void> {
  expect(found.shape).toEqual(wanted.shape);
  const values = await wanted.data();
  (await found.data()).forEach((value, i) => expect(Math.abs(value - values[i]!)).toBeLessThan(1e-6 * (1 + Math.abs(values[i]!))));
}

const firstDerivative = (x: tf.Tensor): tf.Tensor => tf.grad((a) => tf.sum(tf.square(tf.softmax(a))))(x);

describe.each([false, true])('with relaxed SIMD: %s', (relaxed) => {
  beforeAll(async () => {
    // Node 20 has it behind a flag, which this option sets.
    if (relaxed) wasm({ relaxedSimd: true });
    expect(wasmFeatures().relaxedSimd || !relaxed).toBe(true);
    standDown();
    standIn(relaxed);
    await tf.setBackend('wasm');
  });

  test.each([[[1]], [[3, 1]], [[5, 4]], [[2, 3, 7]], [[4, 16]], [[3, 67]], [[2, 130]]])('softmax of %j and its gradient', async (shape) => {
    const x = await normal(tf.util.arraysEqual(shape, []) ? ([] as unknown as [number]) : (shape as [number]));
    const weights = await normal(shape as [number]);
    const large = tf.mul(x, 30);
    await large.data();
    for (const logits of [x, large]) {
      await agree(() => [tf.softmax(logits)], 1e-6);
      await agree(() => [tf.grad((a) => tf.sum(tf.mul(tf.softmax(a), weights)))(logits)], 1e-6);
    }
  });

  test('the second derivative of softmax, which the kernel of the first does not have', async () => {
    const x = await normal<tf.Rank.R2>([3, 5]);
    await agree(() => [tf.grad((a) => tf.sum(tf.square(firstDerivative(a))))(x)]);
  });

  test('log-softmax, the log of the sum, and the gradient, against what tfjs composes', async () => {
    const x = await normal<tf.Rank.R2>([5, 67]);
    const dy = await normal<tf.Rank.R2>([5, 67]);
    await close(rows('LogSoftmax', { logits: x }, { axis: -1 }), tf.logSoftmax(x));
    await close(rows('EvenkeelLogSumExp', { x }), tf.logSumExp(x, -1));
    const y = tf.softmax(x);
    await close(rows('EvenkeelSoftmaxGrad', { dy, y }), tf.mul(tf.sub(dy, tf.sum(tf.mul(dy, y), -1, true)), y));
  });

  test('what is masked by -1e9 or -Infinity is exactly 0', async () => {
    const y = await tf.softmax(tf.tensor1d([1, -1e9, 1, -Infinity, -200])).data();
    expect([...y]).toEqual([0.5, 0, 0.5, 0, 0]);
  });

  test('NaN and infinities spoil their row only', async () => {
    const x = tf.tensor2d([
      [NaN, 1, 2, 3, 4],
      [1, 2, 3, 4, NaN],
      [1, Infinity, 2, 3, 4],
      [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity],
      [1, 1, 1, 1, 1],
    ]);
    const y = await tf.softmax(x).data();
    expect([...y.subarray(0, 20)].every(Number.isNaN)).toBe(true);
    expect([...y.subarray(20)]).toEqual(Array.from({ length: 5 }, () => Math.fround(0.2)));
    const sums = await rows('EvenkeelLogSumExp', { x }).data();
    expect([...sums.subarray(0, 4)]).toEqual([NaN, NaN, Infinity, -Infinity]);
  });

  test('no rows', async () => {
    expect(tf.softmax(tf.zeros([0, 3])).shape).toEqual([0, 3]);
    expect(tf.softmax(tf.zeros([3, 0])).shape).toEqual([3, 0]);
    expect([...(await rows('EvenkeelLogSumExp', { x: tf.zeros([2, 0]) }).data())]).toEqual([-Infinity, -Infinity]);
  });
});
