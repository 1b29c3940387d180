import '../../tools/test-backends.ts';
import { memory } from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError, random } from '@evenkeel/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { rulesOf, type Figures } from '../harness/index.ts';
import recipe from './index.ts';
import { inRuns, shifted, streamOf } from './stream.ts';

const run = (arm: string, scale: number, seed = 1): Promise<Figures> =>
  recipe.run({ arm, seed, scale, backend: 'wasm', signal: undefined, progress: () => {} });

test('shifts stay between 0 and 1 and are what they say', () => {
  const pixels = Float32Array.of(0, 0.5, 0.95, 1);
  expect([...shifted(pixels, 'unshifted', random(1))]).toEqual([...pixels]);
  [0.12, 0.62, 1, 1].forEach((wanted, i) => expect(shifted(pixels, 'bright', random(1))[i]).toBeCloseTo(wanted, 5));
  [0, 0.3, 0.57, 0.6].forEach((wanted, i) => expect(shifted(pixels, 'dark', random(1))[i]).toBeCloseTo(wanted, 5));
  const noisy = shifted(new Float32Array(10_000).fill(0.5), 'noise', random(1));
  const mean = noisy.reduce((sum, value) => sum + value, 0) / 10_000;
  expect(mean).toBeCloseTo(0.5, 1);
  expect(Math.min(...noisy)).toBe(0);
  expect(Math.max(...noisy)).toBe(1);
});

test('an order of runs: each picture once, a hundred of a class after each other', () => {
  const labels = Int32Array.from({ length: 1_000 }, (_, i) => i % 2);
  const order = inRuns(labels, random(3));
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
  for (let at = 0; at < 1_000; at += 100) expect(new Set(order.subarray(at, at + 100).map((i) => labels[i]!)).size).toBe(1);
  expect([...inRuns(labels, random(4))]).not.toEqual([...order]);
  const data = { images: Float32Array.from(labels, (label) => label), labels, count: 1_000, shape: [1, 1] as const, classes: 2 };
  const stream = streamOf(data, 'unshifted', true, 3);
  expect([...stream.images]).toEqual([...stream.labels]);
  expect([...streamOf(data, 'unshifted', false, 3).labels.subarray(0, 100)]).toContain(1);
});

describe('the recipe unmix-tns', () => {
  beforeAll(() => backend('wasm'));

  test('has seven arms, and rules that can fail', () => {
    expect(recipe.arms).toHaveLength(7);
    expect(rulesOf(recipe)).toHaveLength(8);
  });

  test('every arm runs, and leaves no tensor behind', async () => {
    for (const arm of recipe.arms) {
      const before = memory().numTensors;
      const found = await run(arm, 0.02);
      expect(Object.keys(found), arm).toEqual(['unshifted', 'noise', 'bright', 'dark', 'shifted']);
      expect(found['shifted'], arm).toBeCloseTo((found['noise']! + found['bright']! + found['dark']!) / 3, 5);
      expect(memory().numTensors, arm).toBe(before);
    }
  }, 120_000);

  test('a tenth of the steps is enough to learn, and to see the batch fail; the same seed gives the same', async () => {
    const source = await run('source', 0.1);
    expect(source['unshifted']).toBeGreaterThan(50);
    expect((await run('batch', 0.1))['unshifted']).toBeLessThan(source['unshifted']! - 10);
    const first = await run('unmix-tns/centered, 8, 0.7', 0.1);
    expect(await run('unmix-tns/centered, 8, 0.7', 0.1)).toEqual(first);
    expect(await run('unmix-tns/centered, 8, 0.7', 0.1, 2)).not.toEqual(first);
  }, 120_000);

  test('hears an abort between steps, and frees what it made', async () => {
    const abort = new AbortController();
    const before = memory().numTensors;
    const options = { seed: 9, scale: 1, backend: 'wasm', signal: abort.signal, progress: () => abort.abort() };
    const error: unknown = await recipe.run({ ...options, arm: 'source' }).catch((error: unknown) => error);
    expect(isEvenkeelError(error, 'ABORTED')).toBe(true);
    expect(memory().numTensors).toBe(before);
  }, 120_000);
});
