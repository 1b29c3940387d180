// The heap: it grows in the middle of a kernel, it is full, and the backend works on.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@evenkeel/core/register-gradients';
import { backend, isEvenkeelError, use, type EvenkeelError } from '@evenkeel/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { wasm } from './plugin.ts';
import { memoryOf, type Heap } from './tfjs.ts';

const heap = (): Heap => tf.engine().backend as Heap;
const size = (): number => memoryOf('test', heap()).buffer.byteLength;

function failure(action: () => unknown): EvenkeelError {
  try {
    action();
  } catch (error) {
    if (isEvenkeelError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

beforeAll(async () => {
  use(wasm());
  await backend('wasm');
});
afterAll(async () => void (await tf.setBackend('cpu')));

const gradients = (x: tf.Tensor4D, filter: tf.Tensor4D): tf.Tensor[] =>
  tf.grads((a, b) => tf.sum(tf.square(tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, 'same'))))([x, filter]);

test.each([
  ['a convolution and its gradients', gradients],
  [
    'a depthwise one, of channels that are filled up',
    (x: tf.Tensor4D, filter: tf.Tensor4D) => {
      const own = tf.reshape(tf.slice(filter, 0, [3, 3, 3, 1]), [3, 3, 3, 1]) as tf.Tensor4D;
      return tf.grads((a, b) => tf.sum(tf.square(tf.depthwiseConv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, 'same'))))([x, own]);
    },
  ],
  ['products', (x: tf.Tensor4D) => [tf.matMul(tf.reshape(x, [800, 12]), tf.reshape(x, [800, 12]), false, true)]],
])('%s while the heap grows', async (_, compute) => {
  const x = tf.randomNormal<tf.Rank.R4>([2, 40, 40, 3]);
  const filter = tf.randomNormal<tf.Rank.R4>([3, 3, 3, 5]);
  const calm = await Promise.all(tf.tidy(() => compute(x, filter)).map((each) => each.data()));
  // The heap is filled to its last pages, so that the kernel's own allocations make it grow.
  const held: tf.TensorInfo[] = [];
  const before = size();
  while (size() === before) held.push(heap().makeOutput([16384], 'float32'));
  const rest = size() - before - 2 * 65536;
  held.push(heap().makeOutput([Math.floor(rest / 4)], 'float32'));
  const start = size();
  const grown = await Promise.all(tf.tidy(() => compute(x, filter)).map((each) => each.data()));
  expect(size()).toBeGreaterThan(start);
  for (const { dataId } of held) heap().disposeData(dataId);
  expect(grown).toEqual(calm);
});

test('a result for which there is no room is an error that says how much it wanted, of our kernels and of those of tfjs', async () => {
  const [column, row] = [tf.zeros([20000, 1]), tf.zeros([1, 20000])];
  const before = heap().numDataIds();
  const held: tf.Tensor[] = [];
  const error = failure(() => {
    for (;;) held.push(tf.floorDiv(column, row));
  });
  expect(held).toHaveLength(2);
  expect(error.code).toBe('OUT_OF_MEMORY');
  expect(error.message).toContain('no room on the WASM heap for a tensor [20000, 20000], 1600000000 bytes');
  const ours = failure(() => tf.tidy(() => tf.matMul(column, row)));
  expect(ours.message).toContain('BatchMatMul: no room on the WASM heap for output [20000, 20000], 1600000000 bytes');
  tf.dispose(held);
  expect(heap().numDataIds()).toBe(before);
  const [a, b] = [tf.tensor2d([1, 2], [2, 1]), tf.tensor2d([3, 4], [1, 2])];
  expect([...(await tf.matMul(a, b).data()), ...(await tf.add(a, b).data())]).toEqual([3, 4, 6, 8, 4, 5, 5, 6]);
});

test('a tensor that 32 bits cannot address', () => {
  expect(failure(() => heap().makeOutput([2 ** 30 + 16], 'float32')).message).toContain('4294967360 bytes');
});
