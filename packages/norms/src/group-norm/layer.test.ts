import { transpose, type Tensor } from '@tensorflow/tfjs-core';
import { layers, loadLayersModel, sequential } from '@tensorflow/tfjs-layers';
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
  values,
} from '../../test/models.ts';
import { GroupNormalization, LayerNormalization } from '../layers.ts';
import { norms } from '../plugin.ts';
import { groupNorm } from './op.ts';

describe.each(backends)('GroupNormalization on %s', (name) => {
  beforeEach(() => start(name));
  afterEach(() => unregister(norms));

  test('predicts what groupNorm computes, with channels first too', async () => {
    const x = numbers([2, 4, 3, 6]);
    const [gamma, beta] = [numbers([6], 2), numbers([6], 3)];
    const layer = new GroupNormalization({ groups: 3, inputShape: [4, 3, 6] });
    const model = modelOf(layer);
    layer.setWeights([gamma, beta]);
    await expectClose(model.predict(x) as Tensor, groupNorm(x, gamma, beta, { numGroups: 3, epsilon: 1e-3 }));
    expect(layer.outputShape).toEqual([null, 4, 3, 6]);

    const first = new GroupNormalization({ groups: -1, axis: 1, inputShape: [6, 4, 3] });
    const other = modelOf(first);
    first.setWeights([gamma, beta]);
    const wanted = transpose(groupNorm(x, gamma, beta, { numGroups: 6, epsilon: 1e-3 }), [0, 3, 1, 2]);
    await expectClose(other.predict(transpose(x, [0, 3, 1, 2])) as Tensor, wanted);
  });

  test('one group is not layer normalization over the channels, but over everything', async () => {
    const x = numbers([2, 4, 3, 6]);
    const one = modelOf(new GroupNormalization({ groups: 1, inputShape: [4, 3, 6] })).predict(x) as Tensor;
    const all = modelOf(new LayerNormalization({ axis: [1, 2, 3], inputShape: [4, 3, 6] })).predict(x) as Tensor;
    await expectClose(one, all);
    const channels = await values(modelOf(new LayerNormalization({ inputShape: [4, 3, 6] })).predict(x) as Tensor);
    expect(Math.max(...(await values(one)).map((value, i) => Math.abs(value - channels[i]!)))).toBeGreaterThan(0.1);
  });

  test('two groups are layer normalization of each half of the channels, and train', async () => {
    const x = numbers([4, 3, 4]);
    const groups = modelOf(new GroupNormalization({ groups: 2, inputShape: [3, 4] }));
    const halves = sequential({
      layers: [
        layers.reshape({ targetShape: [3, 2, 2], inputShape: [3, 4] }),
        new LayerNormalization({ axis: [1, 3], center: false, scale: false }),
        layers.reshape({ targetShape: [3, 4] }),
      ],
    });
    await expectClose(groups.predict(x) as Tensor, halves.predict(x) as Tensor);
    const trained = await losses(groups, x, 5, 1);
    expect(trained.at(-1)!).toBeLessThan(trained[0]!);
  });

  test('a Keras model loads', async () => {
    use(norms);
    const config = { groups: 2, axis: -1, epsilon: 0.01, center: true, scale: true, gamma_initializer: { class_name: 'Ones', config: {} } };
    const weights = { gamma: [1, 2, 3, 4], beta: [0, -1, 1, 2] };
    const loaded = await loadLayersModel(kerasModel([3, 4], 'GroupNormalization', config, weights));
    expect(loaded.layers.at(-1)).toBeInstanceOf(GroupNormalization);
    const [x, [gamma, beta]] = [numbers([2, 3, 4]), loaded.layers.at(-1)!.getWeights()];
    expect(await values(gamma!)).toEqual(weights.gamma);
    await expectClose(loaded.predict(x) as Tensor, groupNorm(x, gamma, beta, { numGroups: 2, epsilon: 0.01 }));
    unregister(norms);
    await expect(loadLayersModel(kerasModel([3, 4], 'GroupNormalization', config, weights))).rejects.toThrow('Unknown layer');
  });

  test('saves and loads, leaves no tensor behind', async () => {
    use(norms);
    const layer = new GroupNormalization({ groups: 2, axis: 1, epsilon: 0.1, scale: false, betaInitializer: 'ones', inputShape: [4, 3] });
    const model = modelOf(layer);
    const loaded = await saveAndLoad(model);
    expect(JSON.stringify(loaded.layers[0]!.getConfig())).toBe(JSON.stringify(layer.getConfig()));
    expect(layer.getConfig()).toMatchObject({ groups: 2, axis: 1, epsilon: 0.1, scale: false });
    const x = numbers([2, 4, 3]);
    expect(await values(loaded.predict(x) as Tensor)).toEqual(await values(model.predict(x) as Tensor));
    await expectNoLeak(() => (model.predict(x) as Tensor).dispose());
  });
});

test.each([
  ['groups', { groups: 4 }, 'GroupNormalization: groups is 4, expected a divisor of the 6 channels'],
  ['groups', {}, 'groups is 32, expected a divisor of the 6 channels'],
  ['groups', { groups: 0 }, 'groups is 0, expected an integer > 0, or -1 for as many as there are channels'],
  ['groups', { groups: 1.5 }, 'groups is 1.5'],
  ['axis', { groups: 2, axis: 7 }, 'axis is 7, expected distinct axes of an input of rank 3'],
  ['epsilon', { groups: 2, epsilon: -1 }, 'epsilon is -1'],
])('refuses a bad %s: %o', async (argument, args, message) => {
  await start('cpu');
  const error = await failure(() => modelOf(new GroupNormalization({ inputShape: [4, 6], ...args })));
  expect(error.argument).toBe(argument);
  expect(error.message).toContain(message);
});
