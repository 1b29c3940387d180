import { concat, fill, grads, tensor1d, transpose, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
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
  start,
  summary,
  values,
} from '../../test/models.ts';
import { EvoNormalization, type EvoNormVariant } from '../layers.ts';
import { norms } from '../plugin.ts';
import { evoNormB0, evoNormB0Inference, evoNormS0, evoNormS1, evoNormS2 } from './index.ts';

const variants: EvoNormVariant[] = ['B0', 'B1', 'B2', 'S0', 'S1', 'S2'];

const weightsOf = (model: LayersModel, index = 0): Promise<number[][]> => Promise.all(model.layers[index]!.getWeights().map(values));
const named = (layer: layers.Layer): string[] => layer.weights.map(({ name }) => name.replace(/^.*\//, ''));

describe.each(backends)('EvoNormalization on %s', (name) => {
  beforeEach(() => start(name));
  afterEach(() => unregister(norms));

  test('has the weights of its variant', () => {
    const wanted: Record<string, string[]> = {
      B0: ['gamma', 'beta', 'v', 'moving_variance'],
      B1: ['gamma', 'beta', 'moving_variance'],
      B2: ['gamma', 'beta', 'moving_variance'],
      S0: ['gamma', 'beta', 'v'],
      S1: ['gamma', 'beta'],
      S2: ['gamma', 'beta'],
    };
    for (const variant of variants) {
      const layer = new EvoNormalization({ variant, inputShape: [4, 4, 6] });
      modelOf(layer);
      expect(named(layer), variant).toEqual(wanted[variant]);
      expect(layer.numGroups, variant).toBe(variant.startsWith('B') ? undefined : 6);
    }
  });

  test.each(variants)('%s trains: the loss falls', async (variant) => {
    const model = sequential({
      layers: [
        layers.conv2d({ filters: 8, kernelSize: 3, useBias: false, inputShape: [5, 5, 2] }),
        new EvoNormalization({ variant, groups: 4 }),
        layers.flatten(),
        layers.dense({ units: 2 }),
      ],
    });
    const found = await losses(model, numbers([8, 5, 5, 2]), 8, 0.02);
    expect(found.at(-1)!).toBeLessThan(0.8 * found[0]!);
    found.forEach((loss) => expect(loss).toBeTypeOf('number'));
  });

  test('computes as the functions do, with channels last or elsewhere', async () => {
    const x = numbers([2, 4, 4, 6]);
    const v = numbers([6], 3);
    const s0 = new EvoNormalization({ groups: 3, inputShape: [4, 4, 6] });
    const model = modelOf(s0);
    s0.setWeights([numbers([6], 1), numbers([6], 2), v]);
    const [gamma, beta] = s0.getWeights() as [Tensor, Tensor];
    await expectClose(model.predict(x) as Tensor, evoNormS0(x, gamma, beta, v, { groups: 3 }));
    const first = new EvoNormalization({ groups: 3, axis: 1, inputShape: [6, 4, 4] });
    const other = modelOf(first);
    first.setWeights([gamma, beta, v]);
    await expectClose(transpose(other.predict(transpose(x, [0, 3, 1, 2])) as Tensor, [0, 2, 3, 1]), model.predict(x) as Tensor);
    await expectClose(
      new EvoNormalization({ variant: 'S1', groups: 2 }).apply(x) as Tensor,
      evoNormS1(x, undefined, undefined, { groups: 2 }),
    );
    await expectClose(new EvoNormalization({ variant: 'S2' }).apply(x) as Tensor, evoNormS2(x));
  });

  test('a B variant moves its variance in training, and only there', async () => {
    const x = numbers([8, 3, 3, 2]);
    const model = modelOf(new EvoNormalization({ variant: 'B0', momentum: 0.8, inputShape: [3, 3, 2] }));
    await losses(model, x, 1);
    const found = await values(evoNormB0(x).variance);
    const [gamma, beta, v, moving] = model.layers[0]!.getWeights() as [Tensor, Tensor, Tensor, Tensor];
    (await values(moving)).forEach((value, i) => expect(value).toBeCloseTo(0.8 + 0.2 * found[i]!, 5));
    const before = await weightsOf(model);
    const y = model.predict(x) as Tensor;
    await expectClose(y, evoNormB0Inference(x, moving, gamma, beta, v));
    model.evaluate(x, y);
    expect(await weightsOf(model)).toEqual(before);
  });

  test('a frozen layer takes the moving variance and leaves it alone', async () => {
    const layer = new EvoNormalization({ variant: 'B1', trainable: false, inputShape: [4, 6] });
    const model = sequential({ layers: [layer, layers.flatten(), layers.dense({ units: 2 })] });
    layer.setWeights([numbers([6], 1), numbers([6], 2), fill([6], 2)]);
    const before = await weightsOf(model);
    await losses(model, numbers([8, 4, 6]), 2);
    expect(await weightsOf(model)).toEqual(before);
    const x = numbers([1, 4, 6]);
    await expectClose(layer.apply(x, { training: true }) as Tensor, layer.apply(x) as Tensor);
  });

  test('a batch with NaN throws by default and leaves every weight as it was', async () => {
    const x = concat([numbers([7, 2, 2]), fill([1, 2, 2], Number.NaN)]);
    const model = modelOf(new EvoNormalization({ variant: 'B2', inputShape: [2, 2] }));
    const before = await weightsOf(model);
    const error = await failure(() => losses(model, x, 1));
    expect([error.code, error.argument]).toEqual(['NON_FINITE', 'variance']);
    expect(await weightsOf(model)).toEqual(before);
    const skipping = new EvoNormalization({ variant: 'B2', onNonFinite: 'skip', inputShape: [2, 2] });
    modelOf(skipping);
    skipping.apply(x, { training: true });
    expect(await values(skipping.getWeights()[2]!)).toEqual([1, 1]);
  });

  test('without nonlinearity it is gamma x + beta, whatever the batch', async () => {
    const layer = new EvoNormalization({ variant: 'B0', nonlinearity: false, inputShape: [2, 3] });
    const model = modelOf(layer);
    expect(named(layer)).toEqual(['gamma', 'beta']);
    layer.setWeights([tensor1d([1, 2, 3]), tensor1d([0, -1, 1])]);
    expect(await values(model.predict(fill([1, 2, 3], 2)) as Tensor)).toEqual([2, 3, 7, 2, 3, 7]);
  });

  test('with initZero a residual branch starts as nothing, and gamma can learn', async () => {
    const layer = new EvoNormalization({ initZero: true, inputShape: [4, 8] });
    const model = modelOf(layer);
    const x = numbers([2, 4, 8]);
    expect((await values(model.predict(x) as Tensor)).every((value) => value === 0)).toBe(true);
    const [gradient] = grads((gamma: Tensor) => evoNormS0(x, gamma))([zeros([8])], x);
    expect((await values(gradient!)).every((value) => value !== 0)).toBe(true);
  });

  test.each(variants)('%s saves and loads with its state and all its arguments', async (variant) => {
    use(norms);
    const layer = new EvoNormalization({
      variant,
      axis: 1,
      groups: 2,
      epsilon: 0.1,
      momentum: 0.5,
      movingVariance: 'unbiased',
      onNonFinite: 'skip',
      initZero: true,
      vInitializer: 'zeros',
      inputShape: [4, 3],
    });
    const model = modelOf(layer);
    const x = numbers([4, 4, 3]);
    await losses(model, x, 2);
    const loaded = await saveAndLoad(model);
    const copy = loaded.layers[0]!;
    expect(JSON.stringify(copy.getConfig())).toBe(JSON.stringify(layer.getConfig()));
    expect(copy.getConfig()).toMatchObject({ variant, groups: 2, momentum: 0.5, movingVariance: 'unbiased', initZero: true });
    expect(await weightsOf(loaded)).toEqual(await weightsOf(model));
    expect(await values(loaded.predict(x) as Tensor)).toEqual(await values(model.predict(x) as Tensor));
    expect(summary(model)).toMatch(/\[null,4,3\]/);
  });

  test('its state can be set back', async () => {
    const layer = new EvoNormalization({ variant: 'B1', inputShape: [3, 2] });
    const model = modelOf(layer);
    const fresh = await weightsOf(model);
    await losses(model, numbers([8, 3, 2]), 2);
    expect(await weightsOf(model)).not.toEqual(fresh);
    layer.setWeights(fresh.map((each) => tensor1d(each)));
    expect(await weightsOf(model)).toEqual(fresh);
  });

  test.each(['B0', 'S0'] as const)('%s leaves no tensor behind', async (variant) => {
    const model = modelOf(new EvoNormalization({ variant, axis: 1, inputShape: [4, 3] }));
    const [x, y] = [numbers([2, 4, 3]), numbers([2, 4, 3], 2)];
    await expectNoLeak(() => (model.predict(x) as Tensor).dispose());
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await expectNoLeak(() => model.fit(x, y, { verbose: 0 }));
  });

  test('a statistic over one value is refused', async () => {
    const error = await failure(() => losses(modelOf(new EvoNormalization({ variant: 'B0', inputShape: [4] })), numbers([1, 4]), 1));
    expect([error.code, error.argument]).toEqual(['SHAPE', 'x']);
    const other = await failure(() => modelOf(new EvoNormalization({ inputShape: [1, 1, 4] })).predict(numbers([1, 1, 1, 4])));
    expect([other.code, other.argument]).toEqual(['SHAPE', 'x']);
  });
});

test.each([
  ['variant', { variant: 'C0' as never }, 'variant is "C0", expected one of B0, B1, B2, S0, S1, S2'],
  ['groups', { groups: 0 }, 'groups is 0, expected an integer > 0'],
  ['momentum', { momentum: 1.5 }, 'EvoNormalization: momentum is 1.5, expected a number in [0, 1]'],
  ['movingVariance', { movingVariance: 'other' as never }, "expected 'biased' or 'unbiased'"],
  ['onNonFinite', { onNonFinite: 'ignore' as never }, "expected 'throw', 'skip' or 'propagate'"],
  ['nonlinearity', { nonlinearity: 1 as never }, 'nonlinearity is 1, expected a boolean'],
  ['initZero', { initZero: 'yes' as never }, 'initZero is "yes", expected a boolean'],
  ['epsilon', { epsilon: 0 }, 'epsilon is 0'],
  ['axis', { axis: 5 }, 'axis is 5, expected distinct axes of an input of rank 2'],
])('refuses a bad %s: %o', async (argument, args, message) => {
  await start('cpu');
  const error = await failure(() => modelOf(new EvoNormalization({ inputShape: [4], ...args })));
  expect(error.argument).toBe(argument);
  expect(error.message).toContain(message);
});
