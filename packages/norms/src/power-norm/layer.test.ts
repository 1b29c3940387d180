import { grads, mul, ones, sub, tensor, train, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { input, layers, model as modelFrom, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { unregister, use } from '@evenkeel/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  backends,
  expectClose,
  expectNoLeak,
  failure,
  losses,
  modelOf,
  numbers,
  saveAndLoad,
  start,
  summary,
  values,
} from '../../test/models.ts';
import { PowerNormalization } from '../layers.ts';
import { norms } from '../plugin.ts';
import { powerNorm, powerNormInference } from './power-norm.ts';

/** Values of the layer's weights: gamma, beta, running_phi, ema_gz, iterations. */
const weightsOf = (model: LayersModel, index = 0): Promise<number[][]> => Promise.all(model.layers[index]!.getWeights().map(values));

/** The gradient of the mean of (a - b)^2. */
function meanSquaredErrorGradient(a: Tensor, b: Tensor): Tensor {
  return mul(sub(a, b), 2 / a.size);
}

describe.each(backends)('PowerNormalization on %s', (name) => {
  beforeEach(() => start(name));
  afterEach(() => unregister(norms));

  test('trains step by step as the function does', async () => {
    const options = { groups: 2, warmupSteps: 2 };
    const model = modelOf(new PowerNormalization({ ...options, inputShape: [3, 4] }));
    const x = numbers([5, 3, 4]);
    const y = numbers([5, 3, 4], 7);
    model.compile({ optimizer: train.sgd(0), loss: 'meanSquaredError' });
    let state = { runningPhi: ones([4]) as Tensor, emaGz: zeros([4]) as Tensor, iterations: 0 };
    for (let step = 1; step <= 4; step++) {
      await model.fit(x, y, { epochs: 1, batchSize: 5, verbose: 0 });
      const { y: out, ...next } = powerNorm(x, undefined, undefined, state, options);
      let { emaGz } = state;
      grads((a: Tensor) => {
        const run = powerNorm(a, undefined, undefined, state, { ...options, onBackward: (moved) => (emaGz = moved) });
        return run.y;
      })([x], meanSquaredErrorGradient(out, y));
      state = { ...next, emaGz };
      const [, , runningPhi, ema, iterations] = model.layers[0]!.getWeights() as [Tensor, Tensor, Tensor, Tensor, Tensor];
      await expectClose(runningPhi, state.runningPhi);
      await expectClose(ema, state.emaGz);
      expect(await values(iterations)).toEqual([step]);
    }
    await expectClose(model.predict(x) as Tensor, powerNormInference(x, state.runningPhi, undefined, undefined, { groups: 2 }));
  });

  test('learns, and moves its state in training only', async () => {
    const model = sequential({
      layers: [layers.dense({ units: 8, inputShape: [3, 4] }), new PowerNormalization({ warmupSteps: 3 }), layers.dense({ units: 2 })],
    });
    const x = numbers([8, 3, 4]);
    const found = await losses(model, x, 12);
    expect(found.at(-1)).toBeLessThan(found[0]!);
    const before = await weightsOf(model, 1);
    expect(before[3]!.some((value) => value !== 0)).toBe(true);
    expect(before[4]).toEqual([12]);
    const y = model.predict(x) as Tensor;
    model.evaluate(x, y);
    expect(await weightsOf(model, 1)).toEqual(before);
  });

  test('a saved and loaded model goes on exactly where it was', async () => {
    use(norms);
    const args = { groups: 0, warmupSteps: 3, alphaForward: 0.8, alphaBackward: 0.7, gradientScale: 'running', epsilon: 1e-3 } as const;
    const layer = new PowerNormalization({
      ...args,
      maskGradientStatistics: true,
      emptyMask: 'skip',
      onNonFinite: 'skip',
      inputShape: [4],
    });
    const model = modelOf(layer);
    const x = numbers([6, 4]);
    await losses(model, x, 2);
    const loaded = await saveAndLoad(model);
    expect(loaded.layers[0]).toBeInstanceOf(PowerNormalization);
    expect(JSON.stringify(loaded.layers[0]!.getConfig())).toBe(JSON.stringify(layer.getConfig()));
    expect(loaded.layers[0]!.getConfig()).toMatchObject({ ...args, maskGradientStatistics: true, emptyMask: 'skip', onNonFinite: 'skip' });
    expect(await weightsOf(loaded)).toEqual(await weightsOf(model));
    expect(await losses(loaded, x, 3)).toEqual(await losses(model, x, 3));
    expect(await weightsOf(loaded)).toEqual(await weightsOf(model));
    expect(summary(model)).toMatch(/\[null,4\]\s+17 /);
  });

  test('frozen, it normalizes by the running statistic; with frozen statistics, as in training', async () => {
    const layer = new PowerNormalization({ inputShape: [4] });
    const model = modelOf(layer);
    await losses(model, numbers([6, 4], 3), 2);
    const before = await weightsOf(model);
    const x = numbers([6, 4]);
    layer.freezeStatistics();
    const y = layer.apply(x, { training: true }) as Tensor;
    const [gamma, beta, runningPhi, emaGz] = layer.getWeights() as [Tensor, Tensor, Tensor, Tensor];
    await expectClose(y, powerNorm(x, gamma, beta, { runningPhi, emaGz, iterations: 2 }).y);
    await losses(model, x, 1, 0);
    expect(await weightsOf(model)).toEqual(before);
    layer.freezeStatistics(false);
    layer.trainable = false;
    await expectClose(layer.apply(x, { training: true }) as Tensor, layer.apply(x) as Tensor);
    expect(await weightsOf(model)).toEqual(before);
  });

  test('padding that the mask tells does not count', async () => {
    const tokens = input({ shape: [3, 2] });
    const layer = new PowerNormalization({ groups: 0 });
    const masked = modelFrom({ inputs: tokens, outputs: layer.apply(layers.masking({ maskValue: 0 }).apply(tokens)) as never });
    const x = tensor([1, 2, 3, 4, 0, 0, 5, 6, 0, 0, 0, 0], [2, 3, 2]);
    await losses(masked, x, 1, 0);
    const [, , runningPhi] = await weightsOf(masked, 2);
    // Cumulative average of the first step, then a tenth: the batch's mean square, of the three tokens that are not padding.
    const wanted = [(1 + 9 + 25) / 3, (4 + 16 + 36) / 3];
    runningPhi!.forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 4));
  });

  test('a batch with NaN throws by default and leaves every weight as it was', async () => {
    const model = modelOf(new PowerNormalization({ inputShape: [2] }));
    const before = await weightsOf(model);
    const error = await failure(() => losses(model, tensor([1, Number.NaN, 1, 1], [2, 2]), 1));
    expect([error.code, error.argument]).toEqual(['NON_FINITE', 'x']);
    expect(await weightsOf(model)).toEqual(before);
  });

  test('leaves no tensor behind', async () => {
    const model = modelOf(new PowerNormalization({ inputShape: [3, 4] }));
    const [x, y] = [numbers([2, 3, 4]), numbers([2, 3, 4], 2)];
    await expectNoLeak(() => (model.predict(x) as Tensor).dispose());
    model.compile({ optimizer: train.sgd(0.1), loss: 'meanSquaredError' });
    await expectNoLeak(() => model.fit(x, y, { verbose: 0 }));
  });
});

test.each([
  ['alphaForward', { alphaForward: 1 }, 'PowerNormalization: alphaForward is 1, expected a number in [0, 1)'],
  ['warmupSteps', { warmupSteps: -1 }, 'warmupSteps is -1, expected an integer >= 0'],
  ['groups', { groups: 3 }, 'groups is 3, expected 0, or a divisor of the 4 channels'],
  ['mode', { mode: 'other' as never }, "mode is \"other\", expected 'power' or 'batch'"],
  ['epsilon', { epsilon: 0 }, 'epsilon is 0'],
])('refuses a bad %s: %o', async (argument, args, message) => {
  await start('cpu');
  const error = await failure(() => modelOf(new PowerNormalization({ inputShape: [4], ...args })));
  expect(error.argument).toBe(argument);
  expect(error.message).toContain(message);
});
