import { dispose, memory, ones, tensor, type Tensor } from '@tensorflow/tfjs-core';
import { layers, regularizers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { unregister, use } from '@evenkeel/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  backends,
  expectClose,
  expectNoLeak,
  failure,
  losses,
  modelOf,
  numbers,
  saveAndLoad,
  seeded,
  start,
  summary,
  values,
} from '../../test/models.ts';
import { GroupNormalization, WSConv1D, WSConv2D, WSConv3D, WSDense, WSDepthwiseConv2D, WSSeparableConv2D } from '../layers.ts';
import { bakeWeights, standardizeWeights } from '../models.ts';
import { norms } from '../plugin.ts';
import { weightStandardize } from './index.ts';
import type { StandardizedLayer } from './standardized-layer.ts';

const weightsOf = (layer: layers.Layer): Promise<number[][]> => Promise.all(layer.getWeights().map(values));
const named = (layer: layers.Layer): string[] => layer.weights.map(({ name }) => name.replace(/^.*\//, ''));

/** Every layer with its input, beside tfjs-layers' own. */
const kinds: [string, () => StandardizedLayer, () => layers.Layer, number[]][] = [
  [
    'WSConv1D',
    () => new WSConv1D({ filters: 4, kernelSize: 3, strides: 2, inputShape: [9, 3] }),
    () => layers.conv1d({ filters: 4, kernelSize: 3, strides: 2, inputShape: [9, 3] }),
    [2, 9, 3],
  ],
  [
    'WSConv2D',
    () => new WSConv2D({ filters: 5, kernelSize: [3, 2], strides: 2, padding: 'same', activation: 'relu', inputShape: [7, 6, 3] }),
    () => layers.conv2d({ filters: 5, kernelSize: [3, 2], strides: 2, padding: 'same', activation: 'relu', inputShape: [7, 6, 3] }),
    [2, 7, 6, 3],
  ],
  [
    'WSConv3D',
    () => new WSConv3D({ filters: 2, kernelSize: 2, inputShape: [3, 4, 3, 2] }),
    () => layers.conv3d({ filters: 2, kernelSize: 2, inputShape: [3, 4, 3, 2] }),
    [2, 3, 4, 3, 2],
  ],
  [
    'WSDepthwiseConv2D',
    () => new WSDepthwiseConv2D({ kernelSize: 3, depthMultiplier: 2, inputShape: [5, 5, 3] }),
    () => layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, inputShape: [5, 5, 3] }),
    [2, 5, 5, 3],
  ],
  [
    'WSSeparableConv2D',
    () => new WSSeparableConv2D({ filters: 4, kernelSize: 3, inputShape: [5, 5, 3] }),
    () => layers.separableConv2d({ filters: 4, kernelSize: 3, inputShape: [5, 5, 3] }),
    [2, 5, 5, 3],
  ],
  [
    'WSDense',
    () => new WSDense({ units: 4, useBias: false, inputShape: [6] }),
    () => layers.dense({ units: 4, useBias: false, inputShape: [6] }),
    [3, 6],
  ],
];

/** Six weights of 1. */
const sixOnes = (extra: object): LayersModel =>
  modelOf(new WSDense({ units: 2, useBias: false, kernelInitializer: 'ones', inputShape: [3], ...extra }));

describe.each(backends)('layers with standardized weights on %s', (name) => {
  beforeEach(() => start(name));
  afterEach(() => unregister(norms));

  test.each(kinds)('%s computes as the layer of tfjs does with a standardized kernel, under its names', async (_, make, plain, shape) => {
    const [layer, theirs] = [make(), plain()];
    const [model, other] = [modelOf(layer), modelOf(theirs)];
    expect(named(layer)).toEqual(named(theirs));
    expect(model.outputs[0]!.shape).toEqual(other.outputs[0]!.shape);
    const given = layer.weights.map((weight, i) => numbers(weight.shape as number[], i + 1));
    layer.setWeights(given);
    theirs.setWeights(
      given.map((value, i) => {
        const weight = named(layer)[i]!;
        return weight === 'bias' ? value : weightStandardize(value, { depthwise: weight === 'depthwise_kernel' });
      }),
    );
    const x = numbers(shape, 9);
    await expectClose(model.predict(x) as Tensor, other.predict(x) as Tensor, 2e-5);
    // The weights themselves are as they were given.
    expect(await weightsOf(layer)).toEqual(await Promise.all(given.map(values)));
  });

  test.each(kinds)('%s trains, saves, loads and bakes', async (_, make, __, shape) => {
    use(norms);
    const layer = make();
    const model = seeded(modelOf(layer));
    const x = numbers(shape, 3);
    const before = await weightsOf(layer);
    const found = await losses(model, x, 6, 0.01);
    expect(found.at(-1)!).toBeLessThan(found[0]!);
    const after = await weightsOf(layer);
    after.forEach((weight, i) => expect(weight).not.toEqual(before[i]));
    const loaded = await saveAndLoad(model);
    expect(loaded.layers[0]!.getClassName()).toBe(layer.getClassName());
    expect(JSON.stringify(loaded.layers[0]!.getConfig())).toBe(JSON.stringify(layer.getConfig()));
    expect(await weightsOf(loaded.layers[0]!)).toEqual(after);
    const wanted = model.predict(x) as Tensor;
    await expectClose(loaded.predict(x) as Tensor, wanted, 0);
    const baked = layer.bake();
    expect(baked.getClassName()).toBe(layer.getClassName().slice(2));
    await expectClose(baked.apply(x) as Tensor, wanted);
    await expectClose(bakeWeights(model).predict(x) as Tensor, wanted);
    expect(await weightsOf(layer)).toEqual(after);
    expect(summary(model)).toContain(`Trainable params: ${layer.countParams()}`);
  });

  test('keeps variant and epsilon', async () => {
    use(norms);
    const model = modelOf(new WSConv2D({ filters: 3, kernelSize: 2, variant: 'std_biased+eps', epsilon: 0.1, inputShape: [3, 3, 2] }));
    const loaded = await saveAndLoad(model);
    expect(loaded.layers[0]!.getConfig()).toMatchObject({ variant: 'std_biased+eps', epsilon: 0.1 });
    const x = numbers([1, 3, 3, 2]);
    await expectClose(loaded.predict(x) as Tensor, model.predict(x) as Tensor, 0);
  });

  test('regularizers act on the weights as they are, frozen weights stay', async () => {
    const [x, bare] = [numbers([4, 3]), sixOnes({})];
    const regularized = sixOnes({ kernelRegularizer: regularizers.l2({ l2: 0.5 }) });
    const [one] = await losses(bare, x, 1);
    const [other] = await losses(regularized, x, 1);
    // Six ones.
    expect(other! - one!).toBeCloseTo(3, 4);
    const frozen = sixOnes({ trainable: false });
    const before = await weightsOf(frozen.layers[0]!);
    const model = sequential({ layers: [frozen.layers[0]!, layers.dense({ units: 2 })] });
    await losses(model, x, 2);
    expect(await weightsOf(frozen.layers[0]!)).toEqual(before);
  });

  test('leaves no tensor behind', async () => {
    const model = modelOf(new WSConv2D({ filters: 2, kernelSize: 3, inputShape: [5, 5, 2] }));
    const [x, y] = [numbers([2, 5, 5, 2]), numbers([2, 3, 3, 2], 2)];
    await expectNoLeak(() => (model.predict(x) as Tensor).dispose());
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await expectNoLeak(() => model.fit(x, y, { verbose: 0 }));
    const layer = model.layers[0] as WSConv2D;
    await expectNoLeak(() => dispose(layer.bake().getWeights()));
  });

  test('names the layer whose kernel is not finite', async () => {
    const layer = new WSDense({ units: 2, name: 'sick', inputShape: [2] });
    const model = modelOf(layer);
    layer.setWeights([tensor([1, Number.NaN, 2, 3], [2, 2]), ones([2])]);
    const error = await failure(() => losses(model, numbers([4, 2]), 1));
    expect([error.code, error.argument]).toEqual(['NON_FINITE', 'kernel']);
    expect(error.message).toContain('of layer sick has NaN');
    expect((await failure(() => layer.bake())).code).toBe('NON_FINITE');
  });

  test('standardizeWeights keeps weights and names, bakeWeights goes back', async () => {
    use(norms);
    const old = sequential({
      layers: [
        layers.conv2d({ filters: 4, kernelSize: 3, useBias: false, name: 'stem', inputShape: [8, 8, 3] }),
        new GroupNormalization({ groups: 2 }),
        layers.reLU(),
        layers.depthwiseConv2d({ kernelSize: 3, name: 'each' }),
        layers.flatten(),
        layers.dense({ units: 2, name: 'last' }),
      ],
    });
    seeded(old);
    const { model, standardized } = standardizeWeights(old, { variant: 'std_unbiased+eps' });
    expect(standardized).toEqual(['stem', 'each']);
    expect(model.layers.map((layer) => layer.constructor)).toEqual(
      expect.arrayContaining([WSConv2D, WSDepthwiseConv2D, GroupNormalization]),
    );
    expect(model.layers.map(({ name }) => name)).toEqual(old.layers.map(({ name }) => name));
    for (const [i, layer] of model.layers.entries()) expect(await weightsOf(layer)).toEqual(await weightsOf(old.layers[i]!));
    expect(model.getLayer('stem').getConfig()).toMatchObject({ variant: 'std_unbiased+eps', useBias: false });
    const x = numbers([2, 8, 8, 3]);
    const found = await losses(model, x, 4, 0.001);
    expect(found.at(-1)!).toBeLessThan(found[0]!);
    const baked = bakeWeights(model);
    expect(baked.layers.map((layer) => layer.getClassName())).toEqual(old.layers.map((layer) => layer.getClassName()));
    await expectClose(baked.predict(x) as Tensor, model.predict(x) as Tensor);
    expect(standardizeWeights(old, { layers: (layer) => layer.name === 'last' }).standardized).toEqual(['last']);
  });

  test('standardizeWeights and bakeWeights say what they cannot do, and leave nothing behind', async () => {
    const dense = sequential({ layers: [layers.dense({ units: 2, inputShape: [3] })] });
    const single = sequential({
      layers: [
        layers.conv2d({ filters: 2, kernelSize: 3, inputShape: [4, 4, 2] }),
        layers.depthwiseConv2d({ kernelSize: 1, name: 'single' }),
      ],
    });
    const before = memory().numTensors;
    expect((await failure(() => standardizeWeights(dense))).code).toBe('NOT_FOUND');
    expect((await failure(() => bakeWeights(dense))).code).toBe('NOT_FOUND');
    expect((await failure(() => standardizeWeights(single, { layers: (layer) => layer.name === 'none' }))).argument).toBe('layers');
    const shape = await failure(() => standardizeWeights(single));
    expect(shape.message).toContain('layer single has a kernel of shape [1, 1, 2, 1], expected more than one weight per filter');
    expect(memory().numTensors).toBe(before);
  });
});

test.each([
  [
    'variant',
    { variant: 'other' as never },
    'variant is "other", expected one of sqrt(var_unbiased+eps), std_unbiased+eps, std_biased+eps',
  ],
  ['epsilon', { epsilon: 0 }, 'WSConv2D: epsilon is 0'],
  ['kernelSize', { kernelSize: 1, name: 'narrow', inputShape: [4, 4, 1] }, 'layer narrow has a kernel of shape [1, 1, 1, 2]'],
])('refuses a bad %s: %o', async (argument, args, message) => {
  await start('cpu');
  const error = await failure(() => modelOf(new WSConv2D({ filters: 2, kernelSize: 3, inputShape: [4, 4, 2], ...args })));
  expect(error.argument).toBe(argument);
  expect(error.message).toContain(message);
});

test('a layer that has not been built cannot be baked', async () => {
  await start('cpu');
  const error = await failure(() => new WSConv2D({ filters: 2, kernelSize: 3, name: 'new' }).bake());
  expect([error.op, error.argument]).toEqual(['bake', 'layer']);
});
