import { add, div, matMul, mean, mul, sub, transpose, type Tensor } from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
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
import { L1LayerNormalization } from '../layers.ts';
import { norms } from '../plugin.ts';
import { l1LayerNorm } from './op.ts';

describe.each(backends)('L1LayerNormalization on %s', (name) => {
  beforeEach(() => start(name));
  afterEach(() => unregister(norms));

  test('predicts what l1LayerNorm computes, with axes elsewhere too', async () => {
    const x = numbers([4, 3, 6]);
    const layer = new L1LayerNormalization({ gaussianScale: true, inputShape: [3, 6] });
    const model = modelOf(layer);
    const [gamma, beta] = [numbers([6], 2), numbers([6], 3)];
    layer.setWeights([gamma, beta]);
    await expectClose(model.predict(x) as Tensor, l1LayerNorm(x, gamma, beta, { gaussianScale: true }));

    const first = new L1LayerNormalization({ axis: [1], epsilon: 0.1, scale: false, center: false, inputShape: [3, 6] });
    const back = transpose(l1LayerNorm(transpose(x, [0, 2, 1]), undefined, undefined, { epsilon: 0.1 }), [0, 2, 1]);
    await expectClose(modelOf(first).predict(x) as Tensor, back);
    expect(first.weights).toEqual([]);
  });

  test('trains: gamma and beta take the step that their gradient says', async () => {
    const x = numbers([8, 6]);
    const [kernel, bias] = [numbers([6, 4], 4), numbers([4], 5)];
    const layer = new L1LayerNormalization();
    const model = sequential({ layers: [layers.dense({ units: 4, inputShape: [6], weights: [kernel, bias] }), layer] });
    const y = model.predict(x) as Tensor;
    const xhat = l1LayerNorm(add(matMul(x, kernel), bias));
    // d mse / d y = 2 (y - target) / units, and its mean over samples
    const dy = mul(sub(y, numbers([8, 4], 7)), 2);
    const all = await losses(model, x, 1);
    await expectClose(layer.getWeights()[0]!, sub(1, mul(div(mean(mul(dy, xhat), 0), 4), 0.1)));
    await expectClose(layer.getWeights()[1]!, mul(div(mean(dy, 0), 4), -0.1));
    all.push(...(await losses(model, x, 5)));
    expect(all.at(-1)!).toBeLessThan(all[0]!);
  });

  test('saves and loads, stands in a summary, leaves no tensor behind', async () => {
    use(norms);
    const layer = new L1LayerNormalization({ axis: [1, 2], epsilon: 0.1, gaussianScale: true, gradFloor: 1e-3, inputShape: [3, 4] });
    const model = modelOf(layer);
    const loaded = await saveAndLoad(model);
    expect(loaded.layers[0]).toBeInstanceOf(L1LayerNormalization);
    expect(JSON.stringify(loaded.layers[0]!.getConfig())).toBe(JSON.stringify(layer.getConfig()));
    expect(loaded.layers[0]!.getConfig()).toMatchObject({ axis: [1, 2], epsilon: 0.1, gaussianScale: true, gradFloor: 1e-3 });
    const x = numbers([2, 3, 4]);
    expect(await values(loaded.predict(x) as Tensor)).toEqual(await values(model.predict(x) as Tensor));
    expect(summary(model)).toMatch(/\[null,3,4\]\s+24 /);
    await expectNoLeak(() => (model.predict(x) as Tensor).dispose());
  });
});

test.each([
  ['axis', { axis: 3 }, 'L1LayerNormalization: axis is 3, expected distinct axes of an input of rank 3'],
  ['epsilon', { epsilon: -1 }, 'L1LayerNormalization: epsilon is -1, expected a finite number > 0'],
  ['gradFloor', { gradFloor: -1 }, 'L1LayerNormalization: gradFloor is -1, expected a finite number >= 0'],
])('refuses a bad %s', async (argument, args, message) => {
  await start('cpu');
  const error = await failure(() => modelOf(new L1LayerNormalization({ inputShape: [3, 4], ...args })));
  expect(error.argument).toBe(argument);
  expect(error.message).toBe(message);
});
