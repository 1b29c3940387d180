import '../../tools/test-backends.ts';
import { dispose, memory, ones, tensor, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError, random } from '@evenkeel/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { rulesOf, type Figures } from '../harness/index.ts';
import { buildInpaintingGenerator, inpaint } from './generator.ts';
import recipe from './index.ts';
import { cutPatches, PATCH, readPicture } from './pictures.ts';

const run = (arm: string, scale: number, seed = 1): Promise<Figures> =>
  recipe.run({ arm, seed, scale, backend: 'wasm', signal: undefined, progress: () => {} });

const [overAll, byRegion, ...inpainting] = recipe.arms as [string, string, ...string[]];

describe('the recipe region-norm', () => {
  beforeAll(() => backend('wasm'));

  test('has two arms that rules are about, and four that are shown', () => {
    expect(inpainting).toHaveLength(4);
    expect(rulesOf(recipe)).toHaveLength(6);
  });

  test('every arm runs, and leaves no tensor behind', async () => {
    for (const arm of recipe.arms) {
      const before = memory().numTensors;
      const found = await run(arm, 0.01);
      for (const [name, value] of Object.entries(found)) expect(value, `${arm}: ${name}`).toBeGreaterThanOrEqual(0);
      expect(memory().numTensors, arm).toBe(before);
    }
  }, 120_000);

  test('both arms train the same network, and differ where there is a hole', async () => {
    const [all, regions] = [await run(overAll, 0.2), await run(byRegion, 0.2)];
    // One of ten would be chance.
    expect(all['accuracy without hole']).toBeGreaterThan(30);
    expect(regions['accuracy without hole']).toBe(all['accuracy without hole']);
    expect(regions['feature shift']).not.toBe(all['feature shift']);
    expect(all['mean shift at 40%']).toBeGreaterThan(0.1);
    expect(regions['mean shift at 40%']).toBeLessThan(1e-4);
  }, 120_000);

  test('patches are of the photographs, each with one hole, and the same for a seed', async () => {
    const photographs = await Promise.all(['astronaut', 'chelsea', 'coffee'].map(readPicture));
    expect(photographs.map(({ width, height }) => [width, height])).toEqual([
      [128, 128],
      [150, 100],
      [150, 100],
    ]);
    const patches = cutPatches(photographs, 20, random(1));
    for (let i = 0; i < 20; i++) {
      const pixels = patches.masks.subarray(i * PATCH ** 2, (i + 1) * PATCH ** 2).reduce((a, b) => a + b);
      expect(pixels).toBeGreaterThanOrEqual(64);
      expect(pixels).toBeLessThanOrEqual(196);
    }
    expect(cutPatches(photographs, 20, random(1))).toEqual(patches);
  });

  test('the generator paints the hole and nothing else, a picture at a time as in a batch', async () => {
    const generator = buildInpaintingGenerator({ width: 4, blocks: 1 });
    const pictures = random(1).uniform(2 * 64 * 3);
    const holes = Float32Array.from({ length: 128 }, (_, i) => (i % 64 < 16 ? 1 : 0));
    const [picture, mask] = [tensor(pictures, [2, 8, 8, 3]), tensor(holes, [2, 8, 8, 1])];
    const both = inpaint(generator, picture, mask);
    const [first, firstMask] = [tensor(pictures.subarray(0, 192), [1, 8, 8, 3]), tensor(holes.subarray(0, 64), [1, 8, 8, 1])];
    const alone = inpaint(generator, first, firstMask);
    const [a, b] = [await both.data(), await alone.data()];
    b.forEach((value, i) => expect(Math.abs(value - a[i]!)).toBeLessThan(1e-5));
    a.forEach((value, i) => {
      if (holes[Math.floor(i / 3)] === 0) expect(value).toBe(pictures[i]);
      else expect(value).not.toBe(pictures[i]);
    });
    const [whole, none]: Tensor[] = [ones([1, 8, 8, 1]), zeros([1, 8, 8, 1])];
    const [painted, same] = [inpaint(generator, first, whole!), inpaint(generator, first, none!)];
    expect((await painted.data()).every(Number.isFinite)).toBe(true);
    expect(await same.data()).toEqual(await first.data());
    dispose([picture, mask, both, first, firstMask, alone, whole!, none!, painted, same]);
    generator.dispose();
  });

  test('hears an abort between steps, and frees what it made', async () => {
    for (const arm of [byRegion, inpainting[0]!]) {
      const abort = new AbortController();
      const before = memory().numTensors;
      const progress = (): void => abort.abort();
      const options = { arm, seed: 1, scale: 1, backend: 'wasm', signal: abort.signal, progress };
      const error: unknown = await recipe.run(options).catch((error: unknown) => error);
      expect(isEvenkeelError(error, 'ABORTED')).toBe(true);
      expect(memory().numTensors).toBe(before);
    }
  }, 120_000);
});
