import '../../tools/test-backends.ts';
import { memory } from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError } from '@evenkeel/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { rulesOf, type Figures } from '../harness/index.ts';
import recipe from '../powernorm/index.ts';
import { loadBrown, numbered, wordsOf } from './brown.ts';
import { tokenArms } from './arms.ts';
import { NORMS } from './norms.ts';

const arms = tokenArms(NORMS);
const run = (arm: string, scale: number, seed = 1, signal?: AbortSignal): Promise<Figures> =>
  arms.get(arm)!({ arm, seed, scale, backend: 'wasm', signal, progress: () => {} });

describe('networks of tokens', () => {
  beforeAll(() => backend('wasm'));

  test('every arm runs, and leaves no tensor behind', async () => {
    expect(arms.size).toBe(12);
    for (const arm of arms.keys()) {
      const before = memory().numTensors;
      const found = await run(arm, 0.005);
      expect(Object.keys(found), arm).toEqual([arm.endsWith('words') ? 'perplexity' : 'error']);
      expect(Object.values(found).every(Number.isFinite), arm).toBe(true);
      expect(memory().numTensors, arm).toBe(before);
    }
  }, 120_000);

  test('forty steps learn something, and the same seed learns the same', async () => {
    const first = await run('unified-norm/32 words', 0.1);
    // By chance it would be 501.
    expect(first['perplexity']).toBeLessThan(130);
    expect(await run('unified-norm/32 words', 0.1)).toEqual(first);
    expect(await run('unified-norm/32 words', 0.1, 2)).not.toEqual(first);
  }, 60_000);

  test('an abort is heard, and frees what was made', async () => {
    const before = memory().numTensors;
    const error: unknown = await run('power-norm/32 words', 0.1, 1, AbortSignal.abort()).catch((caught: unknown) => caught);
    expect(isEvenkeelError(error, 'ABORTED')).toBe(true);
    expect(memory().numTensors).toBe(before);
  }, 60_000);
});

describe('the Brown corpus', () => {
  test('is read as words and ends of lines', () => {
    expect(wordsOf('\n\tThe/at and/or/cc ./.\n\n\n  A/at\n')).toEqual(['the', 'and/or', '.', '<eos>', 'a', '<eos>']);
    expect([...numbered(['b', 'a', 'b', 'c', 'a', 'd', 'd', 'd'], 2, 5)]).toEqual([1, 0, 1, 2, 0, 2, 2, 2]);
  });

  test('has the words that it should have', async () => {
    const { vocabulary, train, test: held } = await loadBrown();
    expect([vocabulary, train.length, held.length]).toEqual([501, 400_000, 8_000]);
    const unknown = train.filter((word) => word === 500).length / train.length;
    expect(unknown).toBeGreaterThan(0.3);
    expect(unknown).toBeLessThan(0.36);
  });
});

test('the recipe powernorm has rules that can fail', () => {
  expect(recipe.arms).toHaveLength(9);
  expect(rulesOf(recipe)).toHaveLength(3);
});
