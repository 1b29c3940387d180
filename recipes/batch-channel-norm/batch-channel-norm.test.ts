import '../../tools/test-backends.ts';
import { memory } from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError } from '@evenkeel/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { rulesOf, type Figures } from '../harness/index.ts';
import recipe from './index.ts';

const run = (arm: string, scale: number, seed = 1): Promise<Figures> =>
  recipe.run({ arm, seed, scale, backend: 'wasm', signal: undefined, progress: () => {} });

describe('the recipe batch-channel-norm', () => {
  beforeAll(() => backend('wasm'));

  test('has a reference, four arms at each of two small batch sizes, and rules that can fail', () => {
    expect(recipe.arms).toEqual(['bn/32', 'bn/2', 'gn/2', 'gn+ws/2', 'bcn+ws/2', 'bn/1', 'gn/1', 'gn+ws/1', 'bcn+ws/1']);
    expect(rulesOf(recipe)).toHaveLength(5);
  });

  test('every arm runs, and leaves no tensor behind', async () => {
    for (const arm of recipe.arms) {
      const before = memory().numTensors;
      const found = await run(arm, 0.004);
      expect(Object.keys(found), arm).toEqual(['accuracy']);
      expect(found['accuracy'], arm).toBeGreaterThanOrEqual(0);
      expect(memory().numTensors, arm).toBe(before);
    }
  }, 120_000);

  test('some hundred steps of two pictures are enough to learn something, and the same seed learns the same', async () => {
    const first = await run('bcn+ws/2', 0.15);
    // One of ten would be chance.
    expect(first['accuracy']).toBeGreaterThan(30);
    expect(await run('bcn+ws/2', 0.15)).toEqual(first);
    expect(await run('bcn+ws/2', 0.15, 2)).not.toEqual(first);
  }, 120_000);

  test('hears an abort between steps, and frees what it made', async () => {
    const abort = new AbortController();
    const before = memory().numTensors;
    const progress = (): void => abort.abort();
    const options = { seed: 1, scale: 1, backend: 'wasm', signal: abort.signal, progress };
    const error: unknown = await recipe.run({ ...options, arm: 'bcn+ws/1' }).catch((error: unknown) => error);
    expect(isEvenkeelError(error, 'ABORTED')).toBe(true);
    expect(memory().numTensors).toBe(before);
  }, 120_000);
});
