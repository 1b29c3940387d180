import '../../tools/test-backends.ts';
import { memory } from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError } from '@evenkeel/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { rulesOf, type Figures } from '../harness/index.ts';
import recipe from './index.ts';

const run = (arm: string, scale: number, seed = 1): Promise<Figures> =>
  recipe.run({ arm, seed, scale, backend: 'wasm', signal: undefined, progress: () => {} });

describe('the recipe evonorm', () => {
  beforeAll(() => backend('wasm'));

  test('has four layers at two batch sizes, and rules that can fail', () => {
    expect(recipe.arms).toHaveLength(8);
    expect(rulesOf(recipe)).toHaveLength(2);
  });

  test('every arm runs, and leaves no tensor behind', async () => {
    for (const arm of recipe.arms) {
      const before = memory().numTensors;
      const found = await run(arm, 0.01);
      expect(Object.keys(found), arm).toEqual(['accuracy']);
      expect(found['accuracy'], arm).toBeGreaterThanOrEqual(0);
      expect(memory().numTensors, arm).toBe(before);
    }
  }, 120_000);

  test('a quarter of the steps is enough to learn something, and the same seed learns the same', async () => {
    const first = await run('evonorm-s0/32', 0.25);
    // One of ten would be chance.
    expect(first['accuracy']).toBeGreaterThan(30);
    expect(await run('evonorm-s0/32', 0.25)).toEqual(first);
    expect(await run('evonorm-s0/32', 0.25, 2)).not.toEqual(first);
  }, 120_000);

  test('B0 learns, too, and predicts by its moving variance', async () => {
    const { accuracy } = await run('evonorm-b0/32', 0.25);
    expect(accuracy).toBeGreaterThan(30);
  }, 120_000);

  test('hears an abort between steps, and frees what it made', async () => {
    const abort = new AbortController();
    const before = memory().numTensors;
    const progress = (): void => abort.abort();
    const options = { seed: 1, scale: 1, backend: 'wasm', signal: abort.signal, progress };
    const error: unknown = await recipe.run({ ...options, arm: 'evonorm-b0/4' }).catch((error: unknown) => error);
    expect(isEvenkeelError(error, 'ABORTED')).toBe(true);
    expect(memory().numTensors).toBe(before);
  }, 120_000);
});
