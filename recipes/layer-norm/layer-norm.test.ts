import '../../tools/test-backends.ts';
import { memory } from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError, random } from '@evenkeel/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { rulesOf, runRecipe, type Figures } from '../harness/index.ts';
import { orthogonal } from './recurrent.ts';
import recipe from './index.ts';

const run = (arm: string, scale: number, seed = 1, signal?: AbortSignal): Promise<Figures> =>
  recipe.run({ arm, seed, scale, backend: 'wasm', signal, progress: () => {} });

describe('the recipe layer-norm', () => {
  beforeAll(() => backend('wasm'));

  test('has the arms of both experiments, and rules that can fail', () => {
    expect(recipe.arms).toHaveLength(11);
    expect(rulesOf(recipe)).toHaveLength(4);
  });

  test('every arm runs, and leaves no tensor behind', async () => {
    const figures = { mlp: ['error'], rnn: ['steps', 'loss', 'accuracy'] };
    for (const arm of recipe.arms) {
      const before = memory().numTensors;
      const found = await run(arm, 0.002);
      expect(Object.keys(found), arm).toEqual(arm.includes('lstm') ? figures.rnn : figures.mlp);
      expect(memory().numTensors, arm).toBe(before);
    }
  });

  test('a tenth of the data is enough to learn something, and the same seed learns the same', async () => {
    const first = await run('layer-norm/128', 0.1);
    // Nine of ten would be chance.
    expect(first['error']).toBeLessThan(40);
    expect(await run('layer-norm/128', 0.1)).toEqual(first);
    expect(await run('layer-norm/128', 0.1, 2)).not.toEqual(first);
  });

  test('batch norm learns, too, and predicts by its running statistics', async () => {
    const { error } = await run('batch-norm/4', 0.05);
    expect(error).toBeLessThan(60);
  });

  test('hears an abort between steps, and frees what it made', async () => {
    const abort = new AbortController();
    const before = memory().numTensors;
    let heard = 0;
    const progress = (): void => {
      heard++;
      abort.abort();
    };
    const options = { seed: 1, scale: 1, backend: 'wasm', signal: abort.signal, progress };
    const error: unknown = await recipe.run({ ...options, arm: 'lstm' }).catch((error: unknown) => error);
    expect(isEvenkeelError(error, 'ABORTED')).toBe(true);
    expect([heard, memory().numTensors]).toEqual([1, before]);
  });

  test('runs through the harness', async () => {
    const report = await runRecipe(recipe, { scale: 0.005, arms: ['none/128', 'lstm'], seeds: [3] });
    expect(report.failures).toEqual([]);
    expect(Object.keys(report.figures)).toEqual(['none/128', 'lstm']);
  });
});

test('orthogonal matrices have orthonormal rows', () => {
  const [rows, columns] = [32, 128];
  const matrix = orthogonal(random(5), rows, columns);
  for (let a = 0; a < rows; a++) {
    for (let b = 0; b <= a; b++) {
      let product = 0;
      for (let i = 0; i < columns; i++) product += matrix[a * columns + i]! * matrix[b * columns + i]!;
      expect(product).toBeCloseTo(a === b ? 1 : 0, 5);
    }
  }
});
