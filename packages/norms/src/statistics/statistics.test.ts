import { concat, dispose, memory, tensor, type Tensor } from '@tensorflow/tfjs-core';
import { layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { unregister, use } from '@evenkeel/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backends, expectNoLeak, failure, losses, numbers, saveAndLoad, start, values } from '../../test/models.ts';
import {
  BatchNormalization,
  EvoNormalization,
  L1BatchNormalization,
  PowerNormalization,
  UnifiedNormalization,
  UnMixTNS,
} from '../layers.ts';
import { norms } from '../plugin.ts';
import { getStatistics, mergeStatistics, resetStatistics, setStatistics } from './statistics.ts';

type Values = Record<string, number[]>;

async function read(model: LayersModel): Promise<Values> {
  const state = getStatistics(model);
  const entries = await Promise.all(Object.entries(state).map(async ([name, tensor]) => [name, await values(tensor)] as const));
  dispose(state);
  return Object.fromEntries(entries);
}

/** Models of one norm, each with the same name. */
const replicas = (make: () => layers.Layer, count = 2): LayersModel[] =>
  Array.from({ length: count }, () => sequential({ layers: [make()] }));

async function step(model: LayersModel, x: Tensor): Promise<void> {
  await losses(model, x, 1, 0);
}

const close = (found: readonly number[], wanted: readonly number[]): void =>
  found.forEach((value, i) => expect(Math.abs(value - wanted[i]!) / (1 + Math.abs(wanted[i]!))).toBeLessThan(1e-5));

/** The mean of the same state of some replicas. */
const meanOf = (states: readonly Values[], name: string, shares = states.map(() => 1 / states.length)): number[] =>
  states[0]![name]!.map((_, i) => states.reduce((total, state, at) => total + state[name]![i]! * shares[at]!, 0));

const batchNormOf = (norm: string, channels: number): LayersModel =>
  sequential({ layers: [new BatchNormalization({ name: norm, inputShape: [2, channels] })] });

const network = (): LayersModel =>
  sequential({
    layers: [
      layers.dense({ name: 'dense', units: 3, inputShape: [2, 3] }),
      new BatchNormalization({ name: 'batch' }),
      new PowerNormalization({ name: 'power', groups: 0, warmupSteps: 2 }),
      new UnifiedNormalization({ name: 'unified', window: 2 }),
      new UnMixTNS({ name: 'unmix', components: 3 }),
    ],
  });

describe.each(backends)('mergeStatistics on %s', (name) => {
  beforeEach(() => start(name));
  afterEach(() => unregister(norms));

  test.each([
    ['tfjs', () => layers.batchNormalization({ name: 'norm', momentum: 0, inputShape: [2, 3] })],
    ['ours', () => new BatchNormalization({ name: 'norm', momentum: 0, inputShape: [2, 3] })],
  ])('batch norm of %s: the statistics of all data together, for equal and for given counts', async (_, make) => {
    for (const sizes of [
      [4, 4],
      [2, 6, 4],
    ]) {
      const parts = sizes.map((size, i) => numbers([size, 2, 3], i + 1));
      const models = replicas(make, sizes.length);
      for (const [i, model] of models.entries()) await step(model, parts[i]!);
      const [whole] = replicas(make, 1);
      await step(whole!, concat(parts, 0));
      const before = await Promise.all(models.map((model) => values(model.layers[0]!.getWeights()[0]!)));
      const merged = await mergeStatistics(models, sizes.length === 2 ? {} : { counts: sizes });
      expect(merged).toEqual(['norm/moving_mean', 'norm/moving_variance']);
      const wanted = await read(whole!);
      for (const model of models) {
        const found = await read(model);
        for (const each of merged) close(found[each]!, wanted[each]!);
      }
      expect(await Promise.all(models.map((model) => values(model.layers[0]!.getWeights()[0]!)))).toEqual(before);
    }
  });

  test('PowerNorm: mean squares and what the backward passes have moved are averaged, counters kept', async () => {
    const models = replicas(() => new PowerNormalization({ name: 'norm', warmupSteps: 1, groups: 0, inputShape: [2, 3] }));
    for (const seed of [1, 3]) for (const [i, model] of models.entries()) await step(model, numbers([4, 2, 3], seed + i));
    const before = await Promise.all(models.map(read));
    expect(before[0]!['norm/ema_gz']).not.toEqual(before[1]!['norm/ema_gz']);
    await mergeStatistics(models, { counts: [1, 3] });
    for (const model of models) {
      const found = await read(model);
      for (const each of ['norm/running_phi', 'norm/ema_gz']) close(found[each]!, meanOf(before, each, [0.25, 0.75]));
      expect(found['norm/iterations']).toEqual([2]);
    }
    await step(models[0]!, numbers([4, 2, 3]));
    const apart = await Promise.all(models.map(read));
    const error = await failure(() => mergeStatistics(models));
    expect([error.code, error.message]).toEqual([
      'INVALID_ARGUMENT',
      expect.stringContaining('norm/iterations is 2 in replica 1, expected 3'),
    ]);
    expect(await Promise.all(models.map(read))).toEqual(apart);
  });

  test('unified norm: the windows, too; of skipped steps the most', async () => {
    const models = replicas(
      () => new UnifiedNormalization({ name: 'norm', window: 2, warmupSteps: 2, outlierFiltration: true, inputShape: [2, 3] }),
    );
    for (const seed of [1, 3, 5]) for (const [i, model] of models.entries()) await step(model, numbers([4, 2, 3], seed + i));
    const weights = models[1]!.layers[0]!.getWeights();
    models[1]!.layers[0]!.setWeights([...weights.slice(0, -2), tensor([7]), weights.at(-1)!]);
    const before = await Promise.all(models.map(read));
    await mergeStatistics(models);
    for (const model of models) {
      const found = await read(model);
      for (const each of ['running_var', 'ema_gz', 'squares', 'gradients']) close(found[`norm/${each}`]!, meanOf(before, `norm/${each}`));
      expect([found['norm/skipped'], found['norm/iterations']]).toEqual([[7], [3]]);
    }
  });

  test.each([
    ['EvoNorm-B', () => new EvoNormalization({ name: 'norm', variant: 'B0', inputShape: [4, 3] }), ['norm/moving_variance']],
    ['L1 batch norm', () => new L1BatchNormalization({ name: 'norm', inputShape: [4, 3] }), ['norm/moving_mean', 'norm/moving_deviation']],
  ] as const)('%s: averages', async (_, make, names) => {
    const models = replicas(make, 3);
    for (const [i, model] of models.entries()) await step(model, numbers([4, 4, 3], i + 1));
    const before = await Promise.all(models.map(read));
    expect(await mergeStatistics(models)).toEqual(names);
    for (const model of models) {
      const found = await read(model);
      for (const each of names) close(found[each]!, meanOf(before, each));
    }
  });

  test('UnMix-TNS: the components of replicas that started alike', async () => {
    const models = replicas(() => new UnMixTNS({ name: 'norm', components: 4, seed: 3, inputShape: [4, 3] }));
    for (const [i, model] of models.entries()) dispose(model.predict(numbers([4, 4, 3], i + 1)));
    dispose(
      models[1]!.predict(
        tensor(
          Array.from({ length: 12 }, () => Number.NaN),
          [1, 4, 3],
        ),
      ),
    );
    const before = await Promise.all(models.map(read));
    await mergeStatistics(models);
    for (const model of models) {
      const found = await read(model);
      for (const each of ['norm/component_means', 'norm/component_variances']) close(found[each]!, meanOf(before, each));
      expect(found['norm/skipped']).toEqual([1]);
    }
    const [layer] = models[0]!.layers as [UnMixTNS];
    const own = layer.getWeights();
    layer.setWeights([...own.slice(0, 2), tensor([1, 1, 1]), ...own.slice(3)]);
    expect((await failure(() => mergeStatistics(models))).message).toContain('norm/moving_mean');
  });

  test('state is reset, kept apart, and given to another model; a model that was saved and loaded has it', async () => {
    use(norms);
    const model = network();
    const fresh = await read(model);
    await losses(model, numbers([6, 2, 3]), 3);
    const kept = getStatistics(model);
    const trained = await read(model);
    for (const each of ['batch/moving_mean', 'power/ema_gz', 'unified/squares', 'unmix/component_means'])
      expect(trained[each]).not.toEqual(fresh[each]);
    expect(await read(await saveAndLoad(model))).toEqual(trained);
    // The same in inference, but for the components.
    dispose(model.predict(numbers([6, 2, 3], 4)));
    const after = await read(model);
    for (const each of Object.keys(after).filter((key) => !key.startsWith('unmix'))) expect(after[each]).toEqual(trained[each]);
    resetStatistics(model);
    expect(await read(model)).toEqual(fresh);
    const other = network();
    setStatistics(other, kept);
    expect(await read(other)).toEqual(trained);
    await expectNoLeak(() => setStatistics(other, kept));
    await expectNoLeak(() => resetStatistics(other));
    await expectNoLeak(() => mergeStatistics([other, other]));
    dispose(kept);
  });

  test('refuses replicas that differ, NaN, and bad counts, and leaves all as it was', async () => {
    const models = [batchNormOf('norm', 3), batchNormOf('norm', 3)];
    await step(models[0]!, numbers([4, 2, 3]));
    const before = await Promise.all(models.map(read));
    const bad = batchNormOf('norm', 3);
    bad.layers[0]!.setWeights([tensor([1, 1, 1]), tensor([0, 0, 0]), tensor([0, Number.NaN, 0]), tensor([1, 1, 1])]);
    for (const [code, argument, call] of [
      ['INVALID_ARGUMENT', 'models[1]', () => mergeStatistics([models[0]!, batchNormOf('other', 3)])],
      ['SHAPE', 'models[1]', () => mergeStatistics([models[0]!, batchNormOf('norm', 4)])],
      ['NON_FINITE', 'models', () => mergeStatistics([...models, bad])],
      ['INVALID_ARGUMENT', 'models', () => mergeStatistics([])],
      ['INVALID_ARGUMENT', 'counts', () => mergeStatistics(models, { counts: [1] })],
      ['INVALID_ARGUMENT', 'counts', () => mergeStatistics(models, { counts: [1, 0] })],
      ['INVALID_ARGUMENT', 'statistics', () => setStatistics(models[0]!, {})],
      ['SHAPE', 'statistics', () => setStatistics(models[0]!, getStatistics(batchNormOf('norm', 4)))],
    ] as const) {
      const error = await failure(call);
      expect([error.code, error.argument]).toEqual([code, argument]);
    }
    expect(await Promise.all(models.map(read))).toEqual(before);
    const count = memory().numTensors;
    await failure(() => mergeStatistics([...models, bad]));
    expect(memory().numTensors).toBe(count);
  });
});
