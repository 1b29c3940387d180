import '../../tools/test-backends.ts';
import { memory } from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError } from '@evenkeel/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { rulesOf, type Figures } from '../harness/index.ts';
import recipe from './index.ts';
import { angle } from './network.ts';

const run = (arm: string, scale: number, seed = 1): Promise<Figures> =>
  recipe.run({ arm, seed, scale, backend: 'wasm', signal: undefined, progress: () => {} });

describe('the recipe adamp', () => {
  beforeAll(() => backend('wasm'));

  test('has rules that can fail', () => {
    expect(recipe.arms).toHaveLength(7);
    expect(rulesOf(recipe)).toHaveLength(15);
  });

  test('angles, small ones too', () => {
    expect(angle(Float32Array.of(1, 0), Float32Array.of(0, 3))).toBeCloseTo(Math.PI / 2, 12);
    expect(angle(Float32Array.of(1, 0), Float32Array.of(2, 2e-5)) / 1e-5).toBeCloseTo(1, 5);
    expect(angle(Float32Array.of(3, 4), Float32Array.of(3, 4))).toBe(0);
  });

  test('on the sphere momentum makes the vector grow, and the projection does not', async () => {
    const [sgd, sgdp] = [await run('sphere/sgd', 1), await run('sphere/sgdp', 1)];
    expect(sgd['growth']! / sgdp['growth']!).toBeGreaterThan(10);
    expect(await run('sphere/sgd', 1)).toEqual(sgd);
  });

  test('every network runs, learns the same from the same seed, and leaves no tensor behind', async () => {
    for (const arm of recipe.arms.filter((name) => !name.startsWith('sphere'))) {
      const before = memory().numTensors;
      const found = await run(arm, 0.02);
      expect(Object.keys(found), arm).toHaveLength(5);
      for (const [name, value] of Object.entries(found)) expect(value, `${arm}: ${name}`).toBeGreaterThan(0);
      expect(memory().numTensors, arm).toBe(before);
    }
    expect(await run('adamp', 0.02)).toEqual(await run('adamp', 0.02));
  }, 120_000);

  test('hears an abort between steps, and frees what it made', async () => {
    const abort = new AbortController();
    const before = memory().numTensors;
    const options = { seed: 1, scale: 1, backend: 'wasm', signal: abort.signal, progress: (): void => abort.abort() };
    const error: unknown = await recipe.run({ ...options, arm: 'sgdp' }).catch((error: unknown) => error);
    expect(isEvenkeelError(error, 'ABORTED')).toBe(true);
    expect(memory().numTensors).toBe(before);
  }, 120_000);
});
