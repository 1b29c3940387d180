import { slice, stack, tidy, unstack, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { unregister, use } from '@evenkeel/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backends, expectClose, expectNoLeak, failure, losses, numbers, saveAndLoad, start, summary, values } from '../../test/models.ts';
import { LayerNormLSTMCell } from '../layers.ts';
import { norms } from '../plugin.ts';
import { layerNormLSTMStep, type LayerNormLSTMWeights } from './lstm.ts';

const [steps, inputs, units] = [5, 3, 4];

function recurrent(cell: LayerNormLSTMCell, returnSequences = false): LayersModel {
  return sequential({ layers: [layers.rnn({ cell, returnSequences, inputShape: [steps, inputs] })] });
}

function weightsOf(model: LayersModel, layer = 0): LayerNormLSTMWeights {
  const [kernel, recurrentKernel, bias, gammaX, betaX, gammaH, betaH, gammaC, betaC] = model.layers[layer]!.getWeights() as Tensor[];
  return { kernel: kernel!, recurrentKernel: recurrentKernel!, bias, gammaX, betaX, gammaH, betaH, gammaC, betaC };
}

/** All hidden states of a sequence. */
function states(x: Tensor, weights: LayerNormLSTMWeights): Tensor[] {
  let state = { h: zeros([x.shape[0]!, units]), c: zeros([x.shape[0]!, units]) };
  return unstack(x, 1).map((step) => (state = layerNormLSTMStep(step, state, weights, { epsilon: 1e-3 })).h);
}

describe.each(backends)('LayerNormLSTMCell on %s', (name) => {
  beforeEach(() => start(name));
  afterEach(() => unregister(norms));

  test('in tf.layers.rnn computes step by step what layerNormLSTMStep does', async () => {
    const x = numbers([2, steps, inputs]);
    const model = recurrent(new LayerNormLSTMCell({ units }));
    const sequence = recurrent(new LayerNormLSTMCell({ units }), true);
    const random = model.layers[0]!.getWeights().map(({ shape }, i) => numbers(shape, i + 2));
    for (const each of [model, sequence]) each.layers[0]!.setWeights(random);
    const wanted = states(x, weightsOf(model));
    await expectClose(model.predict(x) as Tensor, wanted.at(-1)!);
    await expectClose(sequence.predict(x) as Tensor, stack(wanted, 1));
    expect(model.outputShape).toEqual([null, units]);
  });

  test('starts with an orthogonal recurrent kernel, an open forget gate, and norms that do nothing else', async () => {
    const weights = weightsOf(recurrent(new LayerNormLSTMCell({ units })));
    const bias = await values(weights.bias!);
    expect(bias).toEqual([...Array.from({ length: units }, () => 1), ...Array.from({ length: 3 * units }, () => 0)]);
    const rows = (await weights.recurrentKernel.array()) as number[][];
    rows.forEach((a, i) =>
      rows.forEach((b, j) => expect(a.reduce((sum, value, k) => sum + value * b[k]!, 0)).toBeCloseTo(i === j ? 1 : 0, 5)),
    );
    expect(new Set(await values(weights.gammaC!))).toEqual(new Set([1]));
    const closed = weightsOf(recurrent(new LayerNormLSTMCell({ units, unitForgetBias: false })));
    expect(new Set(await values(closed.bias!))).toEqual(new Set([0]));
    const bare = recurrent(new LayerNormLSTMCell({ units, useBias: false }));
    expect(bare.layers[0]!.getWeights()).toHaveLength(8);
    await expectClose(bare.predict(zeros([1, steps, inputs])) as Tensor, zeros([1, units]));
  });

  test('trains, every weight of it', async () => {
    const seeded = { className: 'RandomNormal', config: { stddev: 0.5, seed: 3 } };
    const model = recurrent(new LayerNormLSTMCell({ units, kernelInitializer: seeded, recurrentInitializer: seeded }));
    const before = await Promise.all(model.getWeights().map(values));
    const all = await losses(model, numbers([8, steps, inputs]), 20, 0.1);
    expect(all.at(-1)!).toBeLessThan(0.95 * all[0]!);
    const after = await Promise.all(model.getWeights().map(values));
    after.forEach((weight, i) => expect(weight).not.toEqual(before[i]));
  });

  test('a masked step leaves the state as it was', async () => {
    const model = sequential();
    model.add(layers.masking({ maskValue: 0, inputShape: [steps, inputs] }));
    model.add(layers.rnn({ cell: new LayerNormLSTMCell({ units }) }));
    const x = tidy(() =>
      stack([...unstack(slice(numbers([2, steps, inputs]), [0, 0, 0], [2, 3, inputs]), 1), zeros([2, inputs]), zeros([2, inputs])], 1),
    );
    await expectClose(model.predict(x) as Tensor, states(x, weightsOf(model, 1))[2]!);
  });

  test('saves and loads after use(norms), and not before', async () => {
    const cell = new LayerNormLSTMCell({ units, epsilon: 0.1, unitForgetBias: false, kernelInitializer: 'heNormal', name: 'cell' });
    const model = recurrent(cell, true);
    await expect(saveAndLoad(model)).rejects.toThrow('LayerNormLSTMCell');
    use(norms);
    const loaded = await saveAndLoad(model);
    const config = loaded.layers[0]!.getConfig()['cell'] as { className: string; config: object };
    expect(config.className).toBe('LayerNormLSTMCell');
    expect(config.config).toMatchObject({ units, epsilon: 0.1, unitForgetBias: false, recurrentInitializer: { className: 'Orthogonal' } });
    const x = numbers([2, steps, inputs]);
    expect(await values(loaded.predict(x) as Tensor)).toEqual(await values(model.predict(x) as Tensor));
  });

  test('stands in a summary, leaves no tensor behind', async () => {
    const model = recurrent(new LayerNormLSTMCell({ units }));
    // kernel and recurrent kernel, bias, four vectors for each of x and h, two for c
    expect(summary(model)).toMatch(new RegExp(`\\[null,4\\]\\s+${(inputs + units + 5) * 4 * units + 2 * units} `));
    const x = numbers([2, steps, inputs]);
    await expectNoLeak(() => (model.predict(x) as Tensor).dispose());
  });
});

test.each([
  ['units', { units: 0 }, 'LayerNormLSTMCell: units is 0, expected an integer > 0'],
  ['units', {}, 'units is undefined'],
  ['epsilon', { units: 4, epsilon: 0 }, 'epsilon is 0'],
])('refuses a bad %s: %o', async (argument, args, message) => {
  await start('cpu');
  const error = await failure(() => new LayerNormLSTMCell(args as { units: number }));
  expect(error.argument).toBe(argument);
  expect(error.message).toContain(message);
});

test('cannot be called as a layer of its own', async () => {
  await start('cpu');
  const cell = new LayerNormLSTMCell({ units });
  expect((await failure(() => cell.apply(zeros([2, inputs])))).message).toContain('inputs is not [x, h, c]');
});
