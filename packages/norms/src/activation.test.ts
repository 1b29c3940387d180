// Norms with an activation in the same pass, forward and backward, on all backends.
import { backends } from '../../../tools/test-backends.ts';
import { grads, mul, sum, tensor, tidy, train, type Tensor } from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { unregister, use } from '@evenkeel/core';
import { opcheck } from '@evenkeel/core/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { apart, noise, onEach, read, worst } from '../test/host.ts';
import { failure, modelOf, numbers, saveAndLoad, start, values } from '../test/models.ts';
import { activate, slope, type Activation } from './activation.ts';
import { GroupNorm, groupNorm, GroupNormGrad } from './group-norm/index.ts';
import { instanceNorm } from './instance-norm/index.ts';
import { GroupNormalization, InstanceNormalization, LayerNormalization, RMSNormalization } from './layers.ts';
import { addLayerNorm, AddLayerNorm, LayerNorm, layerNorm, LayerNormGrad } from './layer-norm/index.ts';
import { norms } from './plugin.ts';
import { addRmsNorm, AddRMSNorm, RMSNorm, rmsNorm, RMSNormGrad } from './rms-norm/index.ts';

afterEach(() => unregister(norms));

const activations: Activation[] = ['relu', 'silu', 'gelu', 'gelu_new'];
const smooth = activations.slice(1);

/** Inputs of this shape and parameters of its last axis. */
const affine = (shape: number[], ...names: string[]): Record<string, { shape: number[] }> =>
  Object.fromEntries(names.map((name) => [name, { shape: name === 'gamma' || name === 'beta' ? shape.slice(-1) : shape }]));

/** Relu has a kink at 0, over which finite differences must not step: here nothing is normalized to near it. */
const kinked = (shape: number[], stride = 1) => ({
  inputs: { x: apart(shape, stride) },
  attrs: { activation: 'relu' as const, epsilon: 0.01 },
});

test('LayerNorm', async () => {
  await opcheck(
    LayerNorm,
    [
      kinked([4, 18]),
      ...smooth.map((activation) => ({ inputs: affine([4, 19], 'x', 'gamma', 'beta'), attrs: { activation, epsilon: 1e-2 } })),
      { inputs: affine([2, 3, 8], 'x', 'beta'), attrs: { activation: 'silu' } },
      { inputs: affine([2, 2, 6], 'x'), attrs: { activation: 'silu', axes: [1, 2] } },
      { name: 'wider than the L1 cache', inputs: affine([2, 9001], 'x', 'gamma', 'beta'), attrs: { activation: 'silu' } },
      { name: 'more rows than a piece', inputs: affine([300, 7], 'x', 'gamma', 'beta'), attrs: { activation: 'gelu' } },
      {
        inputs: affine([3, 5], 'x'),
        attrs: { activation: 'mish' as 'silu' },
        throws: { code: 'INVALID_ARGUMENT', argument: 'activation' },
      },
    ],
    { backends },
  );
});

test('AddLayerNorm', async () => {
  await opcheck(AddLayerNorm, [{ inputs: affine([3, 21], 'x', 'residual', 'gamma', 'beta'), attrs: { activation: 'silu' } }], { backends });
});

test('LayerNormGrad', async () => {
  await opcheck(
    LayerNormGrad,
    activations.map((activation) => ({
      inputs: affine([5, 13], 'x', 'dy', 'gamma', 'beta', 'dsum'),
      attrs: { activation },
      gradient: activation !== 'relu',
    })),
    // A gradient of this gradient's gradient is beyond tfjs: those of its sigmoid, tanh and exp can be differentiated only once.
    { backends, secondOrder: false },
  );
});

test('RMSNorm', async () => {
  await opcheck(
    RMSNorm,
    [
      kinked([4, 18]),
      ...smooth.map((activation) => ({ inputs: affine([4, 19], 'x', 'gamma'), attrs: { activation, epsilon: 1e-2 } })),
      { name: 'wider than the L1 cache', inputs: affine([2, 9001], 'x', 'gamma'), attrs: { activation: 'silu' } },
      { name: 'more rows than a piece', inputs: affine([300, 7], 'x'), attrs: { activation: 'gelu_new' } },
      { inputs: affine([3, 5], 'x'), attrs: { activation: '' as 'silu' }, throws: { code: 'INVALID_ARGUMENT', argument: 'activation' } },
    ],
    { backends },
  );
});

test('AddRMSNorm', async () => {
  await opcheck(
    AddRMSNorm,
    [
      { inputs: affine([3, 5], 'x', 'residual'), attrs: { epsilon: 0.1 } },
      { inputs: affine([2, 2, 34], 'x', 'residual', 'gamma') },
      { name: 'more rows than a block', inputs: affine([300, 7], 'x', 'residual', 'gamma') },
      { inputs: affine([3, 21], 'x', 'residual', 'gamma'), attrs: { activation: 'gelu' } },
      { inputs: { x: { shape: [2, 4] }, residual: { shape: [4] } }, throws: { code: 'SHAPE', argument: 'residual' } },
      { inputs: affine([2, 4], 'x', 'residual'), attrs: { epsilon: 0 }, throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' } },
      { inputs: affine([2, 0], 'x', 'residual'), throws: { code: 'SHAPE', argument: 'x' } },
    ],
    { backends },
  );
});

test('RMSNormGrad', async () => {
  await opcheck(
    RMSNormGrad,
    [
      { inputs: affine([5, 13], 'x', 'dy', 'gamma', 'dsum') },
      ...activations.map((activation) => ({
        inputs: affine([5, 13], 'x', 'dy', 'gamma', 'dsum'),
        attrs: { activation },
        gradient: activation !== 'relu',
      })),
      { inputs: { x: { shape: [3, 5] }, dy: { shape: [3, 5] }, dsum: { shape: [5] } }, throws: { code: 'SHAPE', argument: 'dsum' } },
    ],
    // A gradient of this gradient's gradient is beyond tfjs: those of its sigmoid, tanh and exp can be differentiated only once.
    { backends, secondOrder: false },
  );
});

test('GroupNorm', async () => {
  await opcheck(
    GroupNorm,
    [
      { ...kinked([2, 4, 6], 6), attrs: { ...kinked([2, 4, 6]).attrs, numGroups: 3 } },
      ...smooth.map((activation) => ({ inputs: affine([2, 3, 5, 10], 'x', 'gamma', 'beta'), attrs: { activation, numGroups: 2 } })),
      { inputs: affine([2, 6, 16], 'x'), attrs: { activation: 'silu', numGroups: 4 } },
      { name: 'larger than a piece', inputs: affine([2, 17, 19, 8], 'x', 'gamma', 'beta'), attrs: { activation: 'silu', numGroups: 8 } },
      {
        inputs: affine([2, 3, 6], 'x'),
        attrs: { activation: 'swish' as 'silu', numGroups: 3 },
        throws: { code: 'INVALID_ARGUMENT', argument: 'activation' },
      },
    ],
    { backends },
  );
});

test('GroupNormGrad', async () => {
  await opcheck(
    GroupNormGrad,
    activations.map((activation) => ({
      inputs: affine([2, 3, 5, 6], 'x', 'dy', 'gamma', 'beta'),
      attrs: { activation, numGroups: 3 },
      gradient: activation !== 'relu',
    })),
    // A gradient of this gradient's gradient is beyond tfjs: those of its sigmoid, tanh and exp can be differentiated only once.
    { backends, secondOrder: false },
  );
});

// Of 1 and -1, to ten places.
const known: Record<string, [number, number]> = {
  linear: [1, -1],
  relu: [1, 0],
  silu: [0.7310585786, -0.2689414214],
  gelu: [0.8413447461, -0.1586552539],
  gelu_new: [0.8411919906, -0.1588080094],
};

test('the activations are those of the literature, whatever normalizes', async () => {
  await onEach(backends, async () => {
    const x = tensor([3, -3, 3, -3], [1, 4]);
    const still = tensor([0, 0, 0, 0], [1, 4]);
    for (const activation of Object.keys(known) as Activation[]) {
      const options = { epsilon: 1e-9, activation };
      const wanted = [...known[activation]!, ...known[activation]!];
      const found = tidy(() => [
        layerNorm(x, undefined, undefined, options),
        addLayerNorm(x, still, undefined, undefined, options).y,
        rmsNorm(x, undefined, options),
        addRmsNorm(x, still, undefined, options).y,
        groupNorm(x, undefined, undefined, { ...options, numGroups: 1 }),
      ]);
      for (const each of found) expect(worst(await read(each), wanted)).toBeLessThan(3e-7);
    }
    x.dispose();
    still.dispose();
  });
});

test('what is far out comes through or is gone, and NaN stays in its row', async () => {
  await onEach(backends, async () => {
    const width = 8;
    const x = tensor([...noise(width), ...noise(width).map((v, i) => (i === 2 ? Number.NaN : v)), ...noise(width, 3)], [3, width]);
    const beta = tensor([1e4, -1e4, 30, -30, 200, -200, 1e4, -1e4]);
    const shift = await read(beta.clone());
    for (const activation of activations) {
      const y = await read(tidy(() => layerNorm(x, undefined, beta, { activation })));
      for (let i = 0; i < width; i++) {
        expect(Number.isNaN(y[width + i])).toBe(true);
        for (const at of [i, 2 * width + i]) {
          if (shift[i]! > 0) expect(Math.abs(y[at]! / shift[i]! - 1)).toBeLessThan(0.1);
          else expect(Math.abs(y[at]!)).toBeLessThan(1e-6);
        }
      }
      const gradients = grads((a: Tensor) =>
        sum(mul(layerNorm(a, undefined, beta, { activation }), tensor(noise(3 * width, 5), [3, width]))),
      )([x]);
      const dx = await read(gradients[0]!);
      expect([...dx.slice(0, width), ...dx.slice(2 * width)].every(Number.isFinite)).toBe(true);
      expect(dx.slice(width, 2 * width).every(Number.isNaN)).toBe(true);
    }
    x.dispose();
    beta.dispose();
  });
});

test("silu and both forms of gelu are tfjs-layers' own", async () => {
  await start('cpu');
  const z = tensor(
    noise(200, 4).map((value) => 6 * value),
    [1, 200],
  );
  const theirs = { relu: 'relu', silu: 'swish', gelu: 'gelu', gelu_new: 'gelu_new' } as const;
  for (const [ours, name] of Object.entries(theirs)) {
    const model = modelOf(layers.activation({ activation: name as 'relu', inputShape: [200] }));
    const wanted = await values(model.predict(z) as Tensor);
    expect(worst(await read(tidy(() => activate(z, ours as Activation))), wanted)).toBeLessThan(2e-6);
    const eachAlone = await read(tidy(() => grads((a: Tensor) => sum(activate(a, ours as Activation)))([z])[0]!));
    const ones = tensor(
      Array.from({ length: 200 }, () => 1),
      [1, 200],
    );
    expect(worst(await read(tidy(() => slope(z, ones, ours as Activation))), eachAlone)).toBeLessThan(2e-6);
  }
});

describe.each([
  ['LayerNormalization', LayerNormalization, {}],
  ['RMSNormalization', RMSNormalization, {}],
  ['GroupNormalization', GroupNormalization, { groups: 2 }],
  ['InstanceNormalization', InstanceNormalization, {}],
] as const)('%s', (name, layer, args) => {
  test.each(backends)('with an activation is the layer and the activation, and trains, on %s', async (backend) => {
    await start(backend);
    const x = numbers([4, 3, 6]);
    const fused = modelOf(new layer({ ...args, activation: 'gelu_new', inputShape: [3, 6] } as never));
    const apartModel = sequential();
    apartModel.add(new layer({ ...args, inputShape: [3, 6] } as never));
    apartModel.add(layers.activation({ activation: 'gelu_new' as 'relu' }));
    const weights = fused.getWeights().map((weight, i) => numbers(weight.shape, i + 2));
    for (const model of [fused, apartModel]) {
      model.setWeights(weights);
      model.compile({ optimizer: train.sgd(0.1), loss: 'meanSquaredError' });
      await model.fit(x, numbers([4, 3, 6], 9), { epochs: 2, verbose: 0, shuffle: false });
    }
    expect(worst(await values(fused.predict(x) as Tensor), await values(apartModel.predict(x) as Tensor))).toBeLessThan(1e-5);
    const [found, wanted] = [fused.getWeights(), apartModel.getWeights()];
    for (const [i, each] of found.entries()) expect(worst(await values(each), await values(wanted[i]!))).toBeLessThan(1e-5);
  });

  test('keeps its activation in a file', async () => {
    use(norms);
    await start('cpu');
    const model = modelOf(new layer({ ...args, activation: 'silu', inputShape: [3, 6] } as never));
    expect(model.layers.at(-1)!.getConfig()['activation']).toBe('silu');
    const loaded = await saveAndLoad(model);
    const x = numbers([2, 3, 6]);
    expect(loaded.layers.at(-1)!.getConfig()['activation']).toBe('silu');
    expect(await values(loaded.predict(x) as Tensor)).toEqual(await values(model.predict(x) as Tensor));
    expect((await failure(() => new layer({ ...args, activation: 'swish' } as never))).message).toBe(
      `${name}: activation is "swish", expected one of linear, relu, silu, gelu, gelu_new`,
    );
  });
});

test('instanceNorm activates, too', async () => {
  await start('cpu');
  const x = tensor([3, -3, 3, -3], [1, 4, 1]);
  expect(
    worst(await read(tidy(() => instanceNorm(x, undefined, undefined, { epsilon: 1e-9, activation: 'silu' }))), [
      ...known['silu']!,
      ...known['silu']!,
    ]),
  ).toBeLessThan(3e-7);
});
