import { memory, mul, tensor1d, train, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, test } from 'vitest';
import { backends, failure, losses, numbers, start, values } from '../../test/models.ts';
import { BatchNormalization } from '../layers.ts';
import { maskedOptimizer, modelWeights, randomMask, seedWeights, trainBySgd, trainOnly, type LabelledBatch } from './index.ts';

function network(): LayersModel {
  const model = sequential({
    layers: [
      layers.conv2d({ filters: 4, kernelSize: 3, useBias: false, name: 'first', inputShape: [6, 6, 2] }),
      new BatchNormalization({ name: 'norm', momentum: 0.5 }),
      layers.activation({ activation: 'relu' }),
      layers.conv2d({ filters: 3, kernelSize: 1, name: 'second' }),
      layers.flatten(),
      layers.dense({ units: 3, name: 'out' }),
    ],
  });
  seedWeights(model, { seed: 3 });
  return model;
}

const batchesOf = (count: number, x = numbers([5, 6, 6, 2])): LabelledBatch[] =>
  Array.from({ length: count }, () => ({ x, labels: tensor1d([0, 1, 2, 1, 0], 'int32') }));

const kernel = (model: LayersModel, layer: string): Tensor => model.getLayer(layer).weights[0]!.read();

/** How many entries of a channel differ. */
async function movedIn(before: number[], after: Tensor): Promise<number[]> {
  const channels = after.shape.at(-1)!;
  const now = await values(after);
  return Array.from(
    { length: channels },
    (_, channel) => now.filter((value, i) => i % channels === channel && !Object.is(value, before[i])).length,
  );
}

describe.each(backends)('on %s', (name) => {
  beforeEach(() => start(name));

  test('a mask lets as many numbers of each channel move, the same for a seed', async () => {
    const model = network();
    const masks = randomMask(model, { seed: 1 });
    expect(masks.count).toBe(2 * 4 + 2 * 3);
    expect(
      modelWeights(model)
        .filter(masks.has)
        .map((weight) => weight.name),
    ).toEqual(['first/kernel', 'second/kernel']);
    for (const mask of masks.of.values())
      expect(await movedIn(Array<number>(mask.size).fill(0), mask)).toEqual(Array(mask.shape.at(-1)!).fill(2));
    const bits = async (seed: number): Promise<number[][]> => Promise.all([...randomMask(model, { seed }).of.values()].map(values));
    expect(await bits(1)).toEqual(await Promise.all([...masks.of.values()].map(values)));
    expect(await bits(2)).not.toEqual(await bits(1));
    masks.dispose();
  });

  test.each(['momentum', 'adam', 'decaying'] as const)('a masked optimizer, %s, leaves every other number as it was', async (kind) => {
    const model = network();
    const masks = randomMask(model, { seed: 1, perChannel: 1 });
    const [first, second] = [await values(kernel(model, 'first')), await values(kernel(model, 'second'))];
    const { restore } = trainOnly(model, (weight) => masks.has(weight) || weight.group === 'output');
    const inner = kind === 'adam' ? train.adam(0.01) : train.momentum(0.1, 0.9);
    if (kind === 'decaying') {
      const usual = inner.applyGradients.bind(inner);
      // As an optimizer with weight decay of its own does.
      inner.applyGradients = (gradients) => {
        usual(gradients);
        for (const { variable } of modelWeights(model)) (variable.read() as Variable).assign(mul(variable.read(), 0.9));
      };
    }
    const optimizer = maskedOptimizer(inner, masks);
    model.compile({ optimizer, loss: 'meanSquaredError' });
    await model.fit(numbers([5, 6, 6, 2]), numbers([5, 3]), { epochs: 3, verbose: 0 });
    expect(await movedIn(first, kernel(model, 'first'))).toEqual([1, 1, 1, 1]);
    expect(await movedIn(second, kernel(model, 'second'))).toEqual([1, 1, 1]);
    expect((await optimizer.getWeights()).length).toBeGreaterThan(0);
    restore();
    masks.dispose();
  });

  test('steps are those of momentum and decay on what trains, and of nothing else', async () => {
    const model = network();
    const twin = network();
    trainOnly(model, 'output');
    const [first, weight] = [await values(kernel(model, 'first')), await values(kernel(model, 'out'))];
    const found = await trainBySgd(model, batchesOf(1), { learningRate: 0.5, weightDecay: 0.1 });
    await trainBySgd(twin, batchesOf(1), { learningRate: 0.5 });
    expect(found[0]).toBeGreaterThan(0);
    expect(await values(kernel(model, 'first'))).toEqual(first);
    const undecayed = await values(kernel(twin, 'out'));
    (await values(kernel(model, 'out'))).forEach((value, i) => expect(value).toBeCloseTo(undecayed[i]! - 0.5 * 0.1 * weight[i]!, 5));
    const longer = await trainBySgd(twin, batchesOf(20), { learningRate: (step) => 0.1 / (1 + step) });
    expect(longer.at(-1)).toBeLessThan(longer[0]!);
  });

  test('with masks, neither decay nor momentum moves the rest', async () => {
    const model = network();
    const masks = randomMask(model, { seed: 4 });
    const first = await values(kernel(model, 'first'));
    trainOnly(model, masks.has);
    await trainBySgd(model, batchesOf(3), { learningRate: 0.1, weightDecay: 0.1, masks });
    expect(await movedIn(first, kernel(model, 'first'))).toEqual([2, 2, 2, 2]);
    masks.dispose();
  });

  test('a loss that is not finite ends it, with the weights before it', async () => {
    const model = network();
    const weights = await values(kernel(model, 'out'));
    const [large, usual] = [batchesOf(1, mul(numbers([5, 6, 6, 2]), 1e30)), batchesOf(2)];
    (model.getLayer('second').weights[1]!.read() as Variable).assign(mul(numbers([3]), Number.POSITIVE_INFINITY));
    // Of the norm, which comes first.
    const statistics = await failure(() => trainBySgd(model, large, { learningRate: 0.1 }));
    expect([statistics.code, statistics.argument]).toEqual(['NON_FINITE', 'batch']);
    const before = memory().numTensors;
    const error = await failure(() => trainBySgd(model, usual, { learningRate: 0.1 }));
    expect([error.code, error.op]).toEqual(['NON_FINITE', 'trainBySgd']);
    expect(error.message).toMatch(/the loss of step 0 is (NaN|Infinity)/);
    expect(memory().numTensors).toBe(before);
    expect(await values(kernel(model, 'out'))).toEqual(weights);
  });
});

test('frees what it makes, and hears an abort', async () => {
  await start('cpu');
  const model = network();
  const data = batchesOf(4);
  await trainBySgd(model, data.slice(0, 1), { learningRate: 0.1 });
  const before = memory().numTensors;
  const abort = new AbortController();
  const onStep = (step: number): void => {
    if (step === 1) abort.abort();
  };
  const error = await failure(() => trainBySgd(model, data, { learningRate: 0.1, signal: abort.signal, onStep }));
  expect(error.code).toBe('ABORTED');
  expect(memory().numTensors).toBe(before);
  const refusals = [
    () => trainBySgd(model, data, { learningRate: 0.1, momentum: 1 }),
    () => trainBySgd(model, data, { learningRate: Number.NaN }),
    () => trainBySgd(model, data, { learningRate: 0.1, weightDecay: -1 }),
    () => randomMask(model, { seed: 1, perChannel: 5 }),
    () => randomMask(sequential({ layers: [layers.dense({ units: 1, inputShape: [1] })] }), { seed: 1 }),
    () => randomMask(model, { seed: -1 }),
  ];
  const found = await Promise.all(refusals.map((each) => failure(each)));
  expect(found.map(({ code, argument }) => [code, argument])).toEqual(
    ['momentum', 'learningRate', 'weightDecay', 'perChannel', 'model', 'seed'].map((argument) => ['INVALID_ARGUMENT', argument]),
  );
  await losses(model, numbers([5, 6, 6, 2]), 1);
});
