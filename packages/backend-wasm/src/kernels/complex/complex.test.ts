import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agree, normal } from '../../../test/agree.ts';
import { standIn } from '../index.ts';

beforeAll(async () => {
  standIn();
  await tf.setBackend('wasm');
});
afterAll(() => tf.setBackend('cpu'));

const difference = (x: tf.Tensor, y: tf.Tensor): number => Math.max(...tf.abs(tf.sub(x, y)).dataSync());

/** Real parts, then imaginary ones: each backend makes the complex tensors itself. */
type Parts = [tf.Tensor, tf.Tensor];
const parts = async (shape: number[]): Promise<Parts> => [await normal(shape as [number]), await normal(shape as [number])];
const complex = ([real, imaginary]: Parts): tf.Tensor => tf.complex(real, imaginary);

test.each([[[]], [[1]], [[4]], [[7]], [[3, 5]], [[0, 2]]])('complex, real, imag, abs of %j', async (shape) => {
  const x = await parts(shape);
  await agree(() => [complex(x), tf.real(complex(x)), tf.imag(complex(x)), tf.abs(complex(x))]);
});

test('magnitudes neither overflow nor underflow', async () => {
  const y = await tf.abs(tf.complex([3e38, 3e-30, 0], [3e38, 4e-30, 0])).data();
  expect(y[0]).toBe(Infinity);
  expect(y[1]! / 5e-30).toBeCloseTo(1, 5);
  expect(y[2]).toBe(0);
});

test.each([
  [
    [3, 5],
    [3, 5],
  ],
  [[3, 5], [5]],
  [
    [3, 1],
    [1, 4],
  ],
  [[], [2, 3]],
])('sums, differences and products of %j and %j', async (left, right) => {
  const [a, b] = [await parts(left), await parts(right)];
  // cpu reads beyond its arrays where complex numbers are broadcast: the definitions instead.
  for (const [found, real, imaginary] of [
    [tf.add(complex(a), complex(b)), tf.add(a[0], b[0]), tf.add(a[1], b[1])],
    [tf.sub(complex(a), complex(b)), tf.sub(a[0], b[0]), tf.sub(a[1], b[1])],
    [tf.mul(complex(a), b[0]), tf.mul(a[0], b[0]), tf.mul(a[1], b[0])],
    [tf.mul(complex(a), complex(b)), tf.sub(tf.mul(a[0], b[0]), tf.mul(a[1], b[1])), tf.add(tf.mul(a[0], b[1]), tf.mul(a[1], b[0]))],
  ] as const) {
    expect(found.dtype).toBe('complex64');
    expect(difference(tf.real(found), real)).toBeLessThan(1e-6);
    expect(difference(tf.imag(found), imaginary)).toBeLessThan(1e-6);
  }
});

test('casts, zeros, ones, shapes', async () => {
  const x = await parts([2, 6]);
  const integers = tf.tensor1d([1, 2], 'int32');
  await integers.data();
  await agree(() => [
    tf.cast(x[0], 'complex64'),
    tf.cast(integers, 'complex64'),
    tf.cast(complex(x), 'float32'),
    tf.zerosLike(complex(x)),
    tf.onesLike(complex(x)),
    tf.reshape(complex(x), [3, 4]),
    tf.concat([complex(x), complex(x)], -1),
    tf.clone(complex(x)),
  ]);
});

test('what moves elements moves both parts', async () => {
  const x = await parts([2, 3, 4]);
  const apart = (op: (each: tf.Tensor) => tf.Tensor): tf.Tensor => tf.complex(op(x[0]), op(x[1]));
  const ops: ((each: tf.Tensor) => tf.Tensor)[] = [
    (each) => tf.transpose(each, [2, 0, 1]),
    (each) => tf.slice(each, [0, 1, 1], [2, 2, 3]),
    (each) => tf.tile(each, [1, 2, 3]),
    (each) => tf.reverse(each, -1),
    (each) => tf.stack([each, each], -1),
    (each) => tf.gather(each, tf.tensor1d([2, 0], 'int32'), 1),
  ];
  for (const [i, op] of ops.entries()) {
    const [found, wanted] = [op(complex(x)), apart(op)];
    expect(found.shape).toEqual(wanted.shape);
    expect(await found.data(), `op ${i}`).toEqual(await wanted.data());
  }
});
