import { unstack, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { unregister, use } from '@evenkeel/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backends, expectClose, expectNoLeak, failure, losses, numbers, saveAndLoad, start, values } from '../../test/models.ts';
import { LayerNormGRUCell } from '../layers.ts';
import { norms } from '../plugin.ts';
import { layerNormGRUStep } from './gru.ts';

const [steps, inputs, units] = [5, 3, 4];

function recurrent(cell: LayerNormGRUCell): LayersModel {
  return sequential({ layers: [layers.rnn({ cell, inputShape: [steps, inputs] })] });
}

describe.each(backends)('LayerNormGRUCell on %s', (name) => {
  beforeEach(() => start(name));
  afterEach(() => unregister(norms));

  test('in tf.layers.rnn computes step by step what layerNormGRUStep does', async () => {
    const x = numbers([2, steps, inputs]);
    const model = recurrent(new LayerNormGRUCell({ units }));
    const weights = model.layers[0]!.getWeights().map(({ shape }, i) => numbers(shape, i + 2)) as [Tensor, Tensor, ...Tensor[]];
    model.layers[0]!.setWeights(weights);
    const [kernel, recurrentKernel, bias, gammaX, betaX, gammaH, betaH, gammaCandidateX, betaCandidateX, gammaCandidateH, betaCandidateH] =
      weights;
    const named = {
      kernel,
      recurrentKernel,
      bias,
      gammaX,
      betaX,
      gammaH,
      betaH,
      gammaCandidateX,
      betaCandidateX,
      gammaCandidateH,
      betaCandidateH,
    };
    let h: Tensor = zeros([2, units]);
    for (const step of unstack(x, 1)) h = layerNormGRUStep(step, h, named, { epsilon: 1e-3 });
    await expectClose(model.predict(x) as Tensor, h);
  });

  test('trains, every weight of it', async () => {
    const seeded = { className: 'RandomNormal', config: { stddev: 0.5, seed: 3 } };
    const model = recurrent(new LayerNormGRUCell({ units, kernelInitializer: seeded, recurrentInitializer: seeded }));
    const before = await Promise.all(model.getWeights().map(values));
    const all = await losses(model, numbers([8, steps, inputs]), 20, 0.1);
    expect(all.at(-1)!).toBeLessThan(0.95 * all[0]!);
    const after = await Promise.all(model.getWeights().map(values));
    after.forEach((weight, i) => expect(weight).not.toEqual(before[i]));
  });

  test('saves and loads after use(norms), leaves no tensor behind', async () => {
    use(norms);
    const model = recurrent(new LayerNormGRUCell({ units, epsilon: 0.1, useBias: false }));
    const loaded = await saveAndLoad(model);
    const config = loaded.layers[0]!.getConfig()['cell'] as { className: string; config: object };
    expect(config).toMatchObject({ className: 'LayerNormGRUCell', config: { units, epsilon: 0.1, useBias: false } });
    const x = numbers([2, steps, inputs]);
    expect(await values(loaded.predict(x) as Tensor)).toEqual(await values(model.predict(x) as Tensor));
    await expectNoLeak(() => (model.predict(x) as Tensor).dispose());
  });
});

test('refuses bad units, and to be called as a layer of its own', async () => {
  await start('cpu');
  expect((await failure(() => new LayerNormGRUCell({ units: 1.5 }))).message).toContain('units is 1.5, expected an integer > 0');
  const cell = new LayerNormGRUCell({ units });
  expect((await failure(() => cell.apply(zeros([2, inputs])))).message).toContain('inputs is not [x, h]');
});
