import { add, matMul, transpose, type Tensor } from '@tensorflow/tfjs-core';
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
import { CRMSNormalization } from '../layers.ts';
import { norms } from '../plugin.ts';
import { crmsNorm } from './op.ts';

describe.each(backends)('CRMSNormalization on %s', (name) => {
  beforeEach(() => start(name));
  afterEach(() => unregister(norms));

  test('predicts what crmsNorm computes, with axes elsewhere too, and has no weights', async () => {
    const x = numbers([4, 3, 6]);
    const model = modelOf(new CRMSNormalization({ inputShape: [3, 6] }));
    await expectClose(model.predict(x) as Tensor, crmsNorm(x));
    expect(model.weights).toEqual([]);

    const first = new CRMSNormalization({ axis: 1, epsilon: 0.1, inputShape: [3, 6] });
    const back = transpose(crmsNorm(transpose(x, [0, 2, 1]), { epsilon: 0.1 }), [0, 2, 1]);
    await expectClose(modelOf(first).predict(x) as Tensor, back);
  });

  test('trains the layer before it, whose loss falls', async () => {
    const model = sequential({ layers: [layers.dense({ units: 5, inputShape: [6] }), new CRMSNormalization()] });
    const x = numbers([8, 6]);
    const [kernel] = model.getWeights().map((each) => each.clone());
    const all = await losses(model, x, 10);
    expect(all.at(-1)!).toBeLessThan(all[0]!);
    expect(await values(model.getWeights()[0]!)).not.toEqual(await values(kernel!));
    await expectClose(model.predict(x) as Tensor, crmsNorm(dense(x, model.getWeights())));
  });

  test('saves and loads, stands in a summary, leaves no tensor behind', async () => {
    use(norms);
    const layer = new CRMSNormalization({ axis: [1], epsilon: 0.1, padding: 1, inputShape: [3, 4] });
    const model = modelOf(layer);
    const loaded = await saveAndLoad(model);
    expect(loaded.layers[0]).toBeInstanceOf(CRMSNormalization);
    expect(JSON.stringify(loaded.layers[0]!.getConfig())).toBe(JSON.stringify(layer.getConfig()));
    expect(loaded.layers[0]!.getConfig()).toMatchObject({ axis: [1], epsilon: 0.1, padding: 1 });
    const x = numbers([2, 3, 4]);
    expect(await values(loaded.predict(x) as Tensor)).toEqual(await values(model.predict(x) as Tensor));
    expect(summary(model)).toMatch(/\[null,3,4\]\s+0 /);
    await expectNoLeak(() => (model.predict(x) as Tensor).dispose());
  });
});

function dense(x: Tensor, [kernel, bias]: Tensor[]): Tensor {
  return add(matMul(x, kernel!), bias!);
}

test.each([
  ['axis', { axis: [1, 2] as never }, 'CRMSNormalization: axis is [1, 2], expected a single axis'],
  ['epsilon', { epsilon: 0 }, 'CRMSNormalization: epsilon is 0, expected a finite number > 0'],
])('refuses a bad %s', async (argument, args, message) => {
  await start('cpu');
  const error = await failure(() => modelOf(new CRMSNormalization({ inputShape: [3, 4], ...args })));
  expect(error.argument).toBe(argument);
  expect(error.message).toBe(message);
});
