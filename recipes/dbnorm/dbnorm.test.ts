import '../../tools/test-backends.ts';
import { memory } from '@tensorflow/tfjs-core';
import { backend } from '@evenkeel/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { rulesOf } from '../harness/index.ts';
import recipe from './index.ts';
import { viewsOf } from './views.ts';
import { loadPairs } from './words.ts';

const rows = (values: Float32Array): string[] =>
  Array.from({ length: values.length / 100 }, (_, i) => values.slice(i * 100, i * 100 + 4).join());

describe('the recipe dbnorm', () => {
  beforeAll(() => backend('wasm'));

  test('has its pairs, and banks that share none with the tests', async () => {
    const pairs = await loadPairs();
    expect(pairs.count).toBeGreaterThan(8000);
    expect(pairs.glosses.every(Number.isFinite)).toBe(true);
    const { raw } = viewsOf(pairs, 1, 50, 100);
    const bank = new Set(rows(raw.bank.lemmas));
    expect(rows(raw.test.lemmas).filter((row) => bank.has(row))).toEqual([]);
    expect(viewsOf(pairs, 1, 50, 100)).toEqual(viewsOf(pairs, 1, 50, 100));
  });

  test('every arm runs, and leaves no tensor behind', async () => {
    expect(rulesOf(recipe)).toHaveLength(8);
    for (const arm of recipe.arms) {
      const before = memory().numTensors;
      const found = await recipe.run({ arm, seed: 1, scale: 0.05, backend: 'wasm', signal: undefined, progress: () => {} });
      for (const [name, value] of Object.entries(found)) expect(Number.isFinite(value), `${arm}: ${name}`).toBe(true);
      expect(memory().numTensors, arm).toBe(before);
    }
  });
});
