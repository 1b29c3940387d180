import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@evenkeel/core/register-gradients';
import { isEvenkeelError } from '@evenkeel/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { standIn } from './kernels/index.ts';
import { addressOf, type Heap } from './tfjs.ts';
import { adamUpdate, momentumUpdate } from './updates.ts';

afterAll(() => tf.setBackend('cpu'));

/** Reproducible, different for each seed. */
const numbers = (n: number, seed: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898 + seed * 78.233));

const variable = (values: Float32Array): tf.Variable => tf.tidy(() => tf.variable(tf.tensor1d(values)));

const address = ({ dataId }: tf.Tensor): number => addressOf(tf.engine().backend as Heap, dataId);

function failing(call: () => void): string {
  try {
    call();
  } catch (error) {
    if (isEvenkeelError(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'nothing';
}

describe.each(['wasm', 'cpu'])('on %s', (backend) => {
  beforeAll(async () => {
    standIn();
    await tf.setBackend(backend);
  });

  test.each([1, 3, 4, 30])('adam of %i parameters follows the optimizer of tfjs', async (n) => {
    const theirs = variable(numbers(n, 1));
    const ours = variable(numbers(n, 1));
    const [m, v] = [variable(new Float32Array(n)), variable(new Float32Array(n))];
    const optimizer = tf.train.adam(0.05);
    for (let step = 1; step <= 10; step++) {
      const gradient = tf.tensor1d(numbers(n, step + 1));
      optimizer.applyGradients([{ name: theirs.name, tensor: gradient }]);
      adamUpdate(ours, gradient, m, v, { learningRate: 0.05, step });
    }
    const wanted = await theirs.data();
    (await ours.data()).forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 5));
  });

  test('adam has 1 - beta2 to all digits of float32', async () => {
    const [ours, m, v] = [variable(numbers(6, 1)), variable(new Float32Array(6)), variable(new Float32Array(6))];
    adamUpdate(ours, tf.tensor1d(numbers(6, 2)), m, v, { learningRate: 0.05, step: 1, beta2: 0.999 });
    const ratios = [...(await v.data())].map((value, i) => value / (0.001 * numbers(6, 2)[i]! ** 2));
    for (const ratio of ratios) expect(Math.abs(ratio - 1)).toBeLessThan(1e-6);
  });

  test.each([false, true])('momentum follows the optimizer of tfjs, nesterov %s', async (nesterov) => {
    const theirs = variable(numbers(7, 1));
    const ours = variable(numbers(7, 1));
    const velocity = variable(new Float32Array(7));
    const optimizer = tf.train.momentum(0.1, 0.8, nesterov);
    for (let step = 1; step <= 10; step++) {
      const gradient = tf.tensor1d(numbers(7, step + 1));
      optimizer.applyGradients([{ name: theirs.name, tensor: gradient }]);
      momentumUpdate(ours, gradient, velocity, { learningRate: 0.1, momentum: 0.8, nesterov });
    }
    const wanted = await theirs.data();
    (await ours.data()).forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 5));
  });

  test('weight decay: decoupled in adam, part of the gradient in momentum', async () => {
    const zero = tf.zeros([5]);
    const [a, b] = [variable(new Float32Array(5).fill(2)), variable(new Float32Array(5).fill(2))];
    const state = [1, 2, 3].map(() => variable(new Float32Array(5))) as [tf.Variable, tf.Variable, tf.Variable];
    adamUpdate(a, zero, state[0], state[1], { learningRate: 0.1, step: 1, weightDecay: 0.5 });
    momentumUpdate(b, zero, state[2], { learningRate: 0.1, weightDecay: 0.5 });
    for (const each of [a, b]) (await each.data()).forEach((value) => expect(value).toBeCloseTo(1.9, 6));
    (await state[2].data()).forEach((value) => expect(value).toBeCloseTo(1, 6));
  });

  test('what shares the values does not change with them', async () => {
    const initial = tf.tensor1d([1, 2, 3]);
    const value = tf.variable(initial);
    const copy = tf.clone(value);
    const [m, v] = [variable(new Float32Array(3)), variable(new Float32Array(3))];
    adamUpdate(value, tf.ones([3]), m, v, { learningRate: 0.1, step: 1 });
    expect([...(await initial.data())]).toEqual([1, 2, 3]);
    expect([...(await copy.data())]).toEqual([1, 2, 3]);
    (await value.data()).forEach((each, i) => expect(each).toBeCloseTo(i + 0.9, 5));
  });

  test('leaves nothing behind', () => {
    const [value, gradient, m, v] = [
      variable(numbers(9, 1)),
      tf.tensor1d(numbers(9, 2)),
      variable(new Float32Array(9)),
      variable(new Float32Array(9)),
    ];
    const before = [tf.memory().numTensors, tf.backend().numDataIds()];
    adamUpdate(value, gradient, m, v, { learningRate: 0.1, step: 1 });
    momentumUpdate(value, gradient, m, { learningRate: 0.1, nesterov: true, weightDecay: 0.1 });
    expect([tf.memory().numTensors, tf.backend().numDataIds()]).toEqual(before);
  });

  test('says what is wrong before anything changes', async () => {
    const value = variable(numbers(3, 1));
    const [m, v] = [variable(new Float32Array(3)), variable(new Float32Array(3))];
    const options = { learningRate: 0.1, step: 1 };
    expect(failing(() => adamUpdate(value, tf.ones([4]), m, v, options))).toContain(
      'SHAPE adamUpdate: gradient has shape [4], expected [3]',
    );
    expect(failing(() => adamUpdate(value, tf.ones([3], 'int32'), m, v, options))).toContain('DTYPE adamUpdate: gradient is int32');
    expect(failing(() => adamUpdate(value, tf.ones([3]), m, v, { ...options, step: 0 }))).toContain('INVALID_ARGUMENT adamUpdate: step');
    expect(failing(() => momentumUpdate(value, tf.ones([3]), v, { learningRate: NaN }))).toContain(
      'INVALID_ARGUMENT momentumUpdate: learningRate',
    );
    expect([...(await value.data()), ...(await m.data())]).toEqual([...numbers(3, 1), 0, 0, 0]);
  });
});

test('on wasm values are updated where they lie', async () => {
  await tf.setBackend('wasm');
  const [value, m, v] = [variable(numbers(9, 1)), variable(new Float32Array(9)), variable(new Float32Array(9))];
  const before = [value, m, v].map(address);
  adamUpdate(value, tf.ones([9]), m, v, { learningRate: 0.1, step: 1 });
  expect([value, m, v].map(address)).toEqual(before);
});
