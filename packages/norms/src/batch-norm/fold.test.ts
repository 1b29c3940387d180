import { backends } from '../../../../tools/test-backends.ts';
import {
  add,
  conv2d,
  depthwiseConv2d,
  matMul,
  ones,
  tensor,
  tidy,
  zeros,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { noise, onEach, read, refusal, worst } from '../../test/host.ts';
import { batchNormInference } from './batch-norm.ts';
import { foldBatchNorm, type BatchNormState, type LinearWeights } from './fold.ts';

function state(channels: number, affine = true): BatchNormState {
  return {
    mean: tensor(noise(channels, 1)),
    variance: tensor(noise(channels, 2).map((value) => value + 1.5)),
    ...(affine && { gamma: tensor(noise(channels, 3)), beta: tensor(noise(channels, 4)) }),
    epsilon: 0.01,
  };
}

/** The layer with the normalization after it, and the folded layer alone. */
async function bothWays(weights: () => LinearWeights, of: () => BatchNormState, layer: (kernel: Tensor) => Tensor): Promise<number[][]> {
  const found = tidy(() => {
    const { kernel, bias } = weights();
    const { mean, variance, gamma, beta, epsilon } = of();
    const y = bias ? add(layer(kernel), bias) : layer(kernel);
    const folded = foldBatchNorm({ kernel, bias }, { mean, variance, gamma, beta, ...(epsilon !== undefined && { epsilon }) });
    expect(folded.kernel.shape).toEqual(kernel.shape);
    expect(folded.bias.shape).toEqual(mean.shape);
    return [batchNormInference(y, mean, variance, gamma, beta, { epsilon: epsilon ?? 1e-3 }), add(layer(folded.kernel), folded.bias)];
  });
  return Promise.all(found.map(read));
}

const layers: Record<string, { kernel: number[]; channels: number; layer: (kernel: Tensor) => Tensor }> = {
  dense: {
    kernel: [6, 5],
    channels: 5,
    layer: (kernel) => matMul(tensor(noise(18, 5), [3, 6]), kernel as Tensor2D),
  },
  convolution: {
    kernel: [3, 3, 2, 5],
    channels: 5,
    layer: (kernel) => conv2d(tensor(noise(72, 6), [1, 6, 6, 2]) as Tensor4D, kernel as Tensor4D, 1, 'same'),
  },
  'depthwise convolution': {
    kernel: [3, 3, 4, 2],
    channels: 8,
    layer: (kernel) => depthwiseConv2d(tensor(noise(144, 7), [1, 6, 6, 4]) as Tensor4D, kernel as Tensor4D, 1, 'same'),
  },
  'depthwise convolution of one channel': {
    kernel: [3, 3, 1, 3],
    channels: 3,
    layer: (kernel) => depthwiseConv2d(tensor(noise(36, 8), [1, 6, 6, 1]) as Tensor4D, kernel as Tensor4D, 1, 'same'),
  },
};

test.each(Object.entries(layers))(
  'a folded %s computes what the layer and its normalization did',
  async (_, { kernel, channels, layer }) => {
    await onEach(backends, async () => {
      for (const affine of [true, false]) {
        for (const biased of [true, false]) {
          const size = kernel.reduce((product, length) => product * length, 1);
          const weights = (): LinearWeights => ({
            kernel: tensor(noise(size, 9), kernel),
            ...(biased && { bias: tensor(noise(channels, 10)) }),
          });
          const [wanted, folded] = await bothWays(weights, () => state(channels, affine), layer);
          expect(worst(folded!, wanted!)).toBeLessThan(2e-5);
        }
      }
    });
  },
);

test('the default epsilon is the one of batchNorm', async () => {
  const { kernel, bias } = foldBatchNorm({ kernel: ones([1, 1]) }, { mean: zeros([1]), variance: zeros([1]) });
  expect((await read(kernel))[0]).toBeCloseTo(1 / Math.sqrt(1e-3), 3);
  expect(await read(bias)).toEqual([0]);
});

test('refuses what does not fit, by name', () => {
  const [mean, variance] = [zeros([4]), ones([4])];
  const fold = (kernel: number[], more: Partial<BatchNormState> = {}, bias?: Tensor): string =>
    refusal(() => foldBatchNorm({ kernel: zeros(kernel), bias }, { mean, variance, ...more }));
  expect(fold([3, 4])).toBe('nothing was thrown');
  expect(fold([3, 2, 2])).toBe('nothing was thrown');
  expect(fold([3, 5])).toBe('SHAPE kernel');
  expect(fold([3, 3, 2, 3])).toBe('SHAPE kernel');
  expect(fold([4])).toBe('SHAPE kernel');
  expect(fold([3, 4], { variance: ones([3]) })).toBe('SHAPE variance');
  expect(fold([3, 4], { gamma: ones([3]) })).toBe('SHAPE gamma');
  expect(fold([3, 4], { beta: ones([3]) })).toBe('SHAPE beta');
  expect(fold([3, 4], {}, ones([3]))).toBe('SHAPE bias');
  expect(fold([3, 4], { epsilon: 0 })).toBe('INVALID_ARGUMENT epsilon');
});
