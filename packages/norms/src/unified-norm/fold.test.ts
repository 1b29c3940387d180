import { backends } from '../../../../tools/test-backends.ts';
import { add, conv2d, depthwiseConv2d, matMul, memory, ones, tensor, tidy, zeros, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { noise, onEach, read, refusal, worst } from '../../test/host.ts';
import { foldIntoNext, foldIntoPrevious, unifiedNormInference, type RunningNorm } from './index.ts';

const random = (shape: number[], seed: number): Tensor =>
  tensor(
    noise(
      shape.reduce((a, b) => a * b, 1),
      seed,
    ),
    shape,
  );

function norm(channels: number, beta = true): RunningNorm & { gamma: Tensor } {
  const meanSquare = tidy(() => add(random([channels], 1), 1.5));
  return { meanSquare, gamma: random([channels], 2), ...(beta && { beta: random([channels], 3) }) };
}

const normalize = (x: Tensor, { meanSquare, gamma, beta }: RunningNorm): Tensor => unifiedNormInference(x, meanSquare, gamma, beta);

const dense = (x: Tensor, kernel: Tensor, bias?: Tensor): Tensor => {
  const y = matMul(x as Tensor2D, kernel as Tensor2D);
  return bias ? add(y, bias) : y;
};

describe('a folded norm computes the same', () => {
  test('in all dense layers that read it', async () => {
    await onEach(backends, async () => {
      const [x, of] = [random([5, 6], 4), norm(6)];
      const readers = [{ kernel: random([6, 3], 5), bias: random([3], 6) }, { kernel: random([6, 2], 7) }];
      const folded = foldIntoNext(of, readers);
      for (const [i, { kernel, bias }] of folded.entries()) {
        const wanted = tidy(() => dense(normalize(x, of), readers[i]!.kernel, readers[i]!.bias));
        expect(worst(await read(tidy(() => dense(x, kernel, bias))), await read(wanted))).toBeLessThan(1e-5);
      }
    });
  });

  test('in the convolution after it, without padding or without beta', async () => {
    await onEach(backends, async () => {
      const [x, kernel] = [random([2, 5, 5, 4], 4), random([3, 3, 4, 3], 5)];
      for (const [padding, beta] of [
        ['valid', true],
        ['same', false],
      ] as const) {
        const of = norm(4, beta);
        const [folded] = foldIntoNext(of, [{ kernel }], { zeroPadding: padding === 'same' });
        const convolve = (a: Tensor, k: Tensor): Tensor => conv2d(a as never, k as never, 1, padding);
        const wanted = tidy(() => convolve(normalize(x, of), kernel));
        const found = tidy(() => add(convolve(x, folded!.kernel), folded!.bias));
        expect(worst(await read(found), await read(wanted))).toBeLessThan(1e-5);
      }
    });
  });

  test('in the dense layer or the convolution before it', async () => {
    await onEach(backends, async () => {
      const of = norm(6);
      const [x, kernel, bias] = [random([5, 4], 4), random([4, 6], 5), random([6], 6)];
      const folded = foldIntoPrevious({ kernel, bias }, of);
      const wanted = tidy(() => normalize(dense(x, kernel, bias), of));
      expect(worst(await read(tidy(() => dense(x, folded.kernel, folded.bias))), await read(wanted))).toBeLessThan(1e-5);

      const [picture, depthwise] = [random([1, 4, 4, 3], 7), random([3, 3, 3, 2], 8)];
      const convolve = (k: Tensor): Tensor => depthwiseConv2d(picture as never, k as never, 1, 'same');
      const inDepthwise = foldIntoPrevious({ kernel: depthwise }, of);
      const same = tidy(() => normalize(convolve(depthwise), of));
      expect(worst(await read(tidy(() => add(convolve(inDepthwise.kernel), inDepthwise.bias))), await read(same))).toBeLessThan(1e-5);
    });
  });
});

test('a gamma of 0 folds to a constant', async () => {
  const of = { meanSquare: ones([2]), gamma: zeros([2]), beta: tensor([1, 2]) };
  const [next] = foldIntoNext(of, [{ kernel: ones([2, 1]) }]);
  expect(await read(next!.kernel)).toEqual([0, 0]);
  expect(await read(next!.bias)).toEqual([3]);
});

test('leaves its inputs, and no tensor beside its results', () => {
  const of = norm(4);
  const weights = { kernel: ones([4, 4]), bias: ones([4]) };
  const before = memory().numTensors;
  foldIntoNext(of, [weights, weights]);
  foldIntoPrevious(weights, of);
  expect(memory().numTensors - before).toBe(6);
});

test('refuses what does not fit, and beta before padding', () => {
  const of = norm(4);
  expect(refusal(() => foldIntoNext(of, [{ kernel: ones([3, 4]) }]))).toBe('SHAPE kernel');
  expect(refusal(() => foldIntoNext(of, [{ kernel: ones([4, 3]), bias: ones([4]) }]))).toBe('SHAPE bias');
  expect(refusal(() => foldIntoNext(of, [{ kernel: ones([3, 3, 4, 2]) }], { zeroPadding: true }))).toBe('INVALID_ARGUMENT norm');
  expect(refusal(() => foldIntoNext({ ...of, gamma: ones([3]) }, []))).toBe('SHAPE gamma');
  expect(refusal(() => foldIntoNext({ ...of, epsilon: 0 }, []))).toBe('INVALID_ARGUMENT epsilon');
  expect(refusal(() => foldIntoPrevious({ kernel: ones([4, 3]) }, of))).toBe('SHAPE kernel');
  expect(refusal(() => foldIntoPrevious({ kernel: ones([3, 4]), bias: ones([3]) }, of))).toBe('SHAPE bias');
});
