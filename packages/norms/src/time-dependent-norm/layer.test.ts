import { add, mul, reshape, scalar, tensor, tensor1d, train, type Tensor } from '@tensorflow/tfjs-core';
import { input, model as makeModel, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { unregister, use } from '@evenkeel/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backends, expectClose, expectNoLeak, failure, numbers, saveAndLoad, start, values } from '../../test/models.ts';
import { TimeDependentLayerNormalization, TimeDependentRMSNormalization } from '../layers.ts';
import { layerNorm } from '../layer-norm/index.ts';
import { norms } from '../plugin.ts';
import { rmsNorm } from '../rms-norm/index.ts';
import { timeDependentLayerNorm, timeDependentRmsNorm, type TimeDependentWeights } from './time-dependent-norm.ts';

type Layer = TimeDependentLayerNormalization | TimeDependentRMSNormalization;

function modelOf(layer: Layer, shape = [3, 4], times = [1]): LayersModel {
  const inputs = [input({ shape }), input({ shape: times })];
  return makeModel({ inputs, outputs: layer.apply(inputs) as SymbolicTensor });
}

/** Sets a layer's weights to noise and returns them by parameter. */
function randomize(layer: Layer): TimeDependentWeights[] {
  const all = layer.getWeights().map((weight, i) => numbers(weight.shape, i + 2));
  layer.setWeights(all);
  return Array.from({ length: all.length / 4 }, (_, i) => {
    const [p0, p1, w, b] = all.slice(4 * i, 4 * i + 4) as [Tensor, Tensor, Tensor, Tensor];
    return { p0, p1, w: add(w, 1), b };
  });
}

describe.each(backends)('the time-dependent layers on %s', (name) => {
  beforeEach(() => start(name));
  afterEach(() => unregister(norms));

  test('begin as norms that know no time', async () => {
    const [x, tau] = [numbers([2, 3, 4]), tensor([0.2, -0.7], [2, 1])];
    const model = modelOf(new TimeDependentLayerNormalization());
    await expectClose(model.predict([x, tau]) as Tensor, layerNorm(x));
    expect(model.outputs[0]!.shape).toEqual([null, 3, 4]);
    expect(model.weights.map((weight) => weight.originalName.replace(/.*\//, ''))).toEqual(
      ['gamma', 'beta'].flatMap((each) => ['p0', 'p1', 'nodecay_weight', 'nodecay_bias'].map((suffix) => `${each}_${suffix}`)),
    );
    await expectClose(modelOf(new TimeDependentRMSNormalization()).predict([x, tau]) as Tensor, rmsNorm(x), 1e-4);
  });

  test('predict what the functions compute, with tau [batch] or [batch, 1]', async () => {
    const [x, tau] = [numbers([2, 3, 4]), tensor1d([0.2, -0.7])];
    const first = new TimeDependentLayerNormalization({ epsilon: 0.1 });
    const model = modelOf(first);
    const [gamma, beta] = randomize(first);
    const wanted = timeDependentLayerNorm(x, tau, { gamma, beta }, { epsilon: 0.1 });
    await expectClose(model.predict([x, reshape(tau, [2, 1])]) as Tensor, wanted);
    await expectClose(first.apply([x, tau]) as Tensor, wanted);

    const second = new TimeDependentRMSNormalization({ center: true, scale: false });
    modelOf(second);
    const [offset] = randomize(second);
    await expectClose(second.apply([x, tau]) as Tensor, timeDependentRmsNorm(x, tau, { beta: offset }));
  });

  test('tell the parameters of a time, with which an ordinary norm does the same', async () => {
    const x = numbers([2, 3, 4]);
    const layer = new TimeDependentLayerNormalization();
    modelOf(layer);
    randomize(layer);
    const { gamma, beta } = layer.parametersAt(scalar(0.6));
    await expectClose(layer.apply([x, tensor1d([0.6, 0.6])]) as Tensor, layerNorm(x, gamma, beta));
    const table = layer.parametersAt(tensor1d([0.6, 0.1, -0.3])).gamma!;
    expect(table.shape).toEqual([3, 4]);
    (await values(table)).slice(0, 4).forEach((value, i) => expect(gamma!.arraySync()).toHaveProperty(String(i), expect.closeTo(value, 5)));
  });

  test('learn to tell early from late', async () => {
    const model = modelOf(new TimeDependentLayerNormalization());
    const [x, tau] = [numbers([16, 3, 4]), tensor1d(Array.from({ length: 16 }, (_, i) => (i % 2 === 0 ? -1 : 1)))];
    // Twice as large at the late time.
    const y = mul(layerNorm(x), add(reshape(tau, [16, 1, 1]), 3));
    model.compile({ optimizer: train.adam(0.05), loss: 'meanSquaredError' });
    const { history } = await model.fit([x, reshape(tau, [16, 1])], y, { epochs: 120, batchSize: 16, verbose: 0 });
    const losses = history['loss'] as number[];
    // Without time the best is half way, which is off by 1.
    expect(losses.at(-1)!).toBeLessThan(0.3);
    expect(losses[0]!).toBeGreaterThan(1);
  });

  test('save and load, and leave no tensor behind', async () => {
    use(norms);
    const layer = new TimeDependentRMSNormalization({ epsilon: 1e-3, center: true });
    const model = modelOf(layer);
    randomize(layer);
    const loaded = await saveAndLoad(model);
    const copy = loaded.layers.at(-1)!;
    expect(copy).toBeInstanceOf(TimeDependentRMSNormalization);
    expect(JSON.stringify(copy.getConfig())).toBe(JSON.stringify(layer.getConfig()));
    expect(copy.getConfig()).toMatchObject({ epsilon: 1e-3, center: true, scale: true });
    const inputs = [numbers([2, 3, 4]), numbers([2, 1])];
    expect(await values(loaded.predict(inputs) as Tensor)).toEqual(await values(model.predict(inputs) as Tensor));
    await expectNoLeak(() => (model.predict(inputs) as Tensor).dispose());
  });
});

test('refuse other inputs and bad options by name', async () => {
  await start('cpu');
  const one = await failure(() => new TimeDependentLayerNormalization().apply(input({ shape: [4] })));
  expect(one.message).toBe('TimeDependentLayerNormalization: it has 1 input, expected [x, tau]');
  const wide = await failure(() => modelOf(new TimeDependentLayerNormalization(), [3, 4], [2]));
  expect([wide.code, wide.argument]).toEqual(['SHAPE', 'tau']);
  const epsilon = await failure(() => new TimeDependentRMSNormalization({ epsilon: 0 }));
  expect(epsilon.argument).toBe('epsilon');
  const flag = await failure(() => new TimeDependentRMSNormalization({ center: 1 as never }));
  expect(flag.argument).toBe('center');
});
