import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agree, normal } from '../../../test/agree.ts';
import { standIn } from '../index.ts';

beforeAll(async () => {
  standIn();
  await tf.setBackend('wasm');
});
afterAll(() => tf.setBackend('cpu'));

test.each([1, 2, 3, 4, 5, 7, 8, 12, 16, 31, 64, 100, 127])('transforms of length %i, there and back', async (n) => {
  const [real, imaginary] = [await normal<tf.Rank.R2>([3, n]), await normal<tf.Rank.R2>([3, n])];
  await agree(() => [tf.fft(tf.complex(real, imaginary)), tf.ifft(tf.complex(real, imaginary))], 2e-6);
  const back = await tf.ifft(tf.fft(tf.complex(real, imaginary))).data();
  const values = [await real.data(), await imaginary.data()];
  back.forEach((value, i) => expect(value).toBeCloseTo(values[i % 2]![i >> 1]!, 5));
});

test('a long transform of a pure tone is exact to float32', async () => {
  const n = 3000;
  const tone = Float32Array.from({ length: n }, (_, k) => Math.cos((2 * Math.PI * 7 * k) / n));
  const y = await tf.fft(tf.complex(tone, new Float32Array(n))).data();
  y.forEach((value, i) => expect(Math.abs(value - (i === 2 * 7 || i === 2 * (n - 7) ? n / 2 : 0))).toBeLessThan(2e-4));
});

test.each([[8], [9], [2, 3, 10]])('rfft and irfft of %j', async (...shape) => {
  const x = await normal(shape as unknown as [number]);
  await agree(() => [tf.rfft(x)]);
  await agree(() => [tf.irfft(tf.rfft(x))]);
});

test('stft', async () => {
  const signal = await normal<tf.Rank.R1>([50]);
  await agree(() => [tf.signal.stft(signal, 16, 4, 16)]);
});

test('empty batches', () => {
  expect(tf.fft(tf.complex(tf.zeros([0, 4]), tf.zeros([0, 4]))).shape).toEqual([0, 4]);
});
