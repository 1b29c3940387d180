import { concat, mul, ones, tensor, train, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { input, layers, model as modelFrom, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { unregister, use } from '@evenkeel/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backends, expectClose, expectNoLeak, failure, losses, modelOf, numbers, saveAndLoad, start, values } from '../../test/models.ts';
import { RegionNormBasic, RegionNormLearnable } from '../layers.ts';
import { norms } from '../plugin.ts';
import { regionNormBasic, regionNormLearnable, type RegionNormLearnableWeights } from './index.ts';

/** Pictures of 8 x 8 and masks of the same size, halved by a convolution before the norm. */
function inpainting(norm: layers.Layer): LayersModel {
  const picture = input({ shape: [8, 8, 3] });
  const mask = input({ shape: [8, 8, 1] });
  const features = layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same' }).apply(picture);
  const normalized = norm.apply([features, mask] as SymbolicTensor[]);
  const out = layers.dense({ units: 2 }).apply(layers.flatten().apply(normalized)) as SymbolicTensor;
  return modelFrom({ inputs: [picture, mask], outputs: out });
}

const holes = (samples: number): Tensor =>
  tensor(
    Array.from({ length: samples * 64 }, (_, i) => (i % 8 >= 4 && i % 64 >= 32 ? 1 : 0)),
    [samples, 8, 8, 1],
  );

/** A mask whose right half has this value. */
const half = (value: number): Tensor => concat([zeros([2, 4, 2, 1]), mul(ones([2, 4, 2, 1]), value)], 2);

const named = (layer: layers.Layer): string[] => layer.weights.map(({ name }) => name.replace(/^.*\//, ''));

describe.each(backends)('the layers of region normalization on %s', (name) => {
  beforeEach(() => start(name));
  afterEach(() => unregister(norms));

  test('RegionNormBasic computes as the function does, with a mask of another resolution', async () => {
    const layer = new RegionNormBasic({ affineMode: 'perRegion', resize: 'max', statistics: 'instance', epsilon: 1e-3 });
    const [x, mask] = [numbers([2, 4, 4, 3]), holes(2)];
    layer.apply([x, mask]);
    expect(named(layer)).toEqual(['foreground_gamma', 'foreground_beta', 'background_gamma', 'background_beta']);
    const [foregroundGamma, foregroundBeta, backgroundGamma, backgroundBeta] = [1, 2, 3, 4].map((seed) => numbers([3], seed));
    layer.setWeights([foregroundGamma!, foregroundBeta!, backgroundGamma!, backgroundBeta!]);
    await expectClose(
      layer.apply([x, mask]) as Tensor,
      regionNormBasic(
        x,
        mask,
        { foregroundGamma, foregroundBeta, backgroundGamma, backgroundBeta },
        { affineMode: 'perRegion', resize: 'max', statistics: 'instance', epsilon: 1e-3 },
      ),
    );
  });

  test('RegionNormBasic trains in a model of two inputs, and inference leaves it as it is', async () => {
    const model = inpainting(new RegionNormBasic());
    const [x, y] = [[numbers([8, 8, 8, 3]), holes(8)], numbers([8, 2], 7)];
    model.compile({ optimizer: train.sgd(0.05), loss: 'meanSquaredError' });
    const { history } = await model.fit(x, y, { epochs: 8, batchSize: 8, shuffle: false, verbose: 0 });
    const loss = history['loss'] as number[];
    expect(loss.at(-1)!).toBeLessThan(0.8 * loss[0]!);
    const norm = model.layers.find((layer) => layer.getClassName() === 'RegionNormBasic')!;
    const before = await Promise.all(norm.getWeights().map(values));
    expect(before.every((weight) => weight.some((value) => value !== 0))).toBe(true);
    model.predict(x);
    expect(await Promise.all(norm.getWeights().map(values))).toEqual(before);
  });

  test('RegionNormBasic saves and loads with all its arguments', async () => {
    use(norms);
    const args = {
      affineMode: 'perRegion',
      resize: 'max',
      statistics: 'instance',
      epsilonMode: 'official',
      epsilon: 0.01,
      binarize: true,
    } as const;
    const model = inpainting(new RegionNormBasic({ ...args, gammaInitializer: 'ones' }));
    const loaded = await saveAndLoad(model);
    const norm = loaded.layers.find((layer) => layer instanceof RegionNormBasic)!;
    expect(norm.getConfig()).toMatchObject({ ...args, gammaInitializer: { className: 'Ones' } });
    const x = [numbers([2, 8, 8, 3]), holes(2)];
    await expectClose(loaded.predict(x) as Tensor, model.predict(x) as Tensor);
  });

  test('RegionNormBasic wants features and a mask, in this order', async () => {
    const x = numbers([2, 4, 4, 3]);
    const single = await failure(() => new RegionNormBasic().apply(x));
    expect([single.code, single.argument]).toEqual(['INVALID_ARGUMENT', 'inputs']);
    expect(single.message).toContain('1 for hole');
    const swapped = await failure(() => new RegionNormBasic().apply([ones([2, 4, 4, 1]), x]));
    expect([swapped.code, swapped.argument]).toEqual(['SHAPE', 'mask']);
    const grey = await failure(() => new RegionNormBasic().apply([x, numbers([2, 4, 4, 1])]));
    expect([grey.code, grey.argument]).toEqual(['INVALID_ARGUMENT', 'mask']);
    const other = new RegionNormBasic({ binarize: true });
    await expectClose(other.apply([x, half(0.9)]) as Tensor, other.apply([x, half(1)]) as Tensor);
    for (const [args, argument] of [
      [{ affineMode: 'paper' }, 'affineMode'],
      [{ resize: 'area' }, 'resize'],
      [{ statistics: 'layer' }, 'statistics'],
      [{ epsilon: 0 }, 'epsilon'],
      [{ binarize: 'yes' }, 'binarize'],
    ] as const) {
      expect((await failure(() => new RegionNormBasic(args as never))).argument).toBe(argument);
    }
  });

  test('RegionNormLearnable starts with one region, and computes as the function does', async () => {
    const layer = new RegionNormLearnable({ kernelSize: 3, threshold: 0.6, statistics: 'instance', inputShape: [6, 6, 4] });
    const x = numbers([2, 6, 6, 4]);
    const model = modelOf(layer);
    expect(named(layer)).toEqual(['map_kernel', 'gamma_kernel', 'gamma_bias', 'beta_kernel', 'beta_bias']);
    expect((await values(layer.regions(x).mask)).every((value) => value === 0)).toBe(true);
    (await values(layer.regions(x).importance)).forEach((value) => expect(Math.abs(value - 0.5)).toBeLessThan(0.1));
    const given = [numbers([3, 3, 2, 1], 1), numbers([3, 3, 1, 1], 2), numbers([1], 3), numbers([3, 3, 1, 1], 4), numbers([1], 5)];
    layer.setWeights(given);
    const [mapKernel, gammaKernel, gammaBias, betaKernel, betaBias] = given as [Tensor, Tensor, Tensor, Tensor, Tensor];
    const weights: RegionNormLearnableWeights = { mapKernel, gammaKernel, gammaBias, betaKernel, betaBias };
    await expectClose(model.predict(x) as Tensor, regionNormLearnable(x, weights, { threshold: 0.6, statistics: 'instance' }));
    const regions = await values(layer.regions(x).mask);
    expect(new Set(regions)).toEqual(new Set([0, 1]));
  });

  test('RegionNormLearnable trains, saves and loads', async () => {
    use(norms);
    const layer = new RegionNormLearnable({
      kernelSize: 3,
      threshold: 0.55,
      epsilon: 0.01,
      biasInitializer: 'ones',
      inputShape: [6, 6, 4],
    });
    const model = modelOf(layer);
    const found = await losses(model, numbers([4, 6, 6, 4]), 8, 0.2);
    expect(found.at(-1)!).toBeLessThan(found[0]!);
    const loaded = await saveAndLoad(model);
    expect(loaded.layers[0]!.getConfig()).toMatchObject({
      kernelSize: 3,
      threshold: 0.55,
      epsilon: 0.01,
      statistics: 'batch',
      epsilonMode: 'official',
    });
    const x = numbers([2, 6, 6, 4], 9);
    await expectClose(loaded.predict(x) as Tensor, model.predict(x) as Tensor);
    await expectNoLeak(() => (model.predict(x) as Tensor).dispose());
  });

  test('RegionNormLearnable refuses by name', async () => {
    for (const [args, argument] of [
      [{ kernelSize: 4 }, 'kernelSize'],
      [{ threshold: 1 }, 'threshold'],
      [{ epsilon: -1 }, 'epsilon'],
    ] as const) {
      expect((await failure(() => new RegionNormLearnable(args))).argument).toBe(argument);
    }
    expect((await failure(() => new RegionNormLearnable().regions(numbers([1, 4, 4, 2])))).message).toContain('applied');
    expect((await failure(() => new RegionNormLearnable().apply(numbers([4, 2])))).argument).toBe('inputShape');
  });
});
