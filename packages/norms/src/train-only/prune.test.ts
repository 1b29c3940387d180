import { memory, relu, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import { input, layers, model as functionalModel, sequential, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { expectClose, failure, losses, numbers, start, values } from '../../test/models.ts';
import { BatchNormalization, LayerNormalization } from '../layers.ts';
import { ablateGammas, deadFeatures, gammaSparsity, pruneDeadFeatures, seedWeights } from './index.ts';

beforeAll(() => start('cpu'));

const then = (x: SymbolicTensor, layer: layers.Layer): SymbolicTensor => layer.apply(x) as SymbolicTensor;
const conv = (filters: number, name: string): layers.Layer => layers.conv2d({ filters, kernelSize: 3, padding: 'same', name });
const activation = (name = 'relu'): layers.Layer => layers.activation({ activation: name as 'relu' });

/** gamma and beta of a norm, the statistics drawn. */
function setNorm(model: LayersModel, name: string, gamma: number[], beta: number[]): void {
  const channels = gamma.length;
  model.getLayer(name).setWeights([tensor1d(gamma), tensor1d(beta), numbers([channels], 4), relu(numbers([channels], 5))]);
}

/** Norms inside of a block, before a sum, before a flattening layer, and before a sigmoid. */
function network(): LayersModel {
  const x = input({ shape: [8, 8, 2] });
  const stem = then(then(then(x, conv(4, 'stem')), new BatchNormalization({ name: 'added' })), activation());
  let inner = then(then(then(stem, conv(5, 'one')), new BatchNormalization({ name: 'inner' })), activation());
  inner = then(inner, layers.maxPooling2d({ poolSize: 3, strides: 1, padding: 'same' }));
  const sum = layers.add().apply([then(inner, conv(4, 'two')), stem]) as SymbolicTensor;
  const small = then(
    then(sum, layers.conv2d({ filters: 3, kernelSize: 1, strides: 4, name: 'small' })),
    new BatchNormalization({ name: 'flat' }),
  );
  const flat = then(then(small, layers.reLU()), layers.flatten());
  const hidden = then(
    then(then(flat, layers.dense({ units: 4, name: 'hidden' })), new BatchNormalization({ name: 'sigmoid' })),
    activation('sigmoid'),
  );
  const model = functionalModel({ inputs: x, outputs: then(hidden, layers.dense({ units: 2, name: 'out' })) });
  seedWeights(model, { seed: 2 });
  setNorm(model, 'added', [0, 1, 0, 1], [-1, 0, -1, 0]);
  setNorm(model, 'inner', [0, 1, 0.005, 0, -1], [-1, 0, -0.5, 0.5, -2]);
  setNorm(model, 'flat', [1, 0, 2], [0, 0, -1]);
  setNorm(model, 'sigmoid', [0, 1, 1, 1], [0, 1, 1, 1]);
  return model;
}

const x = (): Tensor => numbers([3, 8, 8, 2]);

describe('gammas', () => {
  test('the share below thresholds, of all norms', async () => {
    const model = sequential({
      layers: [new BatchNormalization({ inputShape: [4] }), new LayerNormalization(), new BatchNormalization({ scale: false })],
    });
    model.layers[0]!.setWeights([tensor1d([0.01, -0.001, 0, -5]), ...model.layers[0]!.getWeights().slice(1)]);
    expect(await gammaSparsity(model, [0.001, 0.01, 0.02, 2])).toEqual([1 / 8, 2 / 8, 3 / 8, 7 / 8]);
    const putBack = ablateGammas(model, 0.02);
    expect(await values(model.layers[0]!.getWeights()[0]!)).toEqual([0, 0, 0, -5]);
    putBack();
    putBack();
    expect(await values(model.layers[0]!.getWeights()[0]!)).toEqual([...new Float32Array([0.01, -0.001, 0, -5])]);
    const without = sequential({ layers: [new BatchNormalization({ scale: false, inputShape: [4] })] });
    expect((await failure(() => gammaSparsity(without, [1]))).message).toBe('gammaSparsity: model has no norm with a gamma, expected one');
    expect((await failure(() => ablateGammas(without, 1))).argument).toBe('model');
  });

  test('features that are 0 for a whole batch, of each ReLU', async () => {
    const model = network();
    const before = memory().numTensors;
    const input = x();
    const { share, features } = await deadFeatures(model, input);
    expect(features).toBe(4 + 5 + 3);
    // 2 added, 1 and perhaps 2 inner, 1 flat, all of these at least.
    expect(share * features).toBeGreaterThanOrEqual(4);
    input.dispose();
    expect(memory().numTensors).toBe(before);
    expect(model.layers.some((layer) => Object.hasOwn(layer, 'call'))).toBe(false);
    const linear = sequential({ layers: [layers.dense({ units: 2, inputShape: [2] })] });
    expect((await failure(() => deadFeatures(linear, numbers([1, 2])))).argument).toBe('model');
  });
});

describe('pruneDeadFeatures', () => {
  test('takes filters, norm and what reads them, where nobody else reads them', async () => {
    const model = network();
    const { model: small, pruned, parameters, difference } = await pruneDeadFeatures(model, 0, { check: x() });
    expect(pruned).toEqual([
      { layer: 'inner', removed: 1, left: 4 },
      { layer: 'flat', removed: 1, left: 2 },
    ]);
    const shapes = (name: string): unknown[] =>
      small
        .getLayer(name)
        .getWeights()
        .map(({ shape }) => shape);
    expect(shapes('one')).toEqual([[3, 3, 4, 4], [4]]);
    expect(shapes('inner')).toEqual([[4], [4], [4], [4]]);
    expect(shapes('two')).toEqual([[3, 3, 4, 4], [4]]);
    expect(shapes('small')[0]).toEqual([1, 1, 4, 2]);
    expect(shapes('hidden')[0]).toEqual([2 * 2 * 2, 4]);
    expect(shapes('added')[0]).toEqual([4]);
    expect(parameters).toEqual({ before: model.countParams(), after: small.countParams() });
    expect(parameters.after).toBeLessThan(parameters.before);
    expect(difference).toBeLessThan(1e-6);
    await expectClose(small.predict(x()) as Tensor, model.predict(x()) as Tensor);
    expect((await losses(small, x(), 2)).every(Number.isFinite)).toBe(true);
  });

  test('by a threshold: as the model with these gammas at 0, and how far that is from it', async () => {
    const model = network();
    const { pruned, difference, model: small } = await pruneDeadFeatures(model, 0.01, { check: x() });
    expect(pruned[0]).toEqual({ layer: 'inner', removed: 2, left: 3 });
    expect(difference).toBeLessThan(0.01);
    // Its beta keeps it below 0 anyway, and nothing of the old model has changed.
    expect(await values(model.getLayer('inner').getWeights()[0]!)).toEqual([...new Float32Array([0, 1, 0.005, 0, -1])]);
    await expectClose(small.predict(x()) as Tensor, model.predict(x()) as Tensor, 0.01);
  });

  test('in a sequence inside of a model; one feature is left where all are dead', async () => {
    const block = sequential({
      layers: [
        layers.dense({ units: 3, inputShape: [4], name: 'a' }),
        new BatchNormalization({ name: 'n' }),
        activation(),
        layers.dense({ units: 2, name: 'b' }),
      ],
    });
    setNorm(block, 'n', [0, 0, 0], [-1, 0, -1]);
    const model = sequential({ layers: [layers.inputLayer({ inputShape: [4] }), block] });
    const { pruned, model: small } = await pruneDeadFeatures(model, 0, { check: numbers([3, 4]) });
    expect(pruned).toEqual([{ layer: expect.stringContaining('/n') as string, removed: 2, left: 1 }]);
    await expectClose(small.predict(numbers([3, 4])) as Tensor, model.predict(numbers([3, 4])) as Tensor);
    const used = input({ shape: [4] });
    const shared = layers.dense({ units: 4, name: 's' });
    const norm = new BatchNormalization({ name: 'm' });
    const outputs = then(then(then(then(then(used, shared), norm), activation()), shared), layers.dense({ units: 1 }));
    const twice = functionalModel({ inputs: used, outputs });
    setNorm(twice, 'm', [0, 0, 1, 1], [-1, -1, 0, 0]);
    expect((await pruneDeadFeatures(twice, 0)).pruned).toEqual([]);
    expect((await failure(() => pruneDeadFeatures(model, -1))).argument).toBe('threshold');
  });
});
