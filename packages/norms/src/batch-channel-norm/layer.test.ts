import { concat, fill, memory, ones, scalar, tensor, tensor1d, transpose, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { unregister, use } from '@evenkeel/core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  backends,
  expectClose,
  expectNoLeak,
  failure,
  losses,
  modelOf,
  numbers,
  saveAndLoad,
  seeded,
  start,
  summary,
  values,
} from '../../test/models.ts';
import {
  BatchChannelNormalization,
  BatchNormalization,
  EstimatedBatchNormalization,
  GroupNormalization,
  type UpdateRate,
} from '../layers.ts';
import { channelActivity, getStatistics, mergeStatistics, modelChannelActivity, replaceNorm, resetStatistics } from '../models.ts';
import { norms } from '../plugin.ts';
import { batchChannelNorm, batchChannelNormInference, estimatedBatchNorm } from './index.ts';

const weightsOf = (layer: layers.Layer): Promise<number[][]> => Promise.all(layer.getWeights().map(values));
const named = (layer: layers.Layer): string[] => layer.weights.map(({ name }) => name.replace(/^.*\//, ''));
const start0 = (channels: number): { mean: Tensor; variance: Tensor } => ({ mean: zeros([channels]), variance: ones([channels]) });

/** The two layers, with groups where they have some. */
const kinds: [string, (args: object) => BatchChannelNormalization | EstimatedBatchNormalization][] = [
  ['BatchChannelNormalization', (args) => new BatchChannelNormalization({ groups: 2, ...args })],
  ['EstimatedBatchNormalization', (args) => new EstimatedBatchNormalization(args)],
];

/** A dense layer that passes its input on, a norm, and a ReLU. */
const network = (norm: layers.Layer): LayersModel =>
  sequential({
    layers: [layers.dense({ units: 4, inputShape: [5, 4], kernelInitializer: 'identity', name: 'in' }), norm, layers.reLU()],
  });

/** Statistics and steps of a layer. */
async function stateOf(layer: layers.Layer): Promise<{ mean: number[]; variance: number[]; iterations: number }> {
  const [mean, variance, iterations] = (await weightsOf(layer)).slice(-3) as [number[], number[], number[]];
  return { mean, variance, iterations: iterations[0]! };
}

describe.each(backends)('layers with estimated statistics on %s', (name) => {
  beforeEach(() => start(name));
  afterEach(() => {
    unregister(norms);
    vi.restoreAllMocks();
  });

  test('have the weights that they should', () => {
    const layer = new BatchChannelNormalization({ groups: 3, inputShape: [4, 6] });
    modelOf(layer);
    expect(named(layer)).toEqual(['gamma', 'beta', 'channel_gamma', 'channel_beta', 'moving_mean', 'moving_variance', 'iterations']);
    expect(layer.weights.map(({ shape }) => shape)).toEqual([[6], [6], [3], [3], [6], [6], []]);
    expect(layer.trainableWeights).toHaveLength(4);
    const each = new BatchChannelNormalization({ groups: 3, channelAffine: 'perChannel', center: false, inputShape: [6] });
    modelOf(each);
    expect(each.weights.slice(0, 3).map(({ shape }) => shape)).toEqual([[6], [6], [6]]);
    const alone = new EstimatedBatchNormalization({ inputShape: [6] });
    modelOf(alone);
    expect(named(alone)).toEqual(['gamma', 'beta', 'moving_mean', 'moving_variance', 'iterations']);
  });

  test.each(kinds)('%s trains: the loss falls', async (_, make) => {
    const model = sequential({
      layers: [
        layers.conv2d({ filters: 8, kernelSize: 3, useBias: false, inputShape: [5, 5, 2] }),
        make({}),
        layers.reLU(),
        layers.flatten(),
        layers.dense({ units: 2 }),
      ],
    });
    const found = await losses(seeded(model), numbers([4, 5, 5, 2]), 8, 0.02);
    expect(found.at(-1)!).toBeLessThan(0.8 * found[0]!);
  });

  test('compute as the functions do, with channels last or elsewhere', async () => {
    const x = numbers([2, 4, 4, 6]);
    const layer = new BatchChannelNormalization({ groups: 3, updateRate: 0.3, warmStart: false, inputShape: [4, 4, 6] });
    const model = modelOf(layer);
    const given = [numbers([6], 1), numbers([6], 2), numbers([3], 3), numbers([3], 4), zeros([6]), ones([6]), scalar(0, 'int32')];
    layer.setWeights(given);
    const [gamma, beta, channelGamma, channelBeta] = given as [Tensor, Tensor, Tensor, Tensor];
    const parameters = { gamma, beta, channelGamma, channelBeta };
    const state = start0(6);
    await expectClose(model.predict(x) as Tensor, batchChannelNormInference(x, state, parameters, { groups: 3 }));
    const wanted = batchChannelNorm(x, state, parameters, { groups: 3, updateRate: 0.3 });
    await expectClose(layer.apply(x, { training: true }) as Tensor, wanted.y);
    const moved = await stateOf(layer);
    expect(moved.iterations).toBe(1);
    expect(moved.mean).toEqual(await values(wanted.mean));
    expect(moved.variance).toEqual(await values(wanted.variance));
    const first = new BatchChannelNormalization({ groups: 3, axis: 1, inputShape: [6, 4, 4] });
    const other = modelOf(first);
    first.setWeights(layer.getWeights());
    await expectClose(transpose(other.predict(transpose(x, [0, 3, 1, 2])) as Tensor, [0, 2, 3, 1]), model.predict(x) as Tensor);
    const alone = new EstimatedBatchNormalization({ updateRate: 0.3, warmStart: false });
    await expectClose(
      alone.apply(x, { training: true }) as Tensor,
      estimatedBatchNorm(x, state, undefined, undefined, { updateRate: 0.3 }).y,
    );
    const batch = new BatchChannelNormalization({ groups: 3, mode: 'batch' });
    await expectClose(batch.apply(x, { training: true }) as Tensor, batchChannelNorm(x, state, {}, { groups: 3, mode: 'batch' }).y);
  });

  test.each(kinds)('%s moves its statistics in training, and only there', async (_, make) => {
    const x = numbers([4, 3, 3, 2]);
    const model = modelOf(make({ groups: 1, inputShape: [3, 3, 2] }));
    await losses(model, x, 3);
    const layer = model.layers[0]!;
    expect((await stateOf(layer)).iterations).toBe(3);
    const before = await weightsOf(layer);
    const y = model.predict(x) as Tensor;
    model.evaluate(x, y);
    layer.apply(x);
    expect(await weightsOf(layer)).toEqual(before);
  });

  test('a warm start averages all batches so far, and ends where the rate is larger', async () => {
    const batches = [1, 2, 3, 4].map((seed) => numbers([2, 5, 3], seed));
    const layer = new EstimatedBatchNormalization({ updateRate: 0.3, inputShape: [5, 3] });
    modelOf(layer);
    let state = start0(3);
    for (const [t, x] of batches.entries()) {
      layer.apply(x, { training: true });
      const { mean, variance } = estimatedBatchNorm(x, state, undefined, undefined, { updateRate: [1, 1 / 2, 1 / 3, 0.3][t]! });
      state = { mean, variance };
      const found = await stateOf(layer);
      (await values(mean)).forEach((value, i) => expect(found.mean[i]).toBeCloseTo(value, 5));
      (await values(variance)).forEach((value, i) => expect(found.variance[i]).toBeCloseTo(value, 5));
    }
  });

  test('rates: a function of the step, or what the loop tells', async () => {
    const x = fill([2, 3], 2);
    const steps: number[] = [];
    const scheduled = new EstimatedBatchNormalization({
      updateRate: (step) => {
        steps.push(step);
        return 0.5;
      },
      inputShape: [3],
    });
    modelOf(scheduled);
    for (let i = 0; i < 3; i++) scheduled.apply(x, { training: true });
    expect(steps).toEqual([0, 1, 2]);
    expect((await stateOf(scheduled)).mean[0]).toBeCloseTo(2 * (1 - 0.5 ** 3), 5);
    const warnings = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const told = new EstimatedBatchNormalization({ updateRate: 'lr', name: 'told', inputShape: [3] });
    modelOf(told);
    told.apply(x, { training: true });
    told.apply(x, { training: true });
    expect(warnings).toHaveBeenCalledOnce();
    expect(String(warnings.mock.calls[0])).toContain('told: the update rate of a training step is 0');
    expect((await stateOf(told)).mean[0]).toBe(0);
    told.setUpdateRate(0.25);
    told.apply(x, { training: true });
    expect((await stateOf(told)).mean[0]).toBeCloseTo(0.5, 6);
    expect((await failure(() => told.setUpdateRate(2))).argument).toBe('rate');
    expect((await failure(() => scheduled.setUpdateRate(0.1))).argument).toBe('layer');
    const wild = new EstimatedBatchNormalization({ updateRate: () => 1.5, inputShape: [3] });
    modelOf(wild);
    expect((await failure(() => wild.apply(x, { training: true }))).argument).toBe('updateRate');
  });

  test.each(kinds)('%s: a frozen layer takes its statistics and leaves them alone', async (_, make) => {
    const layer = make({ trainable: false, inputShape: [4, 6] });
    const model = sequential({ layers: [layer, layers.flatten(), layers.dense({ units: 2 })] });
    const before = await weightsOf(layer);
    await losses(model, numbers([4, 4, 6]), 2);
    expect(await weightsOf(layer)).toEqual(before);
    const x = numbers([1, 4, 6]);
    const passing = make({ inputShape: [4, 6] });
    modelOf(passing);
    passing.freezeStatistics();
    await expectClose(passing.apply(x, { training: true }) as Tensor, passing.apply(x) as Tensor, 0);
    expect((await stateOf(passing)).iterations).toBe(0);
    passing.freezeStatistics(false);
    passing.apply(x, { training: true });
    expect((await stateOf(passing)).iterations).toBe(1);
  });

  test.each(kinds)('%s: a batch with NaN throws by default and leaves every weight as it was', async (_, make) => {
    const x = concat([numbers([3, 2, 4]), fill([1, 2, 4], Number.NaN)]);
    const model = modelOf(make({ inputShape: [2, 4] }));
    const before = await weightsOf(model.layers[0]!);
    const error = await failure(() => losses(model, x, 1));
    expect([error.code, error.argument]).toEqual(['NON_FINITE', 'x']);
    expect(await weightsOf(model.layers[0]!)).toEqual(before);
    const skipping = make({ onNonFinite: 'skip', inputShape: [2, 4] });
    modelOf(skipping);
    const y = await values(skipping.apply(x, { training: true }) as Tensor);
    expect(y.slice(0, 24).every(Number.isFinite)).toBe(true);
    const { mean, variance } = await stateOf(skipping);
    expect([...mean, ...variance]).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  });

  test.each(kinds)('%s saves and loads with its state and its arguments', async (_, make) => {
    use(norms);
    const layer = make({ axis: 1, epsilon: 0.1, updateRate: 0.2, warmStart: false, onNonFinite: 'skip', scale: false, inputShape: [4, 3] });
    const model = modelOf(layer);
    const x = numbers([4, 4, 3]);
    await losses(model, x, 2);
    const loaded = await saveAndLoad(model);
    const copy = loaded.layers[0]!;
    expect(JSON.stringify(copy.getConfig())).toBe(JSON.stringify(layer.getConfig()));
    expect(copy.getConfig()).toMatchObject({ updateRate: 0.2, warmStart: false, onNonFinite: 'skip', scale: false });
    expect(await weightsOf(copy)).toEqual(await weightsOf(layer));
    expect(await values(loaded.predict(x) as Tensor)).toEqual(await values(model.predict(x) as Tensor));
    expect(summary(model)).toMatch(/\[null,4,3\]/);
    // It goes on where it was.
    await losses(loaded, x, 1);
    expect((await stateOf(copy)).iterations).toBe(3);
  });

  test('groups, mode and affine kind are saved, a function for a rate is not', async () => {
    use(norms);
    const loaded = await saveAndLoad(
      modelOf(new BatchChannelNormalization({ groups: 2, mode: 'batch', channelAffine: 'perChannel', inputShape: [3, 4] })),
    );
    expect(loaded.layers[0]!.getConfig()).toMatchObject({
      groups: 2,
      mode: 'batch',
      channelAffine: 'perChannel',
      updateRate: 0.1,
      warmStart: false,
    });
    const scheduled = modelOf(new BatchChannelNormalization({ groups: 2, updateRate: () => 0.5, inputShape: [4] }));
    expect((await saveAndLoad(scheduled)).layers[0]!.getConfig()).toMatchObject({ updateRate: 0.01 });
    const told = modelOf(new EstimatedBatchNormalization({ updateRate: 'lr', inputShape: [4] }));
    expect((await saveAndLoad(told)).layers[0]!.getConfig()).toMatchObject({ updateRate: 'lr', warmStart: false });
  });

  test.each(kinds)('%s: its state is read, merged between replicas, and reset', async (_, make) => {
    const replicas = [1, 2].map(() => modelOf(make({ name: 'norm', inputShape: [3, 4] })));
    const [model, other] = replicas as [LayersModel, LayersModel];
    for (const [i, each] of replicas.entries()) await losses(each, numbers([4, 3, 4], i + 1), 2);
    expect(Object.keys(getStatistics(model))).toEqual(['norm/moving_mean', 'norm/moving_variance', 'norm/iterations']);
    const [one, two] = [await stateOf(model.layers[0]!), await stateOf(other.layers[0]!)];
    await mergeStatistics(replicas);
    for (const each of replicas) {
      const merged = await stateOf(each.layers[0]!);
      for (const kind of ['mean', 'variance'] as const) {
        merged[kind].forEach((value, c) => expect(value).toBeCloseTo((one[kind][c]! + two[kind][c]!) / 2, 5));
      }
      expect(merged.iterations).toBe(2);
    }
    resetStatistics(model);
    expect(await stateOf(model.layers[0]!)).toEqual({ mean: [0, 0, 0, 0], variance: [1, 1, 1, 1], iterations: 0 });
  });

  test('takes the statistics of a trained batch norm', async () => {
    const trained = modelOf(new BatchNormalization({ epsilon: 1e-5, inputShape: [3, 4] }));
    const x = numbers([8, 3, 4]);
    await losses(trained, x, 3);
    const [gamma, beta, mean, variance] = trained.layers[0]!.getWeights() as [Tensor, Tensor, Tensor, Tensor];
    const layer = new EstimatedBatchNormalization({ inputShape: [3, 4] });
    const model = modelOf(layer);
    layer.setWeights([gamma, beta, ...layer.getWeights().slice(2)]);
    layer.setStatistics({ mean, variance });
    await expectClose(model.predict(x) as Tensor, trained.predict(x) as Tensor);
    // No warm start: a step moves by a hundredth.
    layer.apply(x, { training: true });
    const moved = await stateOf(layer);
    (await values(variance)).forEach((value, i) => expect(Math.abs(moved.variance[i]! - value)).toBeLessThan(0.2));
    expect((await failure(() => layer.setStatistics({ mean: ones([3]), variance }))).argument).toBe('mean');
    expect((await failure(() => new EstimatedBatchNormalization().setStatistics({ mean, variance }))).argument).toBe('layer');
    const { replaced } = replaceNorm(trained, 'batch', 'batch-channel', { groups: 2 });
    expect(replaced[0]).toMatchObject({ kept: ['gamma', 'beta'], to: 'batch-channel' });
  });

  test.each(kinds)('%s leaves no tensor behind', async (_, make) => {
    const model = modelOf(make({ axis: 1, inputShape: [4, 3] }));
    const [x, y] = [numbers([2, 4, 3]), numbers([2, 4, 3], 2)];
    await expectNoLeak(() => (model.predict(x) as Tensor).dispose());
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await expectNoLeak(() => model.fit(x, y, { verbose: 0 }));
  });

  test('an empty batch is no step', async () => {
    const layer = new BatchChannelNormalization({ groups: 2, inputShape: [3, 4] });
    modelOf(layer);
    const y = layer.apply(zeros([0, 3, 4]), { training: true }) as Tensor;
    expect(y.shape).toEqual([0, 3, 4]);
    expect(await stateOf(layer)).toEqual({ mean: [0, 0, 0, 0], variance: [1, 1, 1, 1], iterations: 0 });
  });

  test('channelActivity: distances and dead channels', async () => {
    const x = tensor(
      [
        [1, -5, 0, 2],
        [-1, -5.5, 0, 2],
        [1, -4.5, 0, 2],
        [-1, -5, 0, 2],
      ],
      [4, 4],
    );
    const found = await channelActivity(x);
    expect(found.active).toEqual(new Float32Array([0.5, 0, 0, 1]));
    expect(found.distance[0]).toBe(0);
    expect(found.distance[1]).toBeCloseTo(5 / Math.sqrt(0.125), 4);
    expect([found.distance[2], found.distance[3]]).toEqual([0, Infinity]);
    expect([found.dead, found.deadShare]).toEqual([[1, 2], 0.5]);
    expect((await channelActivity(transpose(x), { axis: 0, threshold: 0.6 })).dead).toEqual([0, 1, 2]);
    await expectNoLeak(() => channelActivity(x));
  });

  test('modelChannelActivity: a group norm keeps a channel dead that batch-channel norm revives', async () => {
    const shift = tensor1d([0, -6, 0.2, 0.1]);
    const x = numbers([32, 5, 4]);
    const group = network(new GroupNormalization({ groups: 2, name: 'norm' }));
    const batch = network(new BatchChannelNormalization({ groups: 2, name: 'norm' }));
    for (const model of [group, batch]) model.layers[0]!.setWeights([model.layers[0]!.getWeights()[0]!, shift]);
    const inner = batch.layers[0]!.apply(x) as Tensor;
    for (let i = 0; i < 3; i++) batch.layers[1]!.apply(inner, { training: true });
    const before = memory().numTensors;
    const [dead, alive] = [await modelChannelActivity(group, x), await modelChannelActivity(batch, x)];
    expect(memory().numTensors).toBe(before);
    expect(Object.keys(dead)).toEqual(['norm']);
    expect(dead['norm']!.dead).toEqual([1]);
    expect(alive['norm']!.dead).toEqual([]);
    expect(alive['norm']!.distance[1]!).toBeLessThan(0.5);
    expect(dead['norm']!.distance[1]!).toBeGreaterThan(1);
    expect((await failure(() => modelChannelActivity(group, x, { layers: () => false }))).code).toBe('NOT_FOUND');
  });
});

test('channelActivity refuses by name', async () => {
  await start('cpu');
  expect((await failure(() => channelActivity(ones([3])))).argument).toBe('x');
  expect((await failure(() => channelActivity(zeros([0, 3])))).argument).toBe('x');
  expect((await failure(() => channelActivity(ones([2, 3]), { axis: 2 }))).argument).toBe('axis');
  expect((await failure(() => channelActivity(ones([2, 3]), { threshold: 2 }))).argument).toBe('threshold');
});

test.each([
  ['groups', { groups: 0 }, 'groups is 0, expected an integer > 0'],
  ['groups', { groups: 5 }, 'groups is 5, expected a divisor of the 8 channels; 4 is the nearest'],
  ['updateRate', { updateRate: 1.5 }, "updateRate is 1.5, expected a number in [0, 1], a function of the step, or 'lr'"],
  ['updateRate', { updateRate: 'slow' as UpdateRate }, 'updateRate is "slow"'],
  ['mode', { mode: 'other' as never }, "expected 'estimate' or 'batch'"],
  ['channelAffine', { channelAffine: 'none' as never }, "expected 'perGroup' or 'perChannel'"],
  ['onNonFinite', { onNonFinite: 'propagate' as never }, "expected 'throw' or 'skip'"],
  ['warmStart', { warmStart: 1 as never }, 'warmStart is 1, expected a boolean'],
  ['epsilon', { epsilon: 0 }, 'epsilon is 0'],
  ['axis', { axis: 5 }, 'axis is 5, expected distinct axes of an input of rank 2'],
])('refuses a bad %s: %o', async (argument, args, message) => {
  await start('cpu');
  const error = await failure(() => modelOf(new BatchChannelNormalization({ groups: 2, inputShape: [8], ...args })));
  expect(error.argument).toBe(argument);
  expect(error.message).toContain(message);
});
