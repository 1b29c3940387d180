import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agree, normal } from '../../../test/agree.ts';
import { wasmFeatures } from '../../features.ts';
import { wasm } from '../../plugin.ts';
import { standDown, standIn } from '../index.ts';

afterAll(() => tf.setBackend('cpu'));

type Shape4 = [number, number, number, number];

interface Case {
  x: Shape4;
  /** height, width, multiplier */
  filter: [number, number, number];
  strides?: number | [number, number];
  dilations?: number | [number, number];
  pad?: 'same' | 'valid' | number;
}

const cases: Case[] = [
  { x: [2, 7, 6, 3], filter: [3, 3, 1] },
  { x: [1, 5, 5, 1], filter: [1, 1, 1] },
  { x: [2, 9, 13, 4], filter: [3, 3, 1] },
  { x: [2, 9, 13, 8], filter: [3, 4, 1], pad: 'valid' },
  { x: [3, 9, 8, 5], filter: [3, 2, 2], strides: [2, 1], pad: 'valid' },
  { x: [2, 9, 9, 2], filter: [5, 5, 3], strides: 3 },
  { x: [2, 8, 8, 2], filter: [2, 2, 4], strides: 3, pad: 'valid' },
  { x: [1, 10, 11, 12], filter: [3, 3, 1], pad: 2 },
  { x: [1, 40, 37, 7], filter: [7, 7, 1], strides: 2 },
  { x: [2, 14, 70, 36], filter: [3, 3, 1] },
  // Pixels 2 KB apart, which are treated apart.
  { x: [2, 7, 7, 512], filter: [3, 3, 1] },
  { x: [1, 9, 60, 256], filter: [3, 5, 1], strides: 2 },
];

/** The gradients by definition, which tfjs' cpu kernels give only without dilations. */
function byDefinition(
  x: tf.TensorBuffer<tf.Rank, 'float32'>,
  w: tf.TensorBuffer<tf.Rank, 'float32'>,
  dy: tf.TensorBuffer<tf.Rank, 'float32'>,
  info: tf.backend_util.Conv2DInfo,
) {
  const dx = tf.buffer(x.shape);
  const dw = tf.buffer(w.shape);
  const multiplier = w.shape[3]!;
  for (let b = 0; b < info.batchSize; b++)
    for (let r = 0; r < info.outHeight; r++)
      for (let c = 0; c < info.outWidth; c++)
        for (let i = 0; i < info.filterHeight; i++)
          for (let j = 0; j < info.filterWidth; j++) {
            const row = r * info.strideHeight + i * info.dilationHeight - info.padInfo.top;
            const column = c * info.strideWidth + j * info.dilationWidth - info.padInfo.left;
            if (row < 0 || row >= info.inHeight || column < 0 || column >= info.inWidth) continue;
            for (let o = 0; o < info.outChannels; o++) {
              const [channel, q] = [Math.floor(o / multiplier), o % multiplier];
              const g = dy.get(b, r, c, o);
              dx.set(dx.get(b, row, column, channel) + g * w.get(i, j, channel, q), b, row, column, channel);
              dw.set(dw.get(i, j, channel, q) + g * x.get(b, row, column, channel), i, j, channel, q);
            }
          }
  return [dx.values, dw.values];
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
    'depthwise and its gradients: $x * $filter, strides $strides, pad $pad',
    async ({ x, filter, strides = 1, pad = 'same' }) => {
      const input = await normal<tf.Rank.R4>(x);
      const kernel = await normal<tf.Rank.R4>([filter[0], filter[1], x[3], filter[2]]);
      const weights = await normal(tf.depthwiseConv2d(input, kernel, strides, pad).shape as Shape4);
      await agree(() => [tf.depthwiseConv2d(input, kernel, strides, pad)]);
      const loss = (a: tf.Tensor, b: tf.Tensor): tf.Scalar =>
        tf.sum(tf.mul(tf.depthwiseConv2d(a as tf.Tensor4D, b as tf.Tensor4D, strides, pad), weights));
      await agree(() => tf.grads(loss)([input, kernel]));
    },
  );

  test.each<Case>([
    { x: [2, 9, 10, 3], filter: [3, 3, 1], dilations: 2, pad: 'same' },
    { x: [2, 9, 10, 8], filter: [3, 2, 1], dilations: [1, 3], pad: 'valid' },
    { x: [1, 11, 10, 2], filter: [2, 3, 3], dilations: [3, 1], pad: 'same' },
  ])('dilations $dilations, $pad', async ({ x, filter, dilations, pad }) => {
    const input = await normal<tf.Rank.R4>(x);
    const kernel = await normal<tf.Rank.R4>([filter[0], filter[1], x[3], filter[2]]);
    await agree(() => [tf.depthwiseConv2d(input, kernel, 1, pad!, 'NHWC', dilations!)]);
    const info = tf.backend_util.computeConv2DInfo(x, kernel.shape, 1, dilations!, pad!, undefined, true);
    const dy = await normal<tf.Rank.R4>(info.outShape);
    const [dx, dw] = byDefinition(await input.buffer(), await kernel.buffer(), await dy.buffer(), info);
    const attrs = { strides: 1, dilations: dilations!, pad: pad! };
    const found = tf
      .engine()
      .runKernel('DepthwiseConv2dNativeBackpropInput', { dy, filter: kernel }, { ...attrs, inputShape: x }) as tf.Tensor;
    (await found.data()).forEach((value, i) => expect(value).toBeCloseTo(dx![i]!, 4));
    const weights = tf
      .engine()
      .runKernel('DepthwiseConv2dNativeBackpropFilter', { x: input, dy }, { ...attrs, filterShape: kernel.shape }) as tf.Tensor;
    (await weights.data()).forEach((value, i) => expect(value).toBeCloseTo(dw![i]!, 4));
  });

  test('explicit padding', async () => {
    const pad: tf.backend_util.ExplicitPadding = [
      [0, 0],
      [2, 0],
      [0, 3],
      [0, 0],
    ];
    const [x, filter] = [await normal<tf.Rank.R4>([2, 6, 7, 5]), await normal<tf.Rank.R4>([3, 3, 5, 1])];
    const weights = await normal<tf.Rank.R4>([2, 6, 8, 5]);
    const run = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
      tf.engine().runKernel('DepthwiseConv2dNative', { x: a, filter: b }, { strides: 1, pad }) as tf.Tensor;
    await agree(() => [run(x, filter)]);
    await agree(() => tf.grads((a, b) => tf.sum(tf.mul(run(a, b), weights)))([x, filter]));
  });

  test.each(['linear', 'relu', 'relu6', 'leakyrelu', 'elu', 'sigmoid'] as const)('bias and %s, fused', async (activation) => {
    const [x, filter, bias] = [
      await normal<tf.Rank.R4>([2, 6, 7, 3]),
      await normal<tf.Rank.R4>([3, 3, 3, 2]),
      await normal<tf.Rank.R1>([6]),
    ];
    await agree(() => [tf.fused.depthwiseConv2d({ x, filter, bias, activation, strides: 1, pad: 'same', leakyreluAlpha: 0.1 })]);
  });

  test('a separable convolution and its gradients', async () => {
    const x = await normal<tf.Rank.R4>([2, 8, 9, 3]);
    const [depth, point] = [await normal<tf.Rank.R4>([3, 3, 3, 2]), await normal<tf.Rank.R4>([1, 1, 6, 5])];
    await agree(() =>
      tf.grads((a, b, c) => tf.sum(tf.square(tf.separableConv2d(a as tf.Tensor4D, b as tf.Tensor4D, c as tf.Tensor4D, 2, 'same'))))([
        x,
        depth,
        point,
      ]),
    );
  });

  test('a NaN reaches only the windows and channels that see it', async () => {
    const x = tf.tensor4d([NaN, ...Array.from({ length: 127 }, (_, i) => i)], [1, 4, 8, 4]);
    const filter = await normal<tf.Rank.R4>([2, 2, 4, 1]);
    await x.data();
    await agree(() => [tf.depthwiseConv2d(x, filter, 1, 'valid')]);
  });

  test('empty batches', async () => {
    const [x, filter] = [tf.zeros<tf.Rank.R4>([0, 4, 4, 3]), await normal<tf.Rank.R4>([2, 2, 3, 1])];
    expect(tf.depthwiseConv2d(x, filter, 1, 'same').shape).toEqual([0, 4, 4, 3]);
    const [dx, dw] = tf.grads((a, b) => tf.sum(tf.depthwiseConv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, 'same')))([x, filter]);
    expect(dx!.shape).toEqual([0, 4, 4, 3]);
    expect([...(await dw!.data())].every((value) => value === 0)).toBe(true);
  });
});
