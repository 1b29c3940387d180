import { concat, fill, tensor2d, train, transpose, type Tensor } from '@tensorflow/tfjs-core';
import { layers, loadLayersModel, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { unregister, use } from '@evenkeel/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  backends,
  expectClose,
  expectNoLeak,
  failure,
  kerasModel,
  losses,
  modelOf,
  numbers,
  saveAndLoad,
  start,
  summary,
  values,
} from '../../test/models.ts';
import { BatchNormalization } from '../layers.ts';
import { norms } from '../plugin.ts';
import { batchNorm, batchNormInference } from './batch-norm.ts';

const momentum = 0.8;

/** gamma, beta, moving mean, moving variance of the layer. */
const weightsOf = (model: LayersModel, index = 0): Promise<number[][]> => Promise.all(model.layers[index]!.getWeights().map(values));

describe.each(backends)('BatchNormalization on %s', (name) => {
  beforeEach(() => start(name));
  afterEach(() => unregister(norms));

  test.each([
    ['rows', [6]],
    ['images', [4, 4, 3]],
  ])('trains and predicts as the layer of tfjs on %s', async (_, inputShape) => {
    const x = numbers([8, ...inputShape]);
    const ours = modelOf(new BatchNormalization({ momentum, inputShape }));
    const theirs = modelOf(layers.batchNormalization({ momentum, inputShape }));
    await expectClose(ours.predict(x) as Tensor, theirs.predict(x) as Tensor);
    for (let epoch = 0; epoch < 3; epoch++) {
      const [a] = await losses(ours, x, 1);
      const [b] = await losses(theirs, x, 1);
      expect(a).toBeCloseTo(b!, 4);
      for (const [i, weight] of ours.layers[0]!.getWeights().entries()) await expectClose(weight, theirs.layers[0]!.getWeights()[i]!, 1e-4);
    }
    await expectClose(ours.predict(x) as Tensor, theirs.predict(x) as Tensor, 1e-4);
  });

  // The layer of tfjs cannot train so: its gradient fails on the shape of gamma.
  test('trains with channels first as with channels last', async () => {
    const x = numbers([8, 3, 4, 2]);
    const first = sequential({ layers: [new BatchNormalization({ momentum, axis: 1, inputShape: [3, 4, 2] }), layers.flatten()] });
    const last = sequential({
      layers: [
        layers.permute({ dims: [2, 3, 1], inputShape: [3, 4, 2] }),
        new BatchNormalization({ momentum }),
        layers.permute({ dims: [3, 1, 2] }),
        layers.flatten(),
      ],
    });
    (await losses(first, x, 3)).forEach((loss, i, all) => expect(loss).toBeLessThanOrEqual(all[Math.max(0, i - 1)]!));
    await losses(last, x, 3);
    for (const [i, weight] of first.layers[0]!.getWeights().entries()) await expectClose(weight, last.layers[1]!.getWeights()[i]!);
    await expectClose(first.predict(x) as Tensor, last.predict(x) as Tensor);
  });

  test('moves the statistics in training, and only there', async () => {
    const x = numbers([8, 3, 2]);
    const model = modelOf(new BatchNormalization({ momentum, inputShape: [3, 2] }));
    await losses(model, x, 1);
    const { mean, variance } = batchNorm(x);
    const [gamma, beta, movingMean, movingVariance] = model.layers[0]!.getWeights() as [Tensor, Tensor, Tensor, Tensor];
    (await values(mean)).forEach((value, i) => expect(movingMean.arraySync()).toHaveProperty(String(i), expect.closeTo(0.2 * value, 5)));
    (await values(variance)).forEach((value, i) =>
      expect(movingVariance.arraySync()).toHaveProperty(String(i), expect.closeTo(0.8 + 0.2 * value, 5)),
    );
    const before = await weightsOf(model);
    const y = model.predict(x) as Tensor;
    await expectClose(y, batchNormInference(x, movingMean, movingVariance, gamma, beta));
    model.evaluate(x, y);
    expect(await weightsOf(model)).toEqual(before);
  });

  test('a frozen layer normalizes by the moving statistics and leaves them alone', async () => {
    const layer = new BatchNormalization({ momentum, trainable: false, inputShape: [6] });
    const model = sequential({ layers: [layer, layers.dense({ units: 2 })] });
    layer.setWeights([numbers([6], 1), numbers([6], 2), numbers([6], 3), fill([6], 2)]);
    const before = await weightsOf(model);
    await losses(model, numbers([8, 6]), 2);
    expect(await weightsOf(model)).toEqual(before);
    const x = numbers([1, 6]);
    const y = layer.apply(x, { training: true }) as Tensor;
    await expectClose(y, layer.apply(x) as Tensor);
  });

  test('a batch with NaN throws by default and leaves every weight as it was', async () => {
    const x = concat([numbers([7, 2]), tensor2d([[Number.NaN, 1]])]);
    const model = modelOf(new BatchNormalization({ inputShape: [2] }));
    const before = await weightsOf(model);
    const error = await failure(() => losses(model, x, 1));
    expect([error.code, error.argument]).toEqual(['NON_FINITE', 'batch']);
    expect(await weightsOf(model)).toEqual(before);

    const skipping = modelOf(new BatchNormalization({ onNonFinite: 'skip', inputShape: [2] }));
    skipping.layers[0]!.apply(x, { training: true });
    expect((await weightsOf(skipping)).slice(2)).toEqual([
      [0, 0],
      [1, 1],
    ]);

    const letting = modelOf(new BatchNormalization({ onNonFinite: 'propagate', inputShape: [2] }));
    letting.layers[0]!.apply(x, { training: true });
    const [mean] = (await weightsOf(letting)).slice(2);
    expect(mean!.map(Number.isFinite)).toEqual([false, true]);
  });

  test('keeps the unbiased variance where it is told so', async () => {
    const x = numbers([8, 2]);
    const model = modelOf(new BatchNormalization({ momentum: 0, movingVariance: 'unbiased', inputShape: [2] }));
    await losses(model, x, 1);
    const { variance } = batchNorm(x);
    const moving = (await weightsOf(model))[3]!;
    (await values(variance)).forEach((value, i) => expect(moving[i]).toBeCloseTo((value * 8) / 7, 5));
  });

  test('a loaded Keras model predicts the same numbers with our layer and with that of tfjs', async () => {
    const config = {
      axis: [3],
      momentum: 0.95,
      epsilon: 0.01,
      center: true,
      scale: true,
      beta_initializer: { class_name: 'Zeros', config: {} },
      gamma_initializer: { class_name: 'Ones', config: {} },
      moving_mean_initializer: { class_name: 'Zeros', config: {} },
      moving_variance_initializer: { class_name: 'Ones', config: {} },
      beta_regularizer: null,
      gamma_regularizer: null,
      beta_constraint: null,
      gamma_constraint: null,
      synchronized: false,
    };
    const weights = { gamma: [1, 2], beta: [0, -1], moving_mean: [0.5, -0.5], moving_variance: [2, 3] };
    const x = numbers([2, 3, 3, 2]);
    const theirs = await loadLayersModel(kerasModel([3, 3, 2], 'BatchNormalization', config, weights));
    use(norms);
    const ours = await loadLayersModel(kerasModel([3, 3, 2], 'BatchNormalization', config, weights));
    const layer = ours.layers.at(-1)!;
    expect(layer).toBeInstanceOf(BatchNormalization);
    expect(layer.getConfig()).toMatchObject({ axis: [3], momentum: 0.95, epsilon: 0.01, movingVariance: 'biased', onNonFinite: 'throw' });
    await expectClose(ours.predict(x) as Tensor, theirs.predict(x) as Tensor);
    unregister(norms);
    const again = await loadLayersModel(kerasModel([3, 3, 2], 'BatchNormalization', config, weights));
    expect(again.layers.at(-1)).not.toBeInstanceOf(BatchNormalization);
  });

  test('saves and loads with its statistics and all its arguments', async () => {
    use(norms);
    const layer = new BatchNormalization({
      axis: 1,
      momentum,
      epsilon: 0.1,
      movingVariance: 'unbiased',
      onNonFinite: 'skip',
      scale: false,
      movingMeanInitializer: 'ones',
      inputShape: [3, 4],
    });
    const model = modelOf(layer);
    const x = numbers([4, 3, 4]);
    await losses(model, x, 2);
    const loaded = await saveAndLoad(model);
    const copy = loaded.layers[0]!;
    expect(JSON.stringify(copy.getConfig())).toBe(JSON.stringify(layer.getConfig()));
    expect(copy.getConfig()).toMatchObject({ movingVariance: 'unbiased', onNonFinite: 'skip', scale: false, momentum });
    expect(await weightsOf(loaded)).toEqual(await weightsOf(model));
    expect(await values(loaded.predict(x) as Tensor)).toEqual(await values(model.predict(x) as Tensor));
    expect(summary(model)).toMatch(/\[null,3,4\]\s+9 /);
  });

  test('what it saved, the layer of tfjs loads', async () => {
    const model = modelOf(new BatchNormalization({ momentum, center: false, inputShape: [4] }));
    const x = numbers([8, 4]);
    await losses(model, x, 2);
    const theirs = await saveAndLoad(model);
    expect(theirs.layers[0]).not.toBeInstanceOf(BatchNormalization);
    await expectClose(theirs.predict(x) as Tensor, model.predict(x) as Tensor);
  });

  test('leaves no tensor behind', async () => {
    const model = modelOf(new BatchNormalization({ axis: 1, inputShape: [3, 4] }));
    const [x, y] = [numbers([2, 3, 4]), transpose(numbers([2, 4, 3], 2), [0, 2, 1])];
    await expectNoLeak(() => (model.predict(x) as Tensor).dispose());
    model.compile({ optimizer: train.sgd(0.1), loss: 'meanSquaredError' });
    await expectNoLeak(() => model.fit(x, y, { verbose: 0 }));
  });

  test('a batch with one value per channel cannot be trained on', async () => {
    const model = modelOf(new BatchNormalization({ inputShape: [4] }));
    const error = await failure(() => losses(model, numbers([1, 4]), 1));
    expect(error.code).toBe('SHAPE');
    expect(error.message).toContain('groupNorm and layerNorm work on single samples');
  });
});

test.each([
  ['momentum', { momentum: 1.5 }, 'BatchNormalization: momentum is 1.5, expected a number in [0, 1]'],
  ['axis', { axis: [1, 0] as never }, 'axis is [1, 0], expected a single axis'],
  ['axis', { axis: 5 }, 'axis is 5, expected distinct axes of an input of rank 2'],
  ['movingVariance', { movingVariance: 'other' as never }, "movingVariance is \"other\", expected 'biased' or 'unbiased'"],
  ['onNonFinite', { onNonFinite: 'ignore' as never }, "onNonFinite is \"ignore\", expected 'throw', 'skip' or 'propagate'"],
  ['renorm', { renorm: true }, 'renorm is not supported'],
  ['center', { center: 1 as never }, 'center is 1, expected a boolean'],
])('refuses a bad %s: %o', async (argument, args, message) => {
  await start('cpu');
  const error = await failure(() => modelOf(new BatchNormalization({ inputShape: [4], ...args })));
  expect(error.argument).toBe(argument);
  expect(error.message).toContain(message);
});
