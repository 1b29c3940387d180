import { memory, ones, type Tensor } from '@tensorflow/tfjs-core';
import { input, layers, model as functionalModel, sequential, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { unregister, use } from '@evenkeel/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectClose, failure, losses, modelOf, numbers, saveAndLoad, start, values } from '../../test/models.ts';
import {
  BatchNormalization,
  GroupNormalization,
  LayerNormalization,
  LayerNormLSTMCell,
  PowerNormalization,
  RMSNormalization,
} from '../layers.ts';
import type { NormName } from '../create-norm/index.ts';
import { norms } from '../plugin.ts';
import { leavesOf, shortName } from './leaves.ts';
import { replaceNorm, type Replacement } from './index.ts';

beforeAll(() => start('cpu'));

/** Values of all weights by place and name. */
async function weightsOf(model: layers.Layer): Promise<Record<string, number[]>> {
  const all: Record<string, number[]> = {};
  for (const { layer, path } of leavesOf(model)) {
    for (const weight of layer.weights) all[`${path}/${shortName(weight)}`] = await values(weight.read());
  }
  return all;
}

const conv = (name: string): layers.Layer => layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same', useBias: false, name });

/** The same with a kernel that is given, of a tensor. */
function convolved(kernel: Tensor, from: Tensor): Tensor {
  const layer = conv('again');
  layer.build(from.shape);
  layer.setWeights([kernel]);
  return layer.apply(from) as Tensor;
}

const of = (layer: layers.Layer): LayersModel => sequential({ layers: [layer] });
const batch = (): layers.Layer => new BatchNormalization({ inputShape: [2, 4] });

/** What is reported of a norm's weights. */
function report(layer: layers.Layer, from: NormName, to: NormName, args?: object): Omit<Replacement, 'layer' | 'from' | 'to'> {
  const { kept, lost, fresh } = replaceNorm(of(layer), from, to, args).replaced[0]!;
  return { kept, lost, fresh };
}

/** A residual block with a norm that is used twice, on pictures. */
function residual(): LayersModel {
  const x = input({ shape: [6, 6, 3], name: 'pictures' });
  const shared = new BatchNormalization({ name: 'shared', momentum: 0.5, epsilon: 1e-4 });
  const relu = layers.activation({ activation: 'relu', name: 'relu' });
  const first = relu.apply(shared.apply(conv('first').apply(x))) as SymbolicTensor;
  const second = shared.apply(conv('second').apply(first)) as SymbolicTensor;
  const sum = layers.add({ name: 'sum' }).apply([first, second]) as SymbolicTensor;
  const pooled = layers
    .globalAveragePooling2d({ name: 'pool', dataFormat: 'channelsLast' })
    .apply(new LayerNormalization({ name: 'last' }).apply(sum)) as SymbolicTensor;
  return functionalModel({ inputs: x, outputs: layers.dense({ units: 3, name: 'out' }).apply(pooled) as SymbolicTensor, name: 'residual' });
}

describe('replaceNorm', () => {
  test('puts our layers in place of those of tfjs, and the numbers stay', async () => {
    const theirs = sequential({
      layers: [
        layers.dense({ units: 6, inputShape: [5] }),
        layers.batchNormalization({ momentum: 0.8, name: 'batch' }),
        layers.layerNormalization({ epsilon: 1e-2, name: 'layer' }),
        layers.dense({ units: 2 }),
      ],
    });
    await losses(theirs, numbers([8, 5]), 2);
    const before = await weightsOf(theirs);
    const { model, replaced } = replaceNorm(theirs, ['batch'], 'batch');
    expect(model.layers.map((layer) => layer.constructor)).toContain(BatchNormalization);
    expect(replaced).toEqual([
      { layer: 'batch', from: 'batch', to: 'batch', kept: ['gamma', 'beta', 'moving_mean', 'moving_variance'], lost: [], fresh: [] },
    ]);
    expect(model.getLayer('batch').getConfig()).toMatchObject({ momentum: 0.8, epsilon: 1e-3 });
    expect(await weightsOf(model)).toEqual(before);
    const both = replaceNorm(model, 'layer', 'layer').model;
    expect(both.getLayer('layer')).toBeInstanceOf(LayerNormalization);
    await expectClose(both.predict(numbers([4, 5])) as Tensor, theirs.predict(numbers([4, 5])) as Tensor);
    // They go their own ways from here.
    await losses(both, numbers([8, 5]), 1);
    expect(await weightsOf(theirs)).toEqual(before);
  });

  test('in a graph, whose shared layers stay shared, with arguments carried over', async () => {
    const old = residual();
    await losses(old, numbers([4, 6, 6, 3]), 1);
    const { model, replaced } = replaceNorm(old, 'batch', 'group', { groups: 2 });
    expect(replaced).toEqual([
      { layer: 'shared', from: 'batch', to: 'group', kept: ['gamma', 'beta'], lost: ['moving_mean', 'moving_variance'], fresh: [] },
    ]);
    expect(model.layers.map(({ name }) => name)).toEqual(old.layers.map(({ name }) => name));
    expect([model.name, model.inputNames, model.outputNames]).toEqual([old.name, old.inputNames, old.outputNames]);
    const made = model.getLayer('shared');
    expect(made).toBeInstanceOf(GroupNormalization);
    expect(made.inboundNodes).toHaveLength(2);
    expect(made.getConfig()).toMatchObject({ groups: 2, epsilon: 1e-4, axis: -1 });
    const weights = await weightsOf(old);
    expect(await weightsOf(model)).toEqual(
      Object.fromEntries(Object.entries(weights).filter(([name]) => !name.startsWith('shared/moving'))),
    );
    // The same network, made by hand.
    const [kernel1, kernel2] = ['first', 'second'].map((name) => old.getLayer(name).getWeights()[0]!);
    const byHand = functionalModel({ inputs: model.inputs, outputs: model.getLayer('sum').output as SymbolicTensor });
    const x = numbers([2, 6, 6, 3], 5);
    const group = new GroupNormalization({ groups: 2, epsilon: 1e-4 });
    group.build([null, 6, 6, 4]);
    group.setWeights(old.getLayer('shared').getWeights().slice(0, 2));
    const relu = layers.activation({ activation: 'relu' });
    const first = relu.apply(group.apply(convolved(kernel1!, x))) as Tensor;
    const wanted = layers.add().apply([first, group.apply(convolved(kernel2!, first)) as Tensor]) as Tensor;
    await expectClose(byHand.predict(x) as Tensor, wanted);
    expect((await losses(model, numbers([4, 6, 6, 3]), 2)).every(Number.isFinite)).toBe(true);
  });

  test('inside of models that are used twice, and of wrappers and recurrent layers', async () => {
    const block = sequential({
      name: 'block',
      layers: [layers.dense({ units: 4, inputShape: [4] }), new BatchNormalization({ name: 'inner' })],
    });
    const x = input({ shape: [3, 4] });
    const wrapped = layers
      .timeDistributed({ layer: new LayerNormalization({ name: 'wrapped' }), name: 'steps' })
      .apply(x) as SymbolicTensor;
    const cell = new LayerNormLSTMCell({ units: 4, name: 'cell' });
    const states = layers.rnn({ cell, name: 'recurrent' }).apply(wrapped) as SymbolicTensor;
    const both = layers
      .bidirectional({ layer: layers.gru({ units: 2, recurrentInitializer: 'glorotNormal' }) as never, mergeMode: 'concat', name: 'both' })
      .apply(wrapped) as SymbolicTensor;
    const once = block.apply(states) as SymbolicTensor;
    const twice = block.apply(layers.add().apply([once, both]) as SymbolicTensor) as SymbolicTensor;
    const old = functionalModel({ inputs: x, outputs: twice });
    const first = replaceNorm(old, ['batch', 'layer'], 'rms');
    expect(first.replaced).toEqual([
      { layer: 'steps/wrapped', from: 'layer', to: 'rms', kept: ['scale'], lost: ['beta'], fresh: [] },
      { layer: 'block/inner', from: 'batch', to: 'rms', kept: ['scale'], lost: ['beta', 'moving_mean', 'moving_variance'], fresh: [] },
    ]);
    const { model, replaced } = replaceNorm(first.model, 'rms', 'batch');
    expect(replaced.map(({ kept, fresh }) => [kept, fresh])).toEqual([
      [['gamma'], ['beta', 'moving_mean', 'moving_variance']],
      [['gamma'], ['beta', 'moving_mean', 'moving_variance']],
    ]);
    expect(model.getLayer('block').inboundNodes).toHaveLength(3);
    const inner = leavesOf(model).map(({ layer }) => layer.constructor);
    expect(inner.filter((each) => each === BatchNormalization)).toHaveLength(2);
    expect(inner).toContain(LayerNormLSTMCell);
    expect(leavesOf(first.model).filter(({ layer }) => layer instanceof RMSNormalization)).toHaveLength(2);
    // With no norm changed it computes the same.
    const same = replaceNorm(old, (layer) => layer.name === 'inner', 'batch').model;
    await expectClose(same.predict(numbers([2, 3, 4])) as Tensor, old.predict(numbers([2, 3, 4])) as Tensor, 0);
    expect(await weightsOf(same)).toEqual(await weightsOf(old));
  });

  test('state is kept as a whole, or begins anew', () => {
    expect(report(batch(), 'batch', 'evo-norm', { variant: 'B0' })).toEqual({
      kept: ['gamma', 'beta', 'moving_variance'],
      lost: ['moving_mean'],
      fresh: ['v'],
    });
    expect(report(batch(), 'batch', 'l1-batch')).toEqual({
      kept: ['gamma', 'beta'],
      lost: ['moving_mean', 'moving_variance'],
      fresh: ['moving_mean', 'moving_deviation'],
    });
    // Its count of steps would end the warm-up of windows that are empty.
    expect(report(new PowerNormalization({ inputShape: [2, 4] }), 'power', 'unified').kept).toEqual(['gamma', 'beta']);
    // One's own options may change the shape of nothing.
    expect(report(new PowerNormalization({ inputShape: [2, 4], warmupSteps: 7 }), 'power', 'power', { warmupSteps: 9 }).fresh).toEqual([]);
  });

  test('axes: several become the last one, weights of other shapes begin anew', () => {
    const whole = sequential({ layers: [new LayerNormalization({ axis: [1, 2], inputShape: [3, 4] })] });
    const { model, replaced } = replaceNorm(whole, 'layer', 'power', { groups: 2 });
    expect(replaced[0]).toMatchObject({
      kept: [],
      lost: ['gamma', 'beta'],
      fresh: ['gamma', 'beta', 'running_phi', 'ema_gz', 'iterations'],
    });
    expect(model.outputs[0]!.shape).toEqual([null, 3, 4]);
    const keras = sequential({ layers: [new BatchNormalization({ axis: [2], trainable: false, center: false, inputShape: [3, 4] })] });
    const unified = replaceNorm(keras, 'batch', 'unified').model.layers[0]!;
    expect(unified.getConfig()).toMatchObject({ center: false, scale: true, trainable: false, epsilon: 1e-3 });
  });

  test('a failure leaves nothing behind, and names the layer', async () => {
    const first = sequential({
      layers: [layers.dense({ units: 4, inputShape: [3, 4] }), new BatchNormalization({ axis: 1, name: 'rows' })],
    });
    const before = memory().numTensors;
    const axis = await failure(() => replaceNorm(first, 'batch', 'power'));
    expect(axis.message).toBe('replaceNorm: rows is [-2], expected a layer on the last axis, the only one of the norm power');
    const groups = await failure(() => replaceNorm(first, 'batch', 'group', { groups: 2 }));
    expect(groups.message).toContain('groups is 2, expected a divisor of the 3 channels');
    expect((await failure(() => replaceNorm(first, 'layer', 'batch'))).message).toBe(
      'replaceNorm: the model has no such layer; its norms are: batch',
    );
    expect((await failure(() => replaceNorm(first, 'bach' as 'batch', 'batch'))).argument).toBe('from');
    expect((await failure(() => replaceNorm(first, 'batch', 'bach' as 'batch'))).argument).toBe('to');
    expect(memory().numTensors).toBe(before);
  });

  test('what it made is saved and loaded', async () => {
    use(norms);
    const { model } = replaceNorm(residual(), ['batch', 'layer'], 'power');
    const loaded = await saveAndLoad(model);
    const x = ones([1, 6, 6, 3]);
    await expectClose(loaded.predict(x) as Tensor, model.predict(x) as Tensor, 0);
  });
  afterAll(() => unregister(norms));
});

test('an activation in the same pass goes along, or the norm without is refused', async () => {
  await start('cpu');
  const old = modelOf(new LayerNormalization({ activation: 'silu', inputShape: [3, 6], name: 'norm' }));
  const { model } = replaceNorm(old, 'layer', 'rms');
  expect(model.getLayer('norm').getConfig()['activation']).toBe('silu');
  const error = await failure(() => replaceNorm(old, 'layer', 'power'));
  expect(error.message).toBe('replaceNorm: norm is "silu", expected a layer without an activation, which the norm power cannot have');
});
