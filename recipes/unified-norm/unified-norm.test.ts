import '../../tools/test-backends.ts';
import { memory } from '@tensorflow/tfjs-core';
import { backend } from '@evenkeel/core';
import { expect, test } from 'vitest';
import { rulesOf } from '../harness/index.ts';
import { runFolding, VARIANTS } from './folding.ts';
import recipe from './index.ts';

test('the recipe unified-norm has rules that can fail', () => {
  expect(recipe.arms).toHaveLength(10);
  expect(rulesOf(recipe)).toHaveLength(8);
});

test('the folded Transformer computes the same with a kernel less for each norm, in less memory, and nothing is left behind', async () => {
  await backend('wasm');
  const before = memory().numTensors;
  let told = 0;
  const progress = (): number => told++;
  const found = await runFolding({ arm: 'folding', seed: 2, scale: 0.1, backend: 'wasm', signal: undefined, progress });
  expect(memory().numTensors).toBe(before);
  expect(told).toBe(8);
  expect(found['relative difference']).toBeLessThan(1e-5);
  // Nine norms: two in each of four blocks, and one before the head.
  expect(found['kernels, unified norm']! - found['kernels, folded']!).toBe(9);
  expect(found['peak MB, folded']!).toBeLessThan(found['peak MB, layer norm']!);
  for (const variant of VARIANTS) expect(found[`ms, ${variant}`]).toBeGreaterThan(0);
}, 60_000);
