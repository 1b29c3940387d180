import { isEvenkeelError } from '@evenkeel/core';
import { describe, expect, test } from 'vitest';
import { rulesOf, type Figures } from '../harness/index.ts';
import recipe from './index.ts';
import { drawClothes, drawDigits, smallSeparable } from './samples.ts';

const run = (arm: string, scale: number, seed = 1, signal?: AbortSignal): Promise<Figures> =>
  recipe.run({ arm, seed, scale, backend: 'wasm', signal, progress: () => {} });

describe('the recipe normalized-lr-gd', () => {
  test('has eight arms, and rules that can fail', () => {
    expect(recipe.arms).toHaveLength(8);
    expect(rulesOf(recipe)).toHaveLength(18);
  });

  test('every arm runs in small, and the same again', async () => {
    for (const arm of recipe.arms) {
      const figures = await run(arm, 0.02);
      expect(
        Object.values(figures).every((value) => !Number.isNaN(value)),
        arm,
      ).toBe(true);
      expect(await run(arm, 0.02), arm).toEqual(figures);
    }
    expect(await run('gd 1000000', 1, 2)).not.toEqual(await run('gd 1000000', 1, 1));
  });

  test('draws so many of each class, each picture once, others with another seed', async () => {
    for (const make of [(seed: number) => drawClothes([20, 30], seed), (seed: number) => drawDigits([0, 1], [20, 30], seed)]) {
      const { x, y } = await make(1);
      expect([x.shape, y.filter((label) => label === 0).length, y.filter((label) => label === 1).length]).toEqual([[50, 784], 20, 30]);
      expect(Math.min(...x.values)).toBe(0);
      expect(Math.max(...x.values)).toBe(1);
      const rows = new Set(Array.from({ length: 50 }, (_, row) => x.values.slice(row * 784, (row + 1) * 784).join()));
      expect(rows.size).toBe(50);
      expect((await make(2)).x.values).not.toEqual(x.values);
    }
  });

  test('the small samples keep their distance from a hyperplane, with both classes', () => {
    for (const seed of recipe.seeds) expect(new Set(smallSeparable(seed).y).size).toBe(2);
  });

  test('hears an abort', async () => {
    const abort = new AbortController();
    abort.abort();
    const error: unknown = await run('gd 100', 1, 1, abort.signal).catch((error: unknown) => error);
    expect(isEvenkeelError(error, 'ABORTED')).toBe(true);
  });
});
