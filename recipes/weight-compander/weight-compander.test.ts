import '../../tools/test-backends.ts';
import { memory } from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError } from '@evenkeel/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { rulesOf, type Figures } from '../harness/index.ts';
import recipe from './index.ts';

const run = (arm: string, scale: number, seed = 1): Promise<Figures> =>
  recipe.run({ arm, seed, scale, backend: 'wasm', signal: undefined, progress: () => {} });

describe('the recipe weight-compander', () => {
  beforeAll(() => backend('wasm'));

  test('has four arms, and rules that can fail', () => {
    expect(recipe.arms).toEqual(['plain, decay 0.0005', 'compander, decay 0.0005', 'plain, decay 0.003', 'compander, decay 0.003']);
    expect(rulesOf(recipe)).toHaveLength(8);
  });

  test('an epoch of every arm leaves no tensor behind, the same seed learns the same, and the compander keeps the largest weight small', async () => {
    const largest: number[] = [];
    for (const arm of recipe.arms) {
      const before = memory().numTensors;
      const found = await run(arm, 0.025);
      // Nine of ten would be chance.
      expect(found['error'], arm).toBeLessThan(60);
      expect(memory().numTensors, arm).toBe(before);
      largest.push(found['largest, deviations']!);
    }
    expect(largest[1]!).toBeLessThan(largest[0]!);
    const first = await run(recipe.arms[1]!, 0.025);
    expect(first['largest, deviations']).toBe(largest[1]);
    expect((await run(recipe.arms[1]!, 0.025, 2))['error']).not.toBe(first['error']);
  }, 120_000);

  test('hears an abort between steps, and frees what it made', async () => {
    const abort = new AbortController();
    const before = memory().numTensors;
    const progress = (): void => abort.abort();
    const options = { seed: 1, scale: 0.05, backend: 'wasm', signal: abort.signal, progress };
    const error: unknown = await recipe.run({ ...options, arm: 'compander, decay 0.0005' }).catch((error: unknown) => error);
    expect(isEvenkeelError(error, 'ABORTED')).toBe(true);
    expect(memory().numTensors).toBe(before);
  }, 120_000);
});
