import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@evenkeel/core/register-gradients';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { standDown, standIn } from '../index.ts';
import { wasm } from '../../plugin.ts';
import { wasmFeatures } from '../../features.ts';

afterAll(() => tf.setBackend('cpu'));

type Pad = 'same' | 'valid' | number | tf.backend_util.ExplicitPadding;
interface Case {
  x: [number, number, number, number];
  filter: [number, number, number, number];
  strides?: number | [number, number];
  dilations?: number | [number, number];
  pad?: Pad;
}

const cases: Case[] = [
  { x: [2, 7, 6, 3], filter: [3, 3, 3, 5] },
  { x: [1, 5, 5, 1], filter: [1, 1, 1, 1] },
  { x: [2, 6, 5, 4], filter: [1, 1, 4, 17] },
  { x: [2, 6, 5, 4], filter: [1, 1, 4, 17], strides: 2 },
  { x: [3, 9, 8, 5], filter: [3, 2, 5, 16], strides: [2, 1], pad: 'valid' },
  { x: [2, 9, 9, 2], filter: [5, 5, 2, 33], strides: 3 },
  { x: [2, 8, 8, 2], filter: [2, 2, 2, 4], strides: 3, pad: 'valid' },
  { x: [1, 10, 11, 3], filter: [3, 3, 3, 4], pad: 2 },
  {
    x: [1, 6, 6, 3],
    filter: [3, 3, 3, 4],
    pad: [
      [0, 0],
      [2, 0],
      [0, 1],
      [0, 0],
    ],
  },
  { x: [1, 6, 7, 16], filter: [4, 4, 16, 32], strides: 2 },
  { x: [2, 14, 14, 32], filter: [3, 3, 32, 32] },
];

const norm = (x: ArrayLike<number>): number => Math.max(1, ...Array.from(x, Math.abs));

async function agree(compute: () => tf.Tensor[]): Promise<void> {
  // Inputs that were on cpu move here in a first call.
  tf.dispose(tf.tidy(compute));
  const before = tf.backend().numDataIds();
  const ours = tf.tidy(compute);
  expect(tf.backend().numDataIds()).toBe(before + ours.length);
  const found = await Promise.all(ours.map((each) => each.data()));
  await tf.setBackend('cpu');
  const theirs = tf.tidy(compute);
  const wanted = await Promise.all(theirs.map((each) => each.data()));
  await tf.setBackend('wasm');
  ours.forEach((each, i) => {
    expect(each.shape).toEqual(theirs[i]!.shape);
    const scale = norm(wanted[i]!);
    wanted[i]!.forEach((value, at) => expect(Math.abs(found[i]![at]! - value) / scale).toBeLessThan(1e-5));
  });
  tf.dispose([...ours, ...theirs]);
}

describe.each([false, true])('with relaxed SIMD: %s', (relaxed) => {
  beforeAll(async () => {
    // Node 20 has it behind a flag, which this option sets.
    if (relaxed) wasm({ relaxedSimd: true });
    expect(wasmFeatures().relaxedSimd || !relaxed).toBe(true);
    standDown();
    standIn(relaxed);
    await tf.setBackend('wasm');
  });

  test.each(cases)(
    'conv2d and its gradients: $x * $filter, strides $strides, pad $pad',
    async ({ x, filter, strides = 1, pad = 'same' }) => {
      const [input, kernel] = [tf.randomNormal<tf.Rank.R4>(x), tf.randomNormal<tf.Rank.R4>(filter)];
      const weights = tf.randomNormal(tf.conv2d(input, kernel, strides, pad).shape);
      await Promise.all([input.data(), kernel.data(), weights.data()]);
      await agree(() => [tf.conv2d(input, kernel, strides, pad)]);
      const loss = (a: tf.Tensor, b: tf.Tensor): tf.Scalar =>
        tf.sum(tf.mul(tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, strides, pad), weights));
      await agree(() => tf.grads(loss)([input, kernel]));
    },
  );

  test.each([
    [2, 'same'],
    [[1, 3], 'valid'],
    [[3, 1], 'same'],
  ] as const)('dilations %j, %s', async (dilations, pad) => {
    const [x, filter] = [tf.randomNormal<tf.Rank.R4>([2, 9, 10, 3]), tf.randomNormal<tf.Rank.R4>([3, 3, 3, 18])];
    await Promise.all([x.data(), filter.data()]);
    await agree(() => [tf.conv2d(x, filter, 1, pad, 'NHWC', dilations as number)]);
  });

  test('a transposed convolution, and conv1d with its gradients', async () => {
    const [x, filter] = [tf.randomNormal<tf.Rank.R4>([2, 5, 5, 6]), tf.randomNormal<tf.Rank.R4>([3, 3, 4, 6])];
    await Promise.all([x.data(), filter.data()]);
    await agree(() => [tf.conv2dTranspose(x, filter, [2, 10, 10, 4], 2, 'same')]);
    const [line, taps] = [tf.randomNormal<tf.Rank.R3>([2, 12, 3]), tf.randomNormal<tf.Rank.R3>([4, 3, 5])];
    await Promise.all([line.data(), taps.data()]);
    await agree(() => tf.grads((a, b) => tf.sum(tf.square(tf.conv1d(a as tf.Tensor3D, b as tf.Tensor3D, 2, 'same'))))([line, taps]));
  });

  test.each(['linear', 'relu', 'leakyrelu', 'elu'] as const)('bias and %s, fused', async (activation) => {
    const [x, filter, bias] = [
      tf.randomNormal<tf.Rank.R4>([2, 6, 6, 3]),
      tf.randomNormal<tf.Rank.R4>([3, 3, 3, 20]),
      tf.randomNormal([20]),
    ];
    await Promise.all([x.data(), filter.data(), bias.data()]);
    await agree(() => [tf.fused.conv2d({ x, filter, bias, activation, strides: 1, pad: 'same', leakyreluAlpha: 0.1 })]);
  });
});
