import {
  dispose,
  memory,
  mul,
  randomNormal,
  sum,
  tensor,
  tidy,
  train,
  transpose,
  variableGrads,
  type Scalar,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { input, layers, model as modelFrom, sequential, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { unregister, use } from '@evenkeel/core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { backends, expectClose, expectNoLeak, failure, losses, modelOf, numbers, saveAndLoad, start, values } from '../../test/models.ts';
import { batchNormInference } from '../batch-norm/index.ts';
import { BatchNormalization, UnMixTNS } from '../layers.ts';
import { norms } from '../plugin.ts';
import { adaptModel, freezeAdaptation, getAdaptationState, inspectAdaptation, resetAdaptation, setAdaptationState } from './adapt.ts';
import { unMixTNS, unMixTNSState } from './unmix-tns.ts';

const all = (layer: layers.Layer): Promise<number[][]> => Promise.all(layer.getWeights().map(values));
async function predict(model: LayersModel, x: Tensor): Promise<number[]> {
  const y = model.predict(x) as Tensor;
  const found = await values(y);
  y.dispose();
  return found;
}

/** A layer with gamma, beta and statistics of training that are not those it starts with. */
function trained(args: ConstructorParameters<typeof UnMixTNS>[0]): { layer: UnMixTNS; model: LayersModel; mean: Tensor; variance: Tensor } {
  const layer = new UnMixTNS(args);
  const model = modelOf(layer);
  const channels = layer.getWeights()[2]!.size;
  const [mean, variance] = [numbers([channels], 5), mul(numbers([channels], 6), numbers([channels], 6))];
  layer.setWeights([numbers([channels], 3), numbers([channels], 4), mean, variance, ...layer.getWeights().slice(4)]);
  layer.resetAdaptation();
  return { layer, model, mean, variance };
}

describe.each(backends)('UnMixTNS on %s', (name) => {
  beforeEach(() => start(name));
  afterEach(() => unregister(norms));

  test('computes what the function does, call by call, in inference and in training', async () => {
    const options = { components: 4, momentum: 0.7, temperature: 0.1, maxBatchSize: 8, exactMixtureVariance: true };
    const { layer, model, mean, variance } = trained({ ...options, seed: 7, alpha: 0.3, init: 'random', inputShape: [5, 5, 3] });
    let state = unMixTNSState(mean, variance, { components: 4, seed: 7, alpha: 0.3, init: 'random' });
    const [gamma, beta] = layer.getWeights() as [Tensor, Tensor];
    for (let t = 1; t <= 3; t++) {
      const x = numbers([2, 5, 5, 3], t);
      const next = unMixTNS(x, gamma, beta, state, options);
      const y = t === 2 ? (layer.apply(x, { training: true }) as Tensor) : (model.predict(x) as Tensor);
      await expectClose(y, next.y);
      state = next;
    }
    const [, , , , means, variances] = layer.getWeights() as Tensor[];
    await expectClose(means!, state.means);
    await expectClose(variances!, state.variances);
  });

  test('frozen, it stays as it is; reset, it starts anew', async () => {
    const { layer, model } = trained({ components: 4, inputShape: [5, 3] });
    const start = await all(layer);
    layer.freezeAdaptation();
    const x = numbers([2, 5, 3]);
    const first = await predict(model, x);
    expect(await all(layer)).toEqual(start);
    expect(await predict(model, x)).toEqual(first);
    layer.freezeAdaptation(false);
    expect(await predict(model, x)).toEqual(first);
    const moved = await all(layer);
    expect(moved.slice(0, 4)).toEqual(start.slice(0, 4));
    expect(moved[4]).not.toEqual(start[4]);
    expect(moved[5]).not.toEqual(start[5]);
    layer.resetAdaptation();
    expect(await all(layer)).toEqual(start);
  });

  test('takes other axes for channels', async () => {
    const args = { components: 3, seed: 2 };
    const { layer, model } = trained({ ...args, inputShape: [4, 5, 3] });
    const first = new UnMixTNS({ ...args, axis: 1, inputShape: [3, 4, 5] });
    const other = modelOf(first);
    first.setWeights(layer.getWeights());
    const x = numbers([2, 4, 5, 3]);
    await expectClose(other.predict(transpose(x, [0, 3, 1, 2])) as Tensor, transpose(model.predict(x) as Tensor, [0, 3, 1, 2]));
    expect(await all(first)).toEqual(await all(layer));
  });

  test('inputs of rank 2 have the statistics of training, and nothing to adapt', async () => {
    const { layer, model, mean, variance } = trained({ inputShape: [6] });
    const x = numbers([5, 6]);
    const [gamma, beta] = layer.getWeights() as [Tensor, Tensor];
    await expectClose(model.predict(x) as Tensor, batchNormInference(x, mean, variance, gamma, beta));
    expect(layer.getWeights()).toHaveLength(4);
    expect(layer.getAdaptationState()).toBeUndefined();
    expect([await layer.skipCount(), await layer.smallestDistance()]).toEqual([0, Infinity]);
  });

  test('counts images with NaN, and is not moved by them', async () => {
    const { layer, model } = trained({ components: 4, inputShape: [2, 3] });
    const before = await all(layer);
    const x = tensor([Number.NaN, ...Array.from({ length: 5 }, (_, i) => i)], [1, 2, 3]);
    await predict(model, x);
    await predict(model, x);
    expect(await layer.skipCount()).toBe(2);
    expect((await all(layer)).slice(0, 6)).toEqual(before.slice(0, 6));
    const strict = trained({ components: 4, inputShape: [2, 3], onNonFinite: 'throw' });
    const untouched = await all(strict.layer);
    const error = await failure(() => strict.model.predict(x));
    expect([error.code, error.argument]).toEqual(['NON_FINITE', 'x']);
    expect(await all(strict.layer)).toEqual(untouched);
  });

  test('trains gamma and beta, as entropy minimization does, while it adapts', async () => {
    const { layer, model } = trained({ components: 4, inputShape: [4, 3] });
    const before = await all(layer);
    const found = await losses(model, numbers([6, 4, 3]), 8);
    expect(found.at(-1)).toBeLessThan(found[0]!);
    const after = await all(layer);
    expect(after[0]).not.toEqual(before[0]);
    expect(after.slice(2, 4)).toEqual(before.slice(2, 4));
    expect(after[4]).not.toEqual(before[4]);
  });

  test('a saved and loaded model goes on exactly where it was', async () => {
    use(norms);
    const args = {
      components: 5,
      momentum: 0.6,
      temperature: 0.2,
      alpha: 0.25,
      init: 'random',
      seed: 11,
      maxBatchSize: 16,
      epsilon: 1e-5,
    } as const;
    for (const batchSize of [undefined, 4]) {
      const more = { exactMixtureVariance: true, onNonFinite: 'throw', ...(batchSize === undefined ? {} : { batchSize }) } as const;
      const { layer, model } = trained({ ...args, ...more, inputShape: [4, 3] });
      await predict(model, numbers([3, 4, 3]));
      const loaded = await saveAndLoad(model);
      expect(loaded.layers[0]).toBeInstanceOf(UnMixTNS);
      expect(JSON.stringify(loaded.layers[0]!.getConfig())).toBe(JSON.stringify(layer.getConfig()));
      expect(layer.getConfig()).toMatchObject({ ...args, ...more, adapt: true });
      expect(await all(loaded.layers[0]!)).toEqual(await all(layer));
      const x = numbers([3, 4, 3], 2);
      expect(await predict(loaded, x)).toEqual(await predict(model, x));
      expect(await all(loaded.layers[0]!)).toEqual(await all(layer));
      (loaded.layers[0] as UnMixTNS).resetAdaptation();
      layer.resetAdaptation();
      expect(await all(loaded.layers[0]!)).toEqual(await all(layer));
    }
  });

  test('leaves no tensor behind', async () => {
    const { layer, model } = trained({ components: 4, inputShape: [4, 3] });
    const x = numbers([2, 4, 3]);
    await expectNoLeak(() => predict(model, x));
    await expectNoLeak(() => layer.resetAdaptation());
    await expectNoLeak(() => layer.smallestDistance());
    await expectNoLeak(() => {
      const { value, grads } = tidy(() => variableGrads(() => sum(layer.apply(x) as Tensor) as Scalar));
      dispose([value, ...Object.values(grads)]);
    });
  });
});

/** A network with three batch normalizations, one of them in a model within, and one behind a dense layer; trained a little. */
async function network(Norm: 'tfjs' | 'ours'): Promise<LayersModel> {
  const norm = (name: string): layers.Layer =>
    Norm === 'tfjs' ? layers.batchNormalization({ name, momentum: 0.5 }) : new BatchNormalization({ name, momentum: 0.5 });
  const image = input({ shape: [6, 6, 1] });
  const stem = norm('first').apply(layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same' }).apply(image)) as SymbolicTensor;
  const block = sequential({
    name: 'block',
    layers: [layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same', inputShape: [6, 6, 4] }), norm('second'), layers.reLU()],
  });
  const joined = layers.add().apply([stem, block.apply(stem) as SymbolicTensor]);
  const pooled = layers.globalAveragePooling2d({}).apply(joined);
  const out = layers.dense({ units: 2 }).apply(norm('third').apply(layers.dense({ units: 3 }).apply(pooled)));
  const model = modelFrom({ inputs: image, outputs: out as SymbolicTensor });
  await losses(model, numbers([8, 6, 6, 1]), 6, 0.05);
  return model;
}

describe.each(backends)('adaptModel on %s', (name) => {
  beforeEach(() => start(name));
  afterEach(() => unregister(norms));

  test.each(['tfjs', 'ours'] as const)('replaces the batch normalizations of %s in place, and starts as the model was', async (kind) => {
    const model = await network(kind);
    const x = numbers([4, 6, 6, 1], 9);
    const before = await predict(model, x);
    const tensors = memory().numTensors;
    const found = await adaptModel(model, { components: 1 });
    expect(found).toEqual({ replaced: ['first', 'second', 'third'], left: [], untrained: [] });
    // Two means, two variances and two counts more: nothing else is left of the old ones.
    expect(memory().numTensors).toBe(tensors + 6);
    resetAdaptation(model);
    // One component is instance normalization, another function.
    expect(await predict(model, x)).not.toEqual(before);

    const again = await network(kind);
    const wanted = await predict(again, x);
    // With a high temperature of 1e6 and many components each image's own share is 1 / K, which goes to nothing.
    await adaptModel(again, { components: 400, alpha: 0, temperature: 1e6, init: 'centered' });
    const close = await predict(again, x);
    expect(Math.max(...close.map((value, i) => Math.abs(value - wanted[i]!)))).toBeLessThan(0.02);
    const names = [again.getLayer('first'), (again.getLayer('block') as unknown as LayersModel).layers[1]!, again.getLayer('third')];
    for (const layer of names) expect(layer).toBeInstanceOf(UnMixTNS);
    model.dispose();
    again.dispose();
  });

  test('the model can be saved, loaded, trained and disposed of', async () => {
    use(norms);
    const before = memory().numTensors;
    const model = await network('tfjs');
    await adaptModel(model, { components: 3, momentum: 0.7 });
    const x = numbers([4, 6, 6, 1], 9);
    await predict(model, x);
    const loaded = await saveAndLoad(model);
    expect(await predict(loaded, x)).toEqual(await predict(model, x));
    // Compiled before, trained after: the new gammas move, the old ones are gone.
    const gamma = await values(model.getLayer('first').getWeights()[0]!);
    model.compile({ optimizer: train.sgd(0.05), loss: 'meanSquaredError' });
    await model.fit(x, numbers([4, 2]), { verbose: 0 });
    expect(await values(model.getLayer('first').getWeights()[0]!)).not.toEqual(gamma);
    model.dispose();
    loaded.dispose();
    dispose(x);
    expect(memory().numTensors).toBeLessThan(before + 200);
  });

  test('trains on after compile without compiling again', async () => {
    const model = await network('ours');
    await adaptModel(model, { components: 3 });
    const gamma = await values(model.getLayer('first').getWeights()[0]!);
    await model.fit(numbers([4, 6, 6, 1], 9), numbers([4, 2]), { verbose: 0 });
    expect(await values(model.getLayer('first').getWeights()[0]!)).not.toEqual(gamma);
  });

  test('snapshot, rollback, freeze, reset and report', async () => {
    const model = await network('ours');
    await adaptModel(model, { components: 3, seed: 4 });
    const x = numbers([4, 6, 6, 1], 9);
    const start = getAdaptationState(model);
    expect(Object.keys(start)).toEqual(['first', 'second']);
    const first = await predict(model, x);
    const second = await predict(model, x);
    expect(second).not.toEqual(first);
    setAdaptationState(model, start);
    expect(await predict(model, x)).toEqual(first);
    resetAdaptation(model);
    freezeAdaptation(model);
    expect([await predict(model, x), await predict(model, x)]).toEqual([first, first]);
    freezeAdaptation(model, false);
    const bad = tensor(
      Array.from({ length: 36 }, () => Number.NaN),
      [1, 6, 6, 1],
    );
    await predict(model, bad);
    const report = await inspectAdaptation(model);
    expect(
      Object.values(report)
        .slice(0, 2)
        .map(({ skipped }) => skipped),
    ).toEqual([1, 1]);
    expect(report['first']!.smallestDistance).toBeGreaterThan(0);
    expect(report['third']).toEqual({ skipped: 0, smallestDistance: Infinity });
    const { first: only } = start;
    expect((await failure(() => setAdaptationState(model, { first: only! }))).argument).toBe('state');
    const other = { ...start, second: { ...start['second']!, means: randomNormal([2, 4]) } };
    const moved = await all(model.getLayer('first'));
    expect((await failure(() => setAdaptationState(model, other))).code).toBe('SHAPE');
    expect(await all(model.getLayer('first'))).toEqual(moved);
    await expectNoLeak(() => Object.values(getAdaptationState(model)).forEach((each) => dispose(Object.values(each))));
  });

  test('warns of statistics that were never trained, and refuses those that are not finite, leaving the model as it was', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const fresh = sequential({ layers: [layers.batchNormalization({ name: 'only', inputShape: [4, 3] })] });
    expect((await adaptModel(fresh, { components: 2 })).untrained).toEqual(['only']);
    expect(warn.mock.calls.flat().join()).toContain('adaptModel: the moving statistics of only are those before training');
    expect(fresh.layers[0]).toBeInstanceOf(UnMixTNS);
    warn.mockRestore();

    const bad = sequential({ layers: [new BatchNormalization({ inputShape: [4, 2] })] });
    bad.layers[0]!.setWeights([tensor([1, 1]), tensor([0, 0]), tensor([0, 0]), tensor([1, -1])]);
    expect((await failure(() => adaptModel(bad))).code).toBe('NON_FINITE');
    const good = await network('ours');
    const tensors = memory().numTensors;
    expect((await failure(() => adaptModel(good, { temperature: 0 }))).argument).toBe('temperature');
    expect(memory().numTensors).toBe(tensors);
    expect(good.getLayer('first')).toBeInstanceOf(BatchNormalization);
    expect((await failure(() => adaptModel(sequential({ layers: [layers.dense({ units: 1, inputShape: [2] })] })))).argument).toBe('model');
    const wrapped = sequential({ layers: [layers.timeDistributed({ layer: layers.batchNormalization({}), inputShape: [3, 4, 2] })] });
    expect((await failure(() => adaptModel(wrapped))).message).toContain('outside of the wrappers');
  });
});

test.each([
  ['components', { components: 0 }],
  ['alpha', { alpha: -1 }],
  ['init', { init: 'other' as 'random' }],
  ['temperature', { temperature: 0 }],
  ['momentum', { momentum: 1 }],
  ['batchSize', { batchSize: 1.5 }],
  ['maxBatchSize', { maxBatchSize: 0 }],
  ['onNonFinite', { onNonFinite: 'propagate' as 'skip' }],
  ['epsilon', { epsilon: 0 }],
  ['axis', { axis: 3 }],
  ['seed', { seed: 0.5 }],
])('refuses a bad %s: %o', async (argument, args) => {
  await start('cpu');
  expect((await failure(() => modelOf(new UnMixTNS({ inputShape: [4, 3], ...args })))).argument).toBe(argument);
});
