import { backends } from '../../../../tools/test-backends.ts';
import { ones, tensor, tidy, zeros } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { noise, onEach, read, refusal, standardized, worst } from '../../test/host.ts';
import { instanceNorm } from './op.ts';

test.each([
  [2, 5, 3],
  [1, 33, 10],
  [2, 16, 1],
  [3, 7, 40],
])('normalizes each channel of each sample: [%i, %i, %i]', async (samples, positions, channels) => {
  const x = noise(samples * positions * channels, 11);
  const wanted: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    for (let channel = 0; channel < channels; channel++) {
      const members = Array.from({ length: positions }, (_, i) => (sample * positions + i) * channels + channel);
      standardized(
        members.map((i) => x[i]!),
        1e-5,
      ).forEach((value, at) => (wanted[members[at]!] = value * (1 + channel) + 2));
    }
  }
  await onEach(backends, async () => {
    const gamma = Array.from({ length: channels }, (_, channel) => 1 + channel);
    const y = tidy(() => instanceNorm(tensor(x, [samples, positions, channels]), tensor(gamma), tensor(gamma.map(() => 2))));
    // Values reach 100, in steps of 1e-5.
    expect(worst(await read(y), wanted)).toBeLessThan(1e-6 * channels * 10);
  });
});

test('refuses a single position, where every output would be beta, unless that is accepted', async () => {
  const x = tensor(noise(6), [2, 1, 1, 3]);
  for (const bad of [x, tensor(noise(6), [2, 3])]) {
    expect(() => instanceNorm(bad)).toThrow(/instanceNorm: x is .*, expected more than one position/);
  }
  await onEach(backends, async () => {
    const y = tidy(() => instanceNorm(x, ones([3]), tensor([1, 2, 3]), { allowDegenerate: true }));
    expect(await read(y)).toEqual([1, 2, 3, 1, 2, 3]);
  });
});

test('refuses what groupNorm refuses, by name', () => {
  const x = zeros([2, 4, 3]);
  expect(refusal(() => instanceNorm(x, ones([2])))).toBe('SHAPE gamma');
  expect(refusal(() => instanceNorm(x, ones([3]), ones([4])))).toBe('SHAPE beta');
  expect(refusal(() => instanceNorm(x, undefined, undefined, { epsilon: 0 }))).toBe('INVALID_ARGUMENT epsilon');
  expect(refusal(() => instanceNorm(zeros([2, 4, 3], 'int32')))).toBe('DTYPE x');
  expect(refusal(() => instanceNorm(zeros([2, 0, 3])))).toBe('SHAPE x');
});
