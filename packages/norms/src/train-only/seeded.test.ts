import { backends } from '../../../../tools/test-backends.ts';
import { memory, type Tensor } from '@tensorflow/tfjs-core';
import { layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { backend, unregister, use } from '@evenkeel/core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { expectClose, failure, losses, numbers, values } from '../../test/models.ts';
import { BatchNormalization, RMSNormalization } from '../layers.ts';
import { norms } from '../plugin.ts';
import {
  adapterFromJson,
  adapterToJson,
  applyAdapter,
  loadSeeded,
  modelWeights,
  saveSeeded,
  seedWeights,
  takeAdapter,
  trainOnly,
  type SeededModel,
  type Seeding,
} from './index.ts';

function network(): LayersModel {
  return sequential({
    layers: [
      layers.conv2d({ filters: 4, kernelSize: 3, useBias: false, inputShape: [6, 6, 2], name: 'conv' }),
      new BatchNormalization({ name: 'norm', momentum: 0.5 }),
      layers.activation({ activation: 'relu', name: 'relu' }),
      layers.flatten({ name: 'flat' }),
      layers.dense({ units: 3, name: 'out' }),
    ],
  });
}

function seeded(seeding: Seeding): LayersModel {
  const model = network();
  seedWeights(model, seeding);
  return model;
}

async function refused(call: () => unknown): Promise<string[]> {
  const { code, argument } = await failure(call);
  return [code, argument!];
}

const weight = (model: LayersModel, name: string): Promise<number[]> =>
  values(
    modelWeights(model)
      .find((each) => each.name === name)!
      .variable.read(),
  );
const meanOf = (numbers: number[]): number => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
const x = (): Tensor => numbers([4, 6, 6, 2]);

beforeAll(() => use(norms));
afterAll(() => unregister(norms));

describe.each(backends)('on %s', (name) => {
  beforeEach(() => backend(name));

  test('a seed gives the same bits as everywhere', async () => {
    const saved = await saveSeeded(seeded({ seed: 5 }));
    // Of conv/kernel, norm/gamma, norm/beta, out/kernel, out/bias: the same number on all backends and platforms.
    expect(saved.hash).toBe('de1dc696');
    expect(Object.keys(saved.weights)).toEqual(['norm/moving_mean', 'norm/moving_variance']);
    expect((await saveSeeded(seeded({ seed: 6 }))).hash).not.toBe(saved.hash);
  });

  test('a user takes what is its own, and another puts that back, bit for bit', async () => {
    const model = seeded({ seed: 5 });
    const first = await takeAdapter(model);
    expect(Object.keys(first)).toEqual(['norm/gamma', 'norm/beta', 'norm/moving_mean', 'norm/moving_variance']);
    const gamma = model.getLayer('norm').getWeights()[0]!;
    model.getLayer('norm').setWeights([numbers([4], 9), ...model.getLayer('norm').getWeights().slice(1)]);
    const second = adapterFromJson(adapterToJson(await takeAdapter(model)));
    const before = memory().numTensors;
    applyAdapter(model, first);
    applyAdapter(model, second);
    expect(memory().numTensors).toBe(before);
    expect(await weight(model, 'norm/gamma')).toEqual(await values(numbers([4], 9)));
    applyAdapter(model, first);
    expect(gamma.isDisposed).toBe(false);
    expect(await weight(model, 'norm/gamma')).toEqual([...first['norm/gamma']!.values]);
  });
});

describe('seeded models', () => {
  beforeEach(() => backend('wasm'));

  test('of norms alone: the seed and the state of the norms, and all comes back', async () => {
    const model = seeded({ seed: 5, kernels: 'binary', norms: 'positivenegative' });
    const { restore } = trainOnly(model, 'norms');
    await losses(model, x(), 3);
    const saved = await saveSeeded(model);
    restore();
    expect(Object.keys(saved.weights).toSorted()).toEqual(['norm/beta', 'norm/gamma', 'norm/moving_mean', 'norm/moving_variance']);
    const loaded = await loadSeeded(JSON.parse(JSON.stringify(saved)) as SeededModel);
    expect(loaded.getLayer('norm')).toBeInstanceOf(BatchNormalization);
    await expectClose(loaded.predict(x()) as Tensor, model.predict(x()) as Tensor, 0);
    expect(await saveSeeded(loaded)).toEqual(await saveSeeded(model));
  });

  test('whatever else has trained is kept, too', async () => {
    const model = seeded({ seed: 5 });
    trainOnly(model, ['norms', 'output']);
    await losses(model, x(), 2);
    const saved = await saveSeeded(model);
    expect(Object.keys(saved.weights)).toContain('out/kernel');
    expect(Object.keys(saved.weights)).not.toContain('conv/kernel');
    await expectClose((await loadSeeded(saved)).predict(x()) as Tensor, model.predict(x()) as Tensor, 0);
  });

  test('start as the paper has it', async () => {
    const kaiming = seeded({ seed: 1 });
    const kernel = await weight(kaiming, 'out/kernel');
    expect(Math.sqrt(meanOf(kernel.map((value) => value ** 2)))).toBeCloseTo(Math.sqrt(2 / 64), 1);
    expect(Math.max(...(await weight(kaiming, 'out/bias')).map(Math.abs))).toBeLessThanOrEqual(1 / 8);
    const binary = await weight(seeded({ seed: 1, kernels: 'binary' }), 'out/kernel');
    const mean = meanOf(kernel);
    const deviation = Math.sqrt(kernel.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (kernel.length - 1));
    binary.forEach((value, i) => expect(value).toBeCloseTo(Math.sign(kernel[i]!) * deviation, 6));
    for (const [name, columns] of [
      ['out/kernel', 3],
      ['conv/kernel', 4],
    ] as const) {
      const q = await weight(seeded({ seed: 1, kernels: 'orthogonal' }), name);
      for (let a = 0; a < columns; a++) {
        for (let b = 0; b < columns; b++) {
          let product = 0;
          for (let i = 0; i < q.length; i += columns) product += q[i + a]! * q[i + b]!;
          expect(product).toBeCloseTo(a === b ? 1 : 0, 5);
        }
      }
    }
    const wide = sequential({ layers: [new RMSNormalization({ inputShape: [2] }), layers.dense({ units: 5, name: 'wide' })] });
    seedWeights(wide, { seed: 1, kernels: 'orthogonal' });
    const rows = await weight(wide, 'wide/kernel');
    expect(rows.slice(0, 5).reduce((sum, value, i) => sum + value * rows[5 + i]!, 0)).toBeCloseTo(0, 5);
    expect(rows.slice(0, 5).reduce((sum, value) => sum + value ** 2, 0)).toBeCloseTo(1, 5);
    const gammas = async (norm: Seeding['norms']) => [
      await weight(seeded({ seed: 1, norms: norm! }), 'norm/gamma'),
      await weight(seeded({ seed: 1, norms: norm! }), 'norm/beta'),
    ];
    expect(await gammas('fixed')).toEqual([
      [1, 1, 1, 1],
      [0, 0, 0, 0],
    ]);
    expect(await gammas('oneone')).toEqual([
      [1, 1, 1, 1],
      [1, 1, 1, 1],
    ]);
    const [uniform] = await gammas('uniform');
    expect(uniform!.every((value) => value >= 0 && value < 1)).toBe(true);
    expect((await gammas('positivenegative'))[0]).toEqual(uniform!.map((value) => Math.fround(2 * value - 1)));
  });

  test('what does not fit is refused, before anything has changed', async () => {
    const model = seeded({ seed: 5 });
    const saved = await saveSeeded(model);
    const before = memory().numTensors;
    expect(await refused(() => loadSeeded({ ...saved, format: 'other' as never }))).toEqual(['INVALID_ARGUMENT', 'saved']);
    expect(await refused(() => loadSeeded({ ...saved, hash: '0' }))).toEqual(['CHECK_FAILED', 'saved']);
    expect(await refused(() => loadSeeded({ ...saved, weights: { ...saved.weights, more: saved.weights['norm/moving_mean']! } }))).toEqual([
      'NOT_FOUND',
      'saved',
    ]);
    expect(await refused(() => saveSeeded(network()))).toEqual(['NOT_FOUND', 'model']);
    expect(await refused(() => seedWeights(model, { seed: 0.5 }))).toEqual(['INVALID_ARGUMENT', 'seed']);
    expect(await refused(() => seedWeights(model, { seed: 1, kernels: 'glorot' as never }))).toEqual(['INVALID_ARGUMENT', 'kernels']);
    expect(await refused(() => seedWeights(model, { seed: 1, norms: 'ones' as never }))).toEqual(['INVALID_ARGUMENT', 'norms']);
    const { 'norm/gamma': gamma, ...rest } = await takeAdapter(model);
    expect(await refused(() => applyAdapter(model, rest))).toEqual(['NOT_FOUND', 'adapter']);
    expect(await refused(() => applyAdapter(model, { ...rest, 'norm/gamma': { ...gamma!, shape: [2, 2] } }))).toEqual(['SHAPE', 'adapter']);
    expect(await refused(() => takeAdapter(sequential({ layers: [layers.dense({ units: 1, inputShape: [1] })] })))).toEqual([
      'INVALID_ARGUMENT',
      'model',
    ]);
    // Those of two networks that were made here.
    expect(memory().numTensors - before).toBeLessThanOrEqual(9);
    expect(await saveSeeded(model)).toEqual(saved);
  });
});
