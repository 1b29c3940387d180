import '../../tools/test-backends.ts';
import { memory } from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError } from '@evenkeel/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { rulesOf, type Figures } from '../harness/index.ts';
import recipe from './index.ts';

const run = (arm: string, scale: number, seed = 1): Promise<Figures> =>
  recipe.run({ arm, seed, scale, backend: 'wasm', signal: undefined, progress: () => {} });

describe('the recipe l1-norm', () => {
  beforeAll(() => backend('wasm'));

  test('has five arms, and rules that can fail', () => {
    expect(recipe.arms).toHaveLength(5);
    expect(rulesOf(recipe)).toHaveLength(3);
  });

  test('every arm runs, and leaves no tensor behind', async () => {
    for (const arm of recipe.arms) {
      const before = memory().numTensors;
      expect(Object.keys(await run(arm, 0.004)), arm).toEqual(['error']);
      expect(memory().numTensors, arm).toBe(before);
    }
  });

  test('a fifth of the steps is enough to learn something, and the same seed learns the same', async () => {
    const first = await run('l1-batch-norm', 0.2);
    // Nine of ten would be chance.
    expect(first['error']).toBeLessThan(50);
    expect(await run('l1-batch-norm', 0.2)).toEqual(first);
    expect(await run('l1-batch-norm', 0.2, 2)).not.toEqual(first);
  });

  test('hears an abort between steps, and frees what it made', async () => {
    const abort = new AbortController();
    const before = memory().numTensors;
    const progress = (): void => abort.abort();
    const options = { seed: 1, scale: 1, backend: 'wasm', signal: abort.signal, progress };
    const error: unknown = await recipe.run({ ...options, arm: 'l1-batch-norm' }).catch((error: unknown) => error);
    expect(isEvenkeelError(error, 'ABORTED')).toBe(true);
    expect(memory().numTensors).toBe(before);
  });
});
