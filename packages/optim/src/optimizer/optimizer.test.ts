import { backends } from '../../../../tools/test-backends.ts';
import '@evenkeel/core/register-gradients';
import * as tfjsLayers from '@tensorflow/tfjs-layers';
import {
  add,
  engine,
  io,
  memory,
  mul,
  serialization,
  square,
  sub,
  sum,
  tensor,
  tidy,
  variable,
  type Optimizer,
  type Scalar,
  type Variable,
} from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError, unregister, use } from '@evenkeel/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { AdamP } from '../adam-p/optimizer.ts';
import { AdamW } from '../adam-w/optimizer.ts';
import { Lion } from '../lion/optimizer.ts';
import { optim } from '../plugin.ts';
import { SGDP } from '../sgd-p/optimizer.ts';
import { SGDW } from '../sgd-w/optimizer.ts';
import { channelAxesOf } from './groups.ts';
import type { OptimizerOptions } from './optimizer.ts';

const all = {
  AdamP: (options: OptimizerOptions = {}) => new AdamP({ learningRate: 0.05, weightDecay: 0.01, ...options }),
  AdamW: (options: OptimizerOptions = {}) => new AdamW({ learningRate: 0.05, weightDecay: 0.01, nesterov: true, ...options }),
  SGDP: (options: OptimizerOptions = {}) => new SGDP({ learningRate: 0.05, weightDecay: 0.01, momentum: 0.9, ...options }),
  SGDW: (options: OptimizerOptions = {}) => new SGDW({ learningRate: 0.05, weightDecay: 0.01, momentum: 0.9, ...options }),
  Lion: (options: OptimizerOptions = {}) => new Lion({ learningRate: 0.05, weightDecay: 0.01, ...options }),
};
const each = Object.entries(all);

const noise = (size: number, seed: number): Float32Array => Float32Array.from({ length: size }, (_, i) => Math.sin(seed + 1.7 * i * i));
const make = (shape: number[], seed: number, name?: string): Variable =>
  tidy(() =>
    variable(
      tensor(
        noise(
          shape.reduce((a, b) => a * b, 1),
          seed,
        ),
        shape,
      ),
      true,
      name,
    ),
  );

/** A loss whose least is where both variables are 1. */
const distance = (weights: readonly Variable[]) => (): Scalar =>
  tidy(() => weights.map((weight) => sum(square(sub(weight, 1)))).reduce((a, b) => add(a, b))) as Scalar;

const read = async (weights: readonly Variable[]): Promise<number[][]> =>
  Promise.all(weights.map(async (weight) => [...(await weight.data())]));

async function failure(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    if (isEvenkeelError(error)) return `${error.code} ${error.argument ?? ''}: ${error.message}`;
    throw error;
  }
  return 'nothing was thrown';
}

describe.each(backends)('optimizers on %s', (name) => {
  beforeAll(() => backend(name));

  test.each(each)('%s minimizes, and leaves nothing behind', async (_, makeOptimizer) => {
    const before = [memory().numTensors, engine().backend.numDataIds()];
    const weights = [make([3, 4], 1), make([4], 2)];
    const optimizer = makeOptimizer({ weightDecay: 0 });
    const losses: number[] = [];
    let kept = 0;
    for (let step = 0; step < 12; step++) {
      const loss = optimizer.minimize(distance(weights), true)!;
      losses.push((await loss.data())[0]!);
      loss.dispose();
      if (step === 1) kept = memory().numTensors;
    }
    expect(memory().numTensors).toBe(kept);
    expect(losses.at(-1)!).toBeLessThan(0.7 * losses[0]!);
    optimizer.dispose();
    for (const weight of weights) weight.dispose();
    expect([memory().numTensors, engine().backend.numDataIds()]).toEqual(before);
  });

  test.each(each)('%s goes on from its saved state, bit by bit', async (_, makeOptimizer) => {
    const weights = [make([3, 4], 1), make([4], 2)];
    const optimizer = makeOptimizer();
    for (let step = 0; step < 3; step++) optimizer.minimize(distance(weights));
    const saved = await Promise.all(
      (await optimizer.getWeights()).map(async ({ name, tensor }) => ({
        name,
        values: await tensor.data(),
        shape: tensor.shape,
        dtype: tensor.dtype,
      })),
    );
    const values = await read(weights);
    for (let step = 0; step < 3; step++) optimizer.minimize(distance(weights));
    const wanted = await read(weights);

    // Others of the same shapes, as in a model that is loaded beside the first: told by their order.
    const again = values.map((data, i) => tidy(() => variable(tensor(data, weights[i]!.shape))));
    const resumed = makeOptimizer();
    const tensors = saved.map(({ name, values: data, shape, dtype }) => ({ name, tensor: tensor(data, shape, dtype) }));
    await resumed.setWeights(tensors);
    for (const { tensor: one } of tensors) one.dispose();
    expect(resumed.iterations).toBe(3);
    for (let step = 0; step < 3; step++) resumed.minimize(distance(again));
    expect(await read(again)).toEqual(wanted);
    for (const one of [optimizer, resumed, ...weights, ...again]) one.dispose();
  });

  test.each(each)('%s changes nothing for a gradient that is not finite', async (_, makeOptimizer) => {
    const weights = [make([2, 3], 1, `w-${name}-${_}`), make([3], 2)];
    const [good, bad] = [tensor([1, 2, 3, 4, 5, 6], [2, 3]), tensor([1, Number.NaN, 2])];
    const gradients = { [weights[0]!.name]: good, [weights[1]!.name]: bad };
    const before = await read(weights);
    const throwing = makeOptimizer();
    const found = await failure(async () => {
      throwing.applyGradients(gradients);
      await mul(good, 2).data();
    });
    expect(found).toMatch(/^NON_FINITE variableGradients: .*the gradient of ".*" is not finite at step 0: nothing was changed/);
    expect(found).toContain(weights[1]!.name);
    expect(await read(weights)).toEqual(before);

    const skipping = makeOptimizer({ nonFinite: 'skip' });
    skipping.applyGradients(gradients);
    expect(await read(weights)).toEqual(before);
    skipping.applyGradients({ [weights[0]!.name]: good });
    skipping.applyGradients({ [weights[1]!.name]: tensor([1, -Infinity, 0]) });
    expect(await skipping.skippedSteps()).toBe(2);
    const after = await read(weights);
    expect(after[0]).not.toEqual(before[0]);
    expect(after[1]).toEqual(before[1]);
    for (const one of [throwing, skipping, ...weights]) one.dispose();
  });

  test('the norm of all gradients together is clipped', async () => {
    const weights = [make([2], 1), make([1], 2)];
    const before = await read(weights);
    const optimizer = new SGDW({ learningRate: 1, clipNorm: 1 });
    optimizer.applyGradients({ [weights[0]!.name]: tensor([2, 4]), [weights[1]!.name]: tensor([4]) });
    const after = await read(weights);
    const moved = before.flatMap((values, i) => values.map((value, k) => value - after[i]![k]!));
    expect(moved).toEqual([1 / 3, 2 / 3, 2 / 3].map((value) => expect.closeTo(value, 5)));
    for (const one of [optimizer, ...weights]) one.dispose();
  });

  test('a unit is clipped by the norm of its weights', async () => {
    const weight = tidy(() => variable(tensor([0.6, 3, 0.8, 4], [2, 2])));
    const optimizer = new SGDW({ learningRate: 1, clipAdaptive: 0.1 });
    optimizer.applyGradients({ [weight.name]: tensor([3, 0.03, 4, 0.04], [2, 2]) });
    expect([...(await weight.data())]).toEqual([0.54, 2.97, 0.72, 3.96].map((value) => expect.closeTo(value, 5)));
    for (const one of [optimizer, weight]) one.dispose();
  });

  test('groups have rates, decays and projections of their own', async () => {
    const [plain, still, decayed] = [make([2, 2], 1), make([2, 2], 1), make([2, 2], 1)] as const;
    const groups = [
      { variables: [still.name], learningRateScale: 0 },
      { variables: (name: string) => name === decayed.name, weightDecay: 1, project: false },
    ];
    const optimizer = new AdamP({ learningRate: 0.1, delta: 1e3, groups });
    const before = (await read([plain]))[0]!;
    const zeros = tensor([0, 0, 0, 0], [2, 2]);
    optimizer.applyGradients({ [plain.name]: zeros, [still.name]: tensor([1, 2, 3, 4], [2, 2]), [decayed.name]: zeros });
    const [a, b, c] = await read([plain, still, decayed]);
    expect(a).toEqual(before);
    expect(b).toEqual(before);
    expect(c).toEqual(before.map((value) => expect.closeTo(0.9 * value, 5)));
    expect(await optimizer.lastProjection(plain.name)).toBe('channel');
    expect(await optimizer.lastProjection(decayed.name)).toBe('none');
    for (const one of [optimizer, plain, still, decayed]) one.dispose();
  });
});

const build = (): tfjsLayers.Sequential => {
  const model = tfjsLayers.sequential();
  const kernelInitializer = tfjsLayers.initializers.glorotUniform({ seed: 5 });
  model.add(tfjsLayers.layers.dense({ units: 6, inputShape: [4], activation: 'relu', kernelInitializer }));
  model.add(tfjsLayers.layers.dense({ units: 1, kernelInitializer }));
  return model;
};

const values = (one: tfjsLayers.LayersModel): Promise<number[][]> =>
  Promise.all(one.getWeights().map(async (weight) => [...(await weight.data())]));

describe('in models', () => {
  beforeAll(() => backend('wasm'));

  test.each(each)('%s is compiled, fitted, saved with its state, and goes on bit by bit', async (_, makeOptimizer) => {
    use(optim);
    const [x, y] = [tensor(noise(64, 3), [16, 4]), tensor(noise(16, 4), [16, 1])];
    const fit = (model: tfjsLayers.LayersModel): Promise<tfjsLayers.History> =>
      model.fit(x, y, { epochs: 2, batchSize: 8, shuffle: false, verbose: 0 });
    const model = build();
    const optimizer = makeOptimizer({ clipNorm: 5, groups: [{ variables: [`${model.layers[0]!.name}/Bias_1`], weightDecay: 0 }] });
    model.compile({ optimizer: optimizer as Optimizer, loss: 'meanSquaredError' });
    await fit(model);
    let artifacts: io.ModelArtifacts | undefined;
    await model.save(
      io.withSaveHandler((given) => {
        artifacts = given;
        return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } });
      }),
      { includeOptimizer: true },
    );
    const loaded = await tfjsLayers.loadLayersModel(io.fromMemory(artifacts!));
    expect(loaded.optimizer.getClassName()).toBe(_);
    expect(loaded.optimizer.getConfig()).toEqual(optimizer.getConfig());
    await fit(model);
    await fit(loaded);
    expect(await values(loaded)).toEqual(await values(model));
    unregister(optim);
  });

  test('a variable whose shape has changed since is refused by name, and so is another number of them', async () => {
    const [before, after] = [make([2, 3], 1), make([3, 2], 1)];
    const first = new AdamW();
    first.minimize(distance([before]), false, [before]);
    const saved = await first.getWeights();
    const second = new AdamW();
    await second.setWeights(saved);
    expect(await failure(() => second.minimize(distance([after]), false, [after]))).toMatch(
      /^SHAPE weightValues: .*the saved m of ".*" has shape \[2, 3\], expected \[3, 2\]/,
    );
    const more = make([2, 3], 1);
    const third = new AdamW();
    await third.setWeights(saved);
    expect(await failure(() => third.minimize(distance([after, more]), false, [after, more]))).toMatch(
      /^SHAPE weightValues: .*of 1 variables/,
    );
    for (const one of [first, second, third, before, after, more]) one.dispose();
  });

  test('bad options and gradients', async () => {
    const options: [string, () => unknown][] = [
      ['learningRate', () => new AdamW({ learningRate: -1 })],
      ['learningRate', () => new SGDP({ learningRate: Number.NaN })],
      ['beta1', () => new AdamP({ beta1: 1 })],
      ['beta2', () => new Lion({ beta2: -0.5 })],
      ['epsilon', () => new AdamP({ epsilon: 0 })],
      ['delta', () => new AdamP({ delta: -1 })],
      ['wdRatio', () => new SGDP({ wdRatio: 1.5 })],
      ['momentum', () => new SGDP({ momentum: 1 })],
      ['momentum', () => new SGDW({ nesterov: true })],
      ['weightDecay', () => new AdamW({ weightDecay: Number.NaN })],
      ['clipNorm', () => new AdamW({ clipNorm: 0 })],
      ['nonFinite', () => new AdamW({ nonFinite: 'ignore' as never })],
      ['groups[0].variables', () => new AdamW({ groups: [{ variables: 'kernel' as never }] })],
      ['groups', () => new AdamW({ groups: 'zz' })],
      ['groups', () => new AdamW({ groups: [{ variables: () => true }] }).getConfig()],
    ];
    for (const [argument, call] of options) expect(await failure(call)).toContain(`INVALID_ARGUMENT ${argument}:`);
    const weight = make([2], 1);
    const optimizer = new AdamW();
    expect(await failure(() => optimizer.applyGradients({ nobody: tensor([1]) }))).toMatch(/^NOT_FOUND/);
    expect(await failure(() => optimizer.applyGradients({ [weight.name]: tensor([1]) }))).toMatch(/^SHAPE/);
    optimizer.applyGradients({ [weight.name]: null as never });
    expect(optimizer.iterations).toBe(0);
    for (const one of [optimizer, weight]) one.dispose();
  });

  test('the axes of channels follow from the names of weights', () => {
    expect(channelAxesOf('embedding_Embedding1/embeddings')).toEqual([0]);
    expect(channelAxesOf('depthwise_conv2d_DepthwiseConv2D1/depthwise_kernel')).toEqual([-2, -1]);
    expect(channelAxesOf('conv2d_transpose_Conv2DTranspose1/kernel')).toEqual([-2]);
    expect(channelAxesOf('dense_Dense1/kernel')).toEqual([-1]);
  });

  test('classes are registered by the plugin alone', () => {
    const { classNameMap } = serialization.SerializationMap.getMap();
    expect(classNameMap['AdamP']).toBeUndefined();
    use(optim);
    expect(classNameMap['AdamP']).toBeDefined();
    unregister(optim);
  });
});
