import { concat, fill, tensor2d, train, type Tensor } from '@tensorflow/tfjs-core';
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
import { L1BatchNormalization } from '../layers.ts';
import { norms } from '../plugin.ts';
import { l1BatchNorm, l1BatchNormInference } from './l1-batch-norm.ts';

const momentum = 0.8;

/** gamma, beta, moving mean, moving deviation of a layer. */
const weightsOf = (model: LayersModel, index = 0): Promise<number[][]> => Promise.all(model.layers[index]!.getWeights().map(values));

describe.each(backends)('L1BatchNormalization on %s', (name) => {
  beforeEach(() => start(name));
  afterEach(() => unregister(norms));

  test('moves the statistics in training, and only there', async () => {
    const x = numbers([8, 3, 2]);
    const model = modelOf(new L1BatchNormalization({ momentum, gaussianScale: true, inputShape: [3, 2] }));
    await losses(model, x, 1);
    const { mean, deviation } = l1BatchNorm(x);
    const before = await weightsOf(model);
    (await values(mean)).forEach((value, i) => expect(before[2]![i]).toBeCloseTo(0.2 * value, 5));
    (await values(deviation)).forEach((value, i) => expect(before[3]![i]).toBeCloseTo(0.8 + 0.2 * value, 5));
    const [gamma, beta, movingMean, movingDeviation] = model.layers[0]!.getWeights() as [Tensor, Tensor, Tensor, Tensor];
    const y = model.predict(x) as Tensor;
    await expectClose(y, l1BatchNormInference(x, movingMean, movingDeviation, gamma, beta, { gaussianScale: true }));
    model.evaluate(x, y);
    expect(await weightsOf(model)).toEqual(before);
  });

  test('trains with channels first as with channels last', async () => {
    const x = numbers([8, 3, 4, 2]);
    const first = sequential({ layers: [new L1BatchNormalization({ momentum, axis: 1, inputShape: [3, 4, 2] }), layers.flatten()] });
    const last = sequential({
      layers: [
        layers.permute({ dims: [2, 3, 1], inputShape: [3, 4, 2] }),
        new L1BatchNormalization({ momentum }),
        layers.permute({ dims: [3, 1, 2] }),
        layers.flatten(),
      ],
    });
    const found = await losses(first, x, 3);
    expect(found.at(-1)!).toBeLessThan(found[0]!);
    await losses(last, x, 3);
    for (const [i, weight] of first.layers[0]!.getWeights().entries()) await expectClose(weight, last.layers[1]!.getWeights()[i]!);
    await expectClose(first.predict(x) as Tensor, last.predict(x) as Tensor);
  });

  test('a frozen layer normalizes by the moving statistics and leaves them alone', async () => {
    const layer = new L1BatchNormalization({ momentum, trainable: false, inputShape: [6] });
    const model = sequential({ layers: [layer, layers.dense({ units: 2 })] });
    layer.setWeights([numbers([6], 1), numbers([6], 2), numbers([6], 3), fill([6], 2)]);
    const before = await weightsOf(model);
    await losses(model, numbers([8, 6]), 2);
    expect(await weightsOf(model)).toEqual(before);
    const x = numbers([1, 6]);
    await expectClose(layer.apply(x, { training: true }) as Tensor, layer.apply(x) as Tensor);
  });

  test('a batch with NaN throws by default and leaves every weight as it was', async () => {
    const x = concat([numbers([7, 2]), tensor2d([[Number.NaN, 1]])]);
    const model = modelOf(new L1BatchNormalization({ inputShape: [2] }));
    const before = await weightsOf(model);
    const error = await failure(() => losses(model, x, 1));
    expect([error.code, error.argument]).toEqual(['NON_FINITE', 'batch']);
    expect(await weightsOf(model)).toEqual(before);

    const skipping = modelOf(new L1BatchNormalization({ onNonFinite: 'skip', inputShape: [2] }));
    skipping.layers[0]!.apply(x, { training: true });
    expect((await weightsOf(skipping)).slice(2)).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });

  test('saves and loads with its statistics and all its arguments', async () => {
    use(norms);
    const options = { axis: 1, momentum, epsilon: 0.1, gaussianScale: true, gradFloor: 1e-4, onNonFinite: 'skip', scale: false } as const;
    const layer = new L1BatchNormalization({ ...options, movingMeanInitializer: 'ones', inputShape: [3, 4] });
    const model = modelOf(layer);
    const x = numbers([4, 3, 4]);
    await losses(model, x, 2);
    const loaded = await saveAndLoad(model);
    expect(loaded.layers[0]).toBeInstanceOf(L1BatchNormalization);
    expect(JSON.stringify(loaded.layers[0]!.getConfig())).toBe(JSON.stringify(layer.getConfig()));
    expect(loaded.layers[0]!.getConfig()).toMatchObject(options);
    expect(await weightsOf(loaded)).toEqual(await weightsOf(model));
    expect(await values(loaded.predict(x) as Tensor)).toEqual(await values(model.predict(x) as Tensor));
    expect(summary(model)).toMatch(/\[null,3,4\]\s+9 /);
  });

  test('leaves no tensor behind', async () => {
    const model = modelOf(new L1BatchNormalization({ axis: 1, inputShape: [3, 4] }));
    const [x, y] = [numbers([2, 3, 4]), numbers([2, 3, 4], 2)];
    await expectNoLeak(() => (model.predict(x) as Tensor).dispose());
    model.compile({ optimizer: train.sgd(0.1), loss: 'meanSquaredError' });
    await expectNoLeak(() => model.fit(x, y, { verbose: 0 }));
  });

  test('a batch with one value per channel cannot be trained on', async () => {
    const model = modelOf(new L1BatchNormalization({ inputShape: [4] }));
    const error = await failure(() => losses(model, numbers([1, 4]), 1));
    expect(error.code).toBe('SHAPE');
    expect(error.message).toContain('l1LayerNorm works on single samples');
  });
});

test.each([
  ['momentum', { momentum: 1.5 }, 'L1BatchNormalization: momentum is 1.5, expected a number in [0, 1]'],
  ['axis', { axis: [1, 0] as never }, 'axis is [1, 0], expected a single axis'],
  ['gradFloor', { gradFloor: -1 }, 'gradFloor is -1, expected a finite number >= 0'],
  ['onNonFinite', { onNonFinite: 'ignore' as never }, "onNonFinite is \"ignore\", expected 'throw', 'skip' or 'propagate'"],
])('refuses a bad %s: %o', async (argument, args, message) => {
  await start('cpu');
  const error = await failure(() => modelOf(new L1BatchNormalization({ inputShape: [4], ...args })));
  expect(error.argument).toBe(argument);
  expect(error.message).toContain(message);
});
