import { reshape, tidy, train, transpose, type Tensor } from '@tensorflow/tfjs-core';
import {
  constraints,
  layers,
  loadLayersModel,
  model as makeModel,
  input,
  regularizers,
  sequential,
  type LayersModel,
} from '@tensorflow/tfjs-layers';
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
import { LayerNormalization } from '../layers.ts';
import { norms } from '../plugin.ts';
import { layerNorm } from './op.ts';

/** A dense layer of fixed weights, then `layer`. */
function afterDense(layer: layers.Layer): LayersModel {
  const model = sequential();
  model.add(layers.dense({ units: 5, inputShape: [6], weights: [numbers([6, 5], 4), numbers([5], 5)] }));
  model.add(layer);
  return model;
}

describe.each(backends)('LayerNormalization on %s', (name) => {
  beforeEach(() => start(name));
  afterEach(() => unregister(norms));

  test('predicts what layerNorm and the layer of tfjs compute', async () => {
    const x = numbers([4, 3, 6]);
    const ours = new LayerNormalization({ inputShape: [3, 6] });
    const theirs = layers.layerNormalization({ inputShape: [3, 6] });
    const [model, other] = [modelOf(ours), modelOf(theirs)];
    const [gamma, beta] = [numbers([6], 2), numbers([6], 3)];
    ours.setWeights([gamma, beta]);
    theirs.setWeights([gamma, beta]);
    const y = model.predict(x) as Tensor;
    await expectClose(y, layerNorm(x, gamma, beta, { epsilon: 1e-3 }));
    await expectClose(y, other.predict(x) as Tensor);
    expect(ours.outputShape).toEqual([null, 3, 6]);
  });

  test('trains as the layer of tfjs does', async () => {
    const x = numbers([8, 6]);
    const ours = await losses(afterDense(new LayerNormalization()), x, 6);
    const theirs = await losses(afterDense(layers.layerNormalization()), x, 6);
    ours.forEach((loss, i) => expect(loss).toBeCloseTo(theirs[i]!, 4));
    expect(ours.at(-1)!).toBeLessThan(ours[0]!);
  });

  test('normalizes axes that are not the last, with weights in ascending order of the axes', async () => {
    const x = numbers([2, 3, 4, 5]);
    const [gamma, beta] = [numbers([3], 2), numbers([3], 3)];
    const first = new LayerNormalization({ axis: 1, inputShape: [3, 4, 5] });
    const model = modelOf(first);
    first.setWeights([gamma, beta]);
    const wanted = transpose(layerNorm(transpose(x, [0, 2, 3, 1]), gamma, beta, { epsilon: 1e-3 }), [0, 3, 1, 2]);
    await expectClose(model.predict(x) as Tensor, wanted);

    const two = new LayerNormalization({ axis: [-1, 1], epsilon: 1e-5, inputShape: [3, 4, 5] });
    const other = modelOf(two);
    expect(two.getWeights().map(({ shape }) => shape)).toEqual([
      [3, 5],
      [3, 5],
    ]);
    const last = transpose(layerNorm(transpose(x, [0, 2, 1, 3]), undefined, undefined, { axes: [-2, -1] }), [0, 2, 1, 3]);
    await expectClose(other.predict(x) as Tensor, last);
  });

  test('has no gamma or beta where it is told so', async () => {
    const bare = new LayerNormalization({ center: false, scale: false, inputShape: [4] });
    const x = numbers([3, 4]);
    await expectClose(modelOf(bare).predict(x) as Tensor, layerNorm(x, undefined, undefined, { epsilon: 1e-3 }));
    expect(bare.weights).toEqual([]);
    const scaled = new LayerNormalization({ center: false, inputShape: [4] });
    modelOf(scaled);
    expect(scaled.weights.map((weight) => weight.originalName.split('/').at(-1))).toEqual(['gamma']);
  });

  test('a loaded Keras model predicts the same numbers with our layer and with that of tfjs', async () => {
    const config = {
      axis: [2],
      epsilon: 0.01,
      center: true,
      scale: true,
      beta_initializer: { class_name: 'Zeros', config: {} },
      gamma_initializer: { class_name: 'Ones', config: {} },
      beta_regularizer: null,
      gamma_regularizer: { class_name: 'L2', config: { l2: 0.5 } },
      beta_constraint: null,
      gamma_constraint: null,
      rms_scaling: false,
    };
    const plain = { ...config, gamma_regularizer: null };
    const weights = { gamma: [1, 2, 3, 4], beta: [0, -1, 1, 2] };
    const x = numbers([2, 3, 4]);
    const theirs = await loadLayersModel(kerasModel([3, 4], 'LayerNormalization', plain, weights));
    expect(theirs.layers.at(-1)).not.toBeInstanceOf(LayerNormalization);

    use(norms);
    const ours = await loadLayersModel(kerasModel([3, 4], 'LayerNormalization', config, weights));
    expect(ours.layers.at(-1)).toBeInstanceOf(LayerNormalization);
    await expectClose(ours.predict(x) as Tensor, theirs.predict(x) as Tensor);
    expect(await values(ours.layers.at(-1)!.calculateLosses()[0]!)).toEqual([15]);

    unregister(norms);
    const again = await loadLayersModel(kerasModel([3, 4], 'LayerNormalization', plain, weights));
    expect(again.layers.at(-1)).not.toBeInstanceOf(LayerNormalization);
  });

  test('saves and loads with all its arguments', async () => {
    use(norms);
    const layer = new LayerNormalization({
      axis: [1, 2],
      epsilon: 0.1,
      betaInitializer: { className: 'Constant', config: { value: 0.5 } },
      gammaRegularizer: regularizers.l1l2({ l1: 0.25, l2: 0.5 }),
      gammaConstraint: constraints.nonNeg(),
      betaConstraint: 'nonNeg',
      betaRegularizer: 'l2',
      name: 'norm',
      inputShape: [3, 4],
    });
    const model = modelOf(layer);
    const loaded = await saveAndLoad(model);
    const copy = loaded.layers[0] as LayerNormalization;
    expect(copy).toBeInstanceOf(LayerNormalization);
    expect(JSON.stringify(copy.getConfig())).toBe(JSON.stringify(layer.getConfig()));
    expect(copy.getConfig()).toMatchObject({ axis: [1, 2], epsilon: 0.1, name: 'norm', gammaConstraint: { className: 'NonNeg' } });
    const regularizer = copy.getConfig()['betaRegularizer'] as { config: { l2: number } };
    expect(regularizer.config.l2).toBeCloseTo(0.01);
    const x = numbers([2, 3, 4]);
    expect(await values(loaded.predict(x) as Tensor)).toEqual(await values(model.predict(x) as Tensor));
    unregister(norms);
    const theirs = await saveAndLoad(model);
    expect(theirs.layers[0]).not.toBeInstanceOf(LayerNormalization);
    await expectClose(theirs.predict(x) as Tensor, model.predict(x) as Tensor);
  });

  test('stands in a summary, passes a mask on, is left alone when frozen', async () => {
    const model = sequential();
    model.add(layers.masking({ maskValue: 0, inputShape: [3, 4] }));
    model.add(new LayerNormalization({ name: 'norm' }));
    model.add(layers.lstm({ units: 2, recurrentInitializer: 'glorotUniform' }));
    expect(summary(model)).toMatch(/norm \(LayerNormalization \[\[null,3,4\]\]\s+\[null,3,4\]\s+8 /);
    // What a masked step holds does not reach the output.
    const x = numbers([2, 3, 4]);
    const padded = tidy(() => {
      const data = x.arraySync() as number[][][];
      for (const sample of data) sample[2] = [0, 0, 0, 0];
      return reshape(data.flat(2), [2, 3, 4]);
    });
    const unpadded = tidy(() => reshape((x.arraySync() as number[][][]).map((sample) => sample.slice(0, 2)).flat(2), [2, 2, 4]));
    const short = sequential();
    short.add(new LayerNormalization({ inputShape: [2, 4] }));
    short.add(layers.lstm({ units: 2, recurrentInitializer: 'glorotUniform', weights: model.layers[2]!.getWeights() }));
    await expectClose(model.predict(padded) as Tensor, short.predict(unpadded) as Tensor);

    const frozen = new LayerNormalization({ trainable: false, inputShape: [4] });
    const before = await Promise.all((modelOf(frozen), frozen.getWeights()).map(values));
    const whole = sequential();
    whole.add(frozen);
    whole.add(layers.dense({ units: 1 }));
    await losses(whole, numbers([4, 4]), 2);
    expect(await Promise.all(frozen.getWeights().map(values))).toEqual(before);
  });

  test('leaves no tensor behind', async () => {
    const model = modelOf(new LayerNormalization({ axis: 1, inputShape: [3, 4] }));
    const [x, y] = [numbers([2, 3, 4]), numbers([2, 3, 4], 2)];
    await expectNoLeak(() => (model.predict(x) as Tensor).dispose());
    model.compile({ optimizer: train.sgd(0.1), loss: 'meanSquaredError' });
    await expectNoLeak(() => model.fit(x, y, { verbose: 0 }));
  });
});

test('importing alone replaces no class of tfjs', async () => {
  await start('cpu');
  const model = await loadLayersModel(
    kerasModel([4], 'LayerNormalization', { axis: -1, epsilon: 0.001 }, { gamma: [1, 1, 1, 1], beta: [0, 0, 0, 0] }),
  );
  expect(model.layers.at(-1)).not.toBeInstanceOf(LayerNormalization);
  expect(model.layers.at(-1)!.getClassName()).toBe('LayerNormalization');
});

test.each([
  ['epsilon', { epsilon: 0 }, 'LayerNormalization: epsilon is 0, expected a finite number > 0'],
  ['epsilon', { epsilon: Number.NaN }, 'epsilon is NaN'],
  ['axis', { axis: 3 }, 'axis is 3, expected distinct axes of an input of rank 3'],
  ['axis', { axis: [1, -2] }, 'axis is [1, -2], expected distinct axes'],
  ['axis', { axis: 0.5 }, 'axis is 0.5'],
  ['axis', { axis: 0 }, 'axis is 0, expected an axis of known length in the input shape [, 3, 4]'],
  ['rmsScaling', { rmsScaling: true }, 'RMSNormalization may be what you want'],
  ['gammaInitializer', { gammaInitializer: 'nobody' }, 'gammaInitializer is "Nobody", expected the name of a class that tfjs knows'],
])('refuses a bad %s: %o', async (argument, args, message) => {
  await start('cpu');
  const error = await failure(() => modelOf(new LayerNormalization({ inputShape: [3, 4], ...args })));
  expect(error.argument).toBe(argument);
  expect(error.message).toContain(message);
});

test('refuses two inputs', async () => {
  await start('cpu');
  const [a, b] = [input({ shape: [4] }), input({ shape: [4] })];
  const error = await failure(() => makeModel({ inputs: [a, b], outputs: new LayerNormalization().apply([a, b]) as never }));
  expect(error.message).toBe('LayerNormalization: it has 2 inputs, expected one');
});
