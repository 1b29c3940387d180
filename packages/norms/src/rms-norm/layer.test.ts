import { add, div, matMul, mean, mul, sqrt, square, sub, transpose, type Tensor } from '@tensorflow/tfjs-core';
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
import { RMSNormalization } from '../layers.ts';
import { norms } from '../plugin.ts';
import { rmsNorm } from './op.ts';

/** A dense layer of fixed weights, then `layer`. */
function afterDense(layer: layers.Layer): LayersModel {
  return sequential({ layers: [layers.dense({ units: 4, inputShape: [6], weights: [numbers([6, 4], 4), numbers([4], 5)] }), layer] });
}

describe.each(backends)('RMSNormalization on %s', (name) => {
  beforeEach(() => start(name));
  afterEach(() => unregister(norms));

  test('predicts what rmsNorm computes, with axes elsewhere too', async () => {
    const x = numbers([4, 3, 6]);
    const layer = new RMSNormalization({ inputShape: [3, 6] });
    const model = modelOf(layer);
    const gamma = numbers([6], 2);
    layer.setWeights([gamma]);
    await expectClose(model.predict(x) as Tensor, rmsNorm(x, gamma));
    expect(layer.outputShape).toEqual([null, 3, 6]);

    const first = new RMSNormalization({ axis: [1], epsilon: 0.1, scale: false, inputShape: [3, 6] });
    const back = transpose(rmsNorm(transpose(x, [0, 2, 1]), undefined, { epsilon: 0.1 }), [0, 2, 1]);
    await expectClose(modelOf(first).predict(x) as Tensor, back);
    expect(first.weights).toEqual([]);
  });

  test('trains: gamma takes the step that its gradient says', async () => {
    const x = numbers([8, 6]);
    const layer = new RMSNormalization();
    const model = afterDense(layer);
    const y = model.predict(x) as Tensor;
    const target = numbers([8, 4], 7);
    const dense = add(matMul(x, numbers([6, 4], 4)), numbers([4], 5));
    const xhat = div(dense, sqrt(add(mean(square(dense), -1, true), 1e-6)));
    // d mse / d gamma = mean over samples of 2 (y - target) xhat / units
    const dgamma = div(mean(mul(mul(sub(y, target), 2), xhat), 0), 4);
    const all = await losses(model, x, 1);
    await expectClose(layer.getWeights()[0]!, sub(1, mul(dgamma, 0.1)));
    all.push(...(await losses(model, x, 5)));
    expect(all.at(-1)!).toBeLessThan(all[0]!);
  });

  test('a Keras model loads, its weight is called scale', async () => {
    use(norms);
    const weights = { scale: [1, 2, 3, 4] };
    const loaded = await loadLayersModel(kerasModel([3, 4], 'RMSNormalization', { axis: -1, epsilon: 1e-6 }, weights));
    const layer = loaded.layers.at(-1)!;
    expect(layer).toBeInstanceOf(RMSNormalization);
    expect(await values(layer.getWeights()[0]!)).toEqual(weights.scale);
    unregister(norms);
    await expect(loadLayersModel(kerasModel([3, 4], 'RMSNormalization', { axis: -1 }, weights))).rejects.toThrow('Unknown layer');
  });

  test('saves and loads, stands in a summary, leaves no tensor behind', async () => {
    use(norms);
    const layer = new RMSNormalization({
      axis: 1,
      epsilon: 0.1,
      gammaRegularizer: 'l1',
      gammaInitializer: 'randomUniform',
      inputShape: [3, 4],
    });
    const model = modelOf(layer);
    const loaded = await saveAndLoad(model);
    expect(loaded.layers[0]!.getConfig()).toMatchObject({ axis: 1, epsilon: 0.1, scale: true, gammaRegularizer: { config: { l2: 0 } } });
    expect(Object.keys(loaded.layers[0]!.getConfig())).not.toContain('center');
    const x = numbers([2, 3, 4]);
    expect(await values(loaded.predict(x) as Tensor)).toEqual(await values(model.predict(x) as Tensor));
    expect(summary(model)).toMatch(/\[null,3,4\]\s+3 /);
    await expectNoLeak(() => (model.predict(x) as Tensor).dispose());
  });
});

test('refuses two axes', async () => {
  await start('cpu');
  const error = await failure(() => modelOf(new RMSNormalization({ axis: [1, 2] as never, inputShape: [3, 4] })));
  expect(error.message).toBe('RMSNormalization: axis is [1, 2], expected a single axis');
});
