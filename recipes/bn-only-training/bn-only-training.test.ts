import '../../tools/test-backends.ts';
import { memory } from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError } from '@evenkeel/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { rulesOf, type Figures } from '../harness/index.ts';
import recipe from './index.ts';

const run = (arm: string, scale: number, seed = 1): Promise<Figures> =>
  recipe.run({ arm, seed, scale, backend: 'wasm', signal: undefined, progress: () => {} });

describe('the recipe bn-only-training', () => {
  beforeAll(() => backend('wasm'));

  test('has four parts of three networks, and rules that can fail', () => {
    expect(recipe.arms).toHaveLength(12);
    expect(rulesOf(recipe)).toHaveLength(7);
  });

  test('as many numbers train as the authors count, and no tensor is left behind', async () => {
    const trained = { all: 19_810, norms: 336, output: 330, random: 336 };
    for (const [part, count] of Object.entries(trained)) {
      const before = memory().numTensors;
      const found = await run(`resnet-8/${part}`, 0.01);
      expect(found['trained'], part).toBe(count);
      expect(found['accuracy'], part).toBeGreaterThanOrEqual(0);
      expect(memory().numTensors, part).toBe(before);
    }
    expect((await run('resnet-20/norms', 0.004))['trained']).toBe(784);
    expect((await run('resnet-8-wide/random', 0.004))['trained']).toBe(672);
  }, 120_000);

  test('a third of the steps is enough to learn something, and the same seed learns the same', async () => {
    const first = await run('resnet-8/norms', 0.33);
    // One of ten would be chance.
    expect(first['accuracy']).toBeGreaterThan(20);
    expect(await run('resnet-8/norms', 0.33)).toEqual(first);
    expect(await run('resnet-8/norms', 0.33, 2)).not.toEqual(first);
  }, 120_000);

  test('hears an abort between steps, and frees what it made', async () => {
    const abort = new AbortController();
    const before = memory().numTensors;
    const progress = (): void => abort.abort();
    const options = { seed: 1, scale: 1, backend: 'wasm', signal: abort.signal, progress };
    const error: unknown = await recipe.run({ ...options, arm: 'resnet-8/random' }).catch((error: unknown) => error);
    expect(isEvenkeelError(error, 'ABORTED')).toBe(true);
    expect(memory().numTensors).toBe(before);
  }, 120_000);
});
