import { clone, grads, mul, sub, tensor, train, type Tensor } from '@tensorflow/tfjs-core';
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
import { UnifiedNormalization } from '../layers.ts';
import { norms } from '../plugin.ts';
import { unifiedNorm, unifiedNormInference, unifiedNormState } from './unified-norm.ts';

/** Values of the layer's weights: gamma, beta, running_var, ema_gz, squares, gradients, skipped, iterations. */
const weightsOf = (model: LayersModel, index = 0): Promise<number[][]> => Promise.all(model.layers[index]!.getWeights().map(values));

describe.each(backends)('UnifiedNormalization on %s', (name) => {
  beforeEach(() => start(name));
  afterEach(() => unregister(norms));

  test('trains step by step as the function does', async () => {
    const options = { warmupSteps: 3 };
    const model = modelOf(new UnifiedNormalization({ ...options, window: [2, 3], inputShape: [3, 4] }));
    const x = numbers([5, 3, 4]);
    const y = numbers([5, 3, 4], 7);
    model.compile({ optimizer: train.sgd(0), loss: 'meanSquaredError' });
    let state = unifiedNormState(4, [2, 3]);
    for (let step = 1; step <= 6; step++) {
      await model.fit(x, y, { epochs: 1, batchSize: 5, verbose: 0 });
      const { y: out, ...next } = unifiedNorm(x, undefined, undefined, state, options);
      let moved = {};
      const run = (a: Tensor): Tensor => unifiedNorm(a, undefined, undefined, state, { ...options, onBackward: (m) => (moved = m) }).y;
      grads(run)([x], mul(sub(out, y), 2 / y.size));
      state = { ...state, ...next, ...moved };
      const [, , runningVar, emaGz, squares, gradients, , iterations] = model.layers[0]!.getWeights() as Tensor[];
      await expectClose(runningVar!, state.runningVar);
      await expectClose(emaGz!, state.emaGz);
      await expectClose(squares!, state.squares);
      await expectClose(gradients!, state.gradients);
      expect(await values(iterations!)).toEqual([step]);
    }
    await expectClose(model.predict(x) as Tensor, unifiedNormInference(x, state.runningVar));
  });

  test('learns, and moves its state in training only', async () => {
    const model = sequential({
      layers: [layers.dense({ units: 8, inputShape: [3, 4] }), new UnifiedNormalization({ warmupSteps: 3 }), layers.dense({ units: 2 })],
    });
    const x = numbers([8, 3, 4]);
    const found = await losses(model, x, 12);
    expect(found.at(-1)).toBeLessThan(found[0]!);
    const before = await weightsOf(model, 1);
    expect(before[3]!.some((value) => value !== 0)).toBe(true);
    expect(before.at(-1)).toEqual([12]);
    model.evaluate(x, model.predict(x) as Tensor);
    expect(await weightsOf(model, 1)).toEqual(before);
    (model.layers[1] as UnifiedNormalization).resetWarmup();
    expect((await weightsOf(model, 1)).at(-1)).toEqual([0]);
  });

  test('a saved and loaded model goes on exactly where it was', async () => {
    use(norms);
    const args = { warmupSteps: 4, momentum: 0.8, outlierFiltration: true, outlierScope: 'channel', protectRunning: true } as const;
    const layer = new UnifiedNormalization({
      ...args,
      window: [3, 2],
      emptyMask: 'skip',
      onNonFinite: 'skip',
      epsilon: 1e-3,
      inputShape: [4],
    });
    const model = modelOf(layer);
    const x = numbers([6, 4]);
    await losses(model, x, 3);
    const loaded = await saveAndLoad(model);
    expect(loaded.layers[0]).toBeInstanceOf(UnifiedNormalization);
    expect(JSON.stringify(loaded.layers[0]!.getConfig())).toBe(JSON.stringify(layer.getConfig()));
    expect(loaded.layers[0]!.getConfig()).toMatchObject({ ...args, window: [3, 2], emptyMask: 'skip', onNonFinite: 'skip', epsilon: 1e-3 });
    expect(await weightsOf(loaded)).toEqual(await weightsOf(model));
    expect(await losses(loaded, x, 4)).toEqual(await losses(model, x, 4));
    expect(await weightsOf(loaded)).toEqual(await weightsOf(model));
    expect(summary(model)).toMatch(/\[null,4\]\s+38 /);
  });

  test('takes the weights of a layer with another window: the running values fill it', async () => {
    const [narrow, wide] = [2, 5].map((window) => modelOf(new UnifiedNormalization({ window, inputShape: [3] })));
    await losses(narrow!, numbers([6, 3]), 3);
    wide!.layers[0]!.setWeights(narrow!.layers[0]!.getWeights());
    const [, , runningVar, emaGz, squares, gradients, , iterations] = await weightsOf(wide!);
    expect(squares).toEqual([1, 2, 3, 4, 5].flatMap(() => runningVar!));
    expect(gradients).toEqual([1, 2, 3, 4, 5].flatMap(() => emaGz!));
    expect(iterations).toEqual([3]);
  });

  test('counts what it filtered', async () => {
    const layer = new UnifiedNormalization({ warmupSteps: 4, outlierFiltration: true, inputShape: [2] });
    const model = modelOf(layer);
    const calm = tensor([1, -1, 1, 1, -1, 1], [3, 2]);
    await losses(model, calm, 6, 0);
    expect(await layer.skipCount()).toBe(0);
    await losses(model, mul(calm, 100), 1, 0);
    expect(await layer.skipCount()).toBe(1);
  });

  test('frozen, it normalizes by the running statistic; with frozen statistics, as in training', async () => {
    const layer = new UnifiedNormalization({ inputShape: [4] });
    const model = modelOf(layer);
    await losses(model, numbers([6, 4], 3), 2);
    const before = await weightsOf(model);
    const x = numbers([6, 4]);
    layer.freezeStatistics();
    layer.apply(x, { training: true });
    await losses(model, x, 1, 0);
    expect(await weightsOf(model)).toEqual(before);
    layer.freezeStatistics(false);
    layer.trainable = false;
    await expectClose(layer.apply(x, { training: true }) as Tensor, layer.apply(x) as Tensor);
    expect(await weightsOf(model)).toEqual(before);
  });

  test('padding that the mask tells does not count', async () => {
    const tokens = input({ shape: [3, 2] });
    const layer = new UnifiedNormalization({ momentum: 0 });
    const masked = modelFrom({ inputs: tokens, outputs: layer.apply(layers.masking({ maskValue: 0 }).apply(tokens)) as never });
    await losses(masked, tensor([1, 2, 3, 4, 0, 0, 5, 6, 0, 0, 0, 0], [2, 3, 2]), 1, 0);
    const [, , runningVar] = await weightsOf(masked, 2);
    const wanted = [(1 + 9 + 25) / 3, (4 + 16 + 36) / 3];
    runningVar!.forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 4));
  });

  test('a batch with NaN throws by default and leaves every weight as it was', async () => {
    const model = modelOf(new UnifiedNormalization({ inputShape: [2] }));
    const before = await weightsOf(model);
    const error = await failure(() => losses(model, tensor([1, Number.NaN, 1, 1], [2, 2]), 1));
    expect([error.code, error.argument]).toEqual(['NON_FINITE', 'x']);
    expect(await weightsOf(model)).toEqual(before);
  });

  test('leaves no tensor behind', async () => {
    const layer = new UnifiedNormalization({ inputShape: [3, 4] });
    const model = modelOf(layer);
    const [x, y] = [numbers([2, 3, 4]), numbers([2, 3, 4], 2)];
    await expectNoLeak(() => (model.predict(x) as Tensor).dispose());
    model.compile({ optimizer: train.sgd(0.1), loss: 'meanSquaredError' });
    await expectNoLeak(() => model.fit(x, y, { verbose: 0 }));
    const weights = layer.getWeights().map((weight) => clone(weight));
    await expectNoLeak(() => layer.setWeights(weights));
    await expectNoLeak(() => layer.resetWarmup());
  });
});

test.each([
  ['momentum', { momentum: 1 }, 'UnifiedNormalization: momentum is 1, expected a number in [0, 1)'],
  ['window', { window: 0 }, 'window is 0, expected an integer >= 1'],
  ['warmupSteps', { warmupSteps: 2, outlierFiltration: true }, 'warmupSteps is 2, expected at least the window of 4'],
  ['outlierScope', { outlierScope: 'other' as never }, "outlierScope is \"other\", expected 'global' or 'channel'"],
  ['epsilon', { epsilon: 0 }, 'epsilon is 0'],
])('refuses a bad %s: %o', async (argument, args, message) => {
  await start('cpu');
  const error = await failure(() => modelOf(new UnifiedNormalization({ inputShape: [4], ...args })));
  expect(error.argument).toBe(argument);
  expect(error.message).toContain(message);
});
