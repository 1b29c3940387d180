import '@tensorflow/tfjs-backend-cpu';
import {
  dispose,
  io,
  memory,
  mul,
  randomNormal,
  sum,
  tensor,
  tensor1d,
  train,
  zeros,
  type Tensor,
  type Variable,
} from '@tensorflow/tfjs-core';
import {
  constraints,
  initializers,
  input,
  layers,
  loadLayersModel,
  model as functional,
  regularizers,
  sequential,
  type LayersModel,
} from '@tensorflow/tfjs-layers';
import { wasm } from '@evenkeel/backend-wasm';
import { backend, isEvenkeelError, unregister, use, type EvenkeelError } from '@evenkeel/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  applyCompander,
  compand,
  CompandedConv1D,
  CompandedConv2D,
  CompandedConv3D,
  CompandedDense,
  CompandedDepthwiseConv2D,
  CompandedEmbedding,
  inspectCompander,
  removeCompander,
  weightCompander,
  type CompandedLayer,
  type CompanderArgs,
} from './index.ts';

const numbers = (shape: number[], seed = 1): Tensor => randomNormal(shape, 0, 1, 'float32', seed);
const values = async (x: Tensor): Promise<number[]> => Array.from(await x.data());
const weightsOf = (layer: { getWeights(): Tensor[] }): Promise<number[][]> => Promise.all(layer.getWeights().map(values));
const shortNames = (layer: layers.Layer): string[] => layer.weights.map(({ name }) => name.replace(/^.*\//, '').replace(/_\d+$/, ''));
const modelOf = (...all: layers.Layer[]): LayersModel => sequential({ layers: all });

async function failure(action: () => unknown): Promise<EvenkeelError> {
  try {
    await action();
  } catch (error) {
    if (isEvenkeelError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

async function expectClose(found: Tensor, wanted: Tensor, tolerance = 1e-5): Promise<void> {
  expect(found.shape).toEqual(wanted.shape);
  const [a, b] = [await values(found), await values(wanted)];
  expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]!) / (1 + Math.abs(b[i]!))))).toBeLessThanOrEqual(tolerance);
}

async function saveAndLoad(model: LayersModel): Promise<LayersModel> {
  let saved: io.ModelArtifacts | undefined;
  await model.save(
    io.withSaveHandler((artifacts) => {
      saved = artifacts;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
    }),
  );
  return loadLayersModel(io.fromMemory(saved!));
}

/** Losses of steps of gradient descent towards random targets. */
async function losses(model: LayersModel, x: Tensor, steps: number, rate = 0.05): Promise<number[]> {
  model.compile({ optimizer: train.sgd(rate), loss: 'meanSquaredError' });
  const y = numbers([x.shape[0]!, ...(model.outputs[0]!.shape.slice(1) as number[])], 7);
  const { history } = await model.fit(x, y, { epochs: steps, batchSize: x.shape[0]!, shuffle: false, verbose: 0 });
  return history['loss'] as number[];
}

const seeded = (seed: number) => ({ kernelInitializer: initializers.randomNormal({ stddev: 0.5, seed }) });

type Made = (args?: CompanderArgs) => CompandedLayer;
const kinds: [string, Made, () => layers.Layer, number[]][] = [
  [
    'CompandedDense',
    (args) => new CompandedDense({ units: 4, activation: 'tanh', ...seeded(1), inputShape: [6], ...args }),
    () => layers.dense({ units: 4, activation: 'tanh', ...seeded(1), inputShape: [6] }),
    [5, 6],
  ],
  [
    'CompandedConv1D',
    (args) => new CompandedConv1D({ filters: 4, kernelSize: 3, strides: 2, ...seeded(2), inputShape: [9, 3], ...args }),
    () => layers.conv1d({ filters: 4, kernelSize: 3, strides: 2, ...seeded(2), inputShape: [9, 3] }),
    [2, 9, 3],
  ],
  [
    'CompandedConv2D',
    (args) => new CompandedConv2D({ filters: 5, kernelSize: [3, 2], padding: 'same', ...seeded(3), inputShape: [7, 6, 3], ...args }),
    () => layers.conv2d({ filters: 5, kernelSize: [3, 2], padding: 'same', ...seeded(3), inputShape: [7, 6, 3] }),
    [2, 7, 6, 3],
  ],
  [
    'CompandedConv3D',
    (args) => new CompandedConv3D({ filters: 2, kernelSize: 2, ...seeded(4), inputShape: [3, 4, 3, 2], ...args }),
    () => layers.conv3d({ filters: 2, kernelSize: 2, ...seeded(4), inputShape: [3, 4, 3, 2] }),
    [2, 3, 4, 3, 2],
  ],
  [
    'CompandedDepthwiseConv2D',
    (args) =>
      new CompandedDepthwiseConv2D({
        kernelSize: 3,
        depthMultiplier: 2,
        depthwiseInitializer: seeded(5).kernelInitializer,
        inputShape: [5, 5, 3],
        ...args,
      }),
    () =>
      layers.depthwiseConv2d({
        kernelSize: 3,
        depthMultiplier: 2,
        depthwiseInitializer: seeded(5).kernelInitializer,
        inputShape: [5, 5, 3],
      }),
    [2, 5, 5, 3],
  ],
  [
    'CompandedEmbedding',
    (args) =>
      new CompandedEmbedding({ inputDim: 7, outputDim: 3, embeddingsInitializer: seeded(6).kernelInitializer, inputLength: 4, ...args }),
    () => layers.embedding({ inputDim: 7, outputDim: 3, embeddingsInitializer: seeded(6).kernelInitializer, inputLength: 4 }),
    [2, 4],
  ],
];
const inputOf = (name: string, shape: number[]): Tensor =>
  name === 'CompandedEmbedding' ? tensor([0, 1, 2, 6, 4, 3, 3, 5], [2, 4]) : numbers(shape, 9);

/** As a saved model has it. */
const plainly = (config: object): object => JSON.parse(JSON.stringify(config)) as object;

const learning = (): LayersModel => modelOf(new CompandedDense({ units: 3, learnable: true, lrMult: 1, ...seeded(3), inputShape: [6] }));

/** What one step moves a and b by. */
const moved = async (lrMult: number): Promise<number[]> => {
  const layer = new CompandedDense({ units: 3, learnable: true, lrMult, ...seeded(3), inputShape: [6] });
  const model = modelOf(layer);
  const parameters = (): Promise<number[]> =>
    Promise.all(layer.trainableWeights.slice(-2).map(async (weight) => (await values(weight.read()))[0]!));
  const before = await parameters();
  await losses(model, numbers([8, 6], 2), 1, 0.01);
  return (await parameters()).map((value, i) => value - before[i]!);
};

const halfSquares = (list: number[]): number => list.reduce((total, value) => total + value * value, 0) / 2;

const recurrent = (table: layers.Layer): LayersModel =>
  modelOf(table, layers.simpleRNN({ units: 2, kernelInitializer: 'ones', recurrentInitializer: 'ones' }));

describe.each(['cpu', 'wasm'])('companded layers on %s', (name) => {
  beforeEach(async () => {
    if (name !== 'cpu') use(wasm());
    await backend(name);
    use(weightCompander);
  });
  afterEach(() => unregister(weightCompander));

  test.each(kinds)('%s computes as the layer of tfjs does with the companded kernel', async (kind, make, plain, shape) => {
    const [layer, theirs] = [make(), plain()];
    const [model, other] = [modelOf(layer), modelOf(theirs)];
    const count = theirs.weights.length;
    expect(shortNames(layer)).toEqual([...shortNames(theirs), 'compander_a', 'compander_b']);
    expect(layer.trainableWeights).toHaveLength(count);
    expect(model.outputs[0]!.shape).toEqual(other.outputs[0]!.shape);
    const [v, ...rest] = layer.getWeights();
    const kernel = applyCompander(v!, 0.3, 0.2);
    layer.setWeights([v!, ...rest.slice(0, -2), tensor1d([0.3]), tensor1d([0.2])]);
    theirs.setWeights([kernel, ...rest.slice(0, -2)]);
    const x = inputOf(kind, shape);
    await expectClose(model.predict(x) as Tensor, other.predict(x) as Tensor, 2e-6);
  });

  test.each(kinds)('%s begins as it is drawn, but cut: within 1.04 deviations', async (_, make, plain) => {
    const [layer, theirs] = [make(), plain()];
    for (const each of [layer, theirs]) modelOf(each);
    const drawn = await values(theirs.getWeights()[0]!);
    const deviation = Math.sqrt(drawn.reduce((total, value) => total + value * value, 0) / drawn.length);
    const most = 1.3 * 0.8 * deviation;
    const found = await values(removeCompander(layer).getWeights()[0]!);
    found.forEach((value, i) => expect(value).toBeCloseTo(Math.max(-most, Math.min(most, drawn[i]!)), 5));
  });

  test.each(kinds)('%s trains, with a and b or without, saves, loads and becomes plain', async (kind, make, plain, shape) => {
    for (const learnable of [false, true]) {
      const layer = make({ learnable, kb: 0.5 });
      const model = modelOf(layer);
      const x = inputOf(kind, shape);
      const before = await weightsOf(layer);
      const found = await losses(model, x, 6);
      expect(found.at(-1)!).toBeLessThan(found[0]!);
      const after = await weightsOf(layer);
      after.forEach((weight, i) => {
        const fixed = /compander/.test(layer.weights[i]!.name) && !layer.trainableWeights.includes(layer.weights[i]!);
        if (fixed) expect(weight).toEqual(before[i]);
        else expect(weight).not.toEqual(before[i]);
      });
      const loaded = await saveAndLoad(model);
      expect(loaded.layers[0]!.getClassName()).toBe(kind);
      // tfjs gives a layer whose input is known a dtype when it loads it.
      expect(plainly(loaded.layers[0]!.getConfig())).toMatchObject(plainly(layer.getConfig()));
      expect(await weightsOf(loaded.layers[0]!)).toEqual(after);
      const wanted = model.predict(x) as Tensor;
      await expectClose(loaded.predict(x) as Tensor, wanted, 0);
      const baked = removeCompander(model);
      expect(baked.layers[0]!.getClassName()).toBe(plain().getClassName());
      expect(baked.countParams()).toBe(modelOf(plain()).countParams());
      await expectClose(baked.predict(x) as Tensor, wanted, 0);
      await expectClose(removeCompander(layer).apply(x) as Tensor, wanted, 0);
      expect(await weightsOf(layer)).toEqual(await weightsOf(model.layers[0]!));
    }
  });

  test('training goes on from a saved model as if it had not been saved, to the bit', async () => {
    const x = numbers([8, 6], 2);
    const through = learning();
    await losses(through, x, 3, 2);
    const resumed = await saveAndLoad(through);
    await losses(through, x, 3, 2);
    await losses(resumed, x, 3, 2);
    expect(await weightsOf(resumed)).toEqual(await weightsOf(through));
  });

  test('a step moves a and b by the given share of what they would move', async () => {
    const [slow, full] = [await moved(0.1), await moved(1)];
    slow.forEach((value, i) => expect(value / full[i]!).toBeCloseTo(0.1, 2));
  });

  test('regularizers act on v, or on the weights if so asked; and on a where it trains', async () => {
    const penalty = async (args: CompanderArgs): Promise<[number, number[], number[], number]> => {
      const layer = new CompandedDense({
        units: 3,
        useBias: false,
        ...seeded(3),
        kernelRegularizer: regularizers.l2({ l2: 0.5 }),
        inputShape: [6],
        ...args,
      });
      modelOf(layer);
      const found = layer.calculateLosses().reduce((total, loss) => total + loss.dataSync()[0]!, 0);
      const a = layer.weights.find((weight) => weight.name.includes('compander_a'))!;
      return [
        found,
        await values(layer.getWeights()[0]!),
        await values(removeCompander(layer).getWeights()[0]!),
        (await values(a.read()))[0]!,
      ];
    };
    const [onV, v] = await penalty({});
    expect(onV).toBeCloseTo(halfSquares(v), 4);
    const [onW, , w] = await penalty({ regularize: 'w' });
    expect(onW).toBeCloseTo(halfSquares(w), 4);
    const [withA, again, , a] = await penalty({ learnable: true });
    expect(withA).toBeCloseTo(halfSquares(again) + (a * a) / 2, 4);
    const saved = new CompandedDense({ units: 3, regularize: 'w', kernelRegularizer: 'l1l2', inputShape: [6] });
    modelOf(saved);
    expect(saved.getConfig()['kernelRegularizer']).not.toBeNull();
  });

  test('what moved too far is put back: |v| to 100 b, a and b to their limits', async () => {
    const layer = new CompandedDense({ units: 2, useBias: false, ...seeded(3), inputShape: [2] });
    const model = modelOf(layer);
    layer.setWeights([tensor([1e6, -1e6, 0.1, 0], [2, 2]), tensor1d([0.5]), tensor1d([0.25])]);
    dispose(model.predict(numbers([1, 2])) as Tensor);
    expect(await values(layer.getWeights()[0]!)).toEqual([25, -25, Math.fround(0.1), 0]);

    const learns = new CompandedDense({ units: 2, useBias: false, learnable: true, ...seeded(3), inputShape: [2] });
    const other = modelOf(learns);
    const [a, b] = learns.trainableWeights.slice(-2).map((weight) => weight.read() as Variable) as [Variable, Variable];
    const [first] = await values(a);
    const deviation = first! / 0.8;
    for (const [moved, wanted] of [
      [
        [-1, -1],
        [1e-3 * deviation, 1e-3 * deviation],
      ],
      [
        [100, 0.01 * deviation],
        [4 * first!, 0.4 * first!],
      ],
    ] as const) {
      // A step of an optimizer, and where it may leave a and b.
      await losses(other, numbers([4, 2], 2), 1);
      a.assign(tensor1d([moved[0]]));
      b.assign(tensor1d([moved[1]]));
      dispose(other.predict(numbers([1, 2])) as Tensor);
      expect((await values(a))[0]).toBeCloseTo(wanted[0], 5);
      expect((await values(b))[0]).toBeCloseTo(wanted[1], 5);
    }
  });

  test('names the layer and the weight that is not finite or not above 0, in training and where it was set', async () => {
    const make = (): [CompandedDense, LayersModel] => {
      const layer = new CompandedDense({ units: 2, useBias: false, name: 'sick', inputShape: [2] });
      return [layer, modelOf(layer)];
    };
    const good = tensor([1, 2, 3, 4], [2, 2]);
    for (const [weights, code, weight] of [
      [[tensor([1, Number.NaN, 3, 4], [2, 2]), tensor1d([1]), tensor1d([1])], 'NON_FINITE', 'kernel'],
      [[tensor([1, Infinity, 3, 4], [2, 2]), tensor1d([1]), tensor1d([1])], 'NON_FINITE', 'kernel'],
      [[good, tensor1d([0]), tensor1d([1])], 'INVALID_ARGUMENT', 'compander_a'],
      [[good, tensor1d([1]), tensor1d([-2])], 'INVALID_ARGUMENT', 'compander_b'],
      [[good, tensor1d([Number.NaN]), tensor1d([1])], 'INVALID_ARGUMENT', 'compander_a'],
      [[good, tensor1d([1]), tensor1d([Infinity])], 'NON_FINITE', 'compander_b'],
    ] as const) {
      const [layer, model] = make();
      layer.setWeights([...weights]);
      for (const use of [() => losses(model, numbers([4, 2]), 1), () => model.predict(numbers([4, 2])), () => removeCompander(model)]) {
        const error = await failure(use);
        expect([error.code, error.argument]).toEqual([code, weight]);
        expect(error.message).toContain(`the weight ${weight} of layer sick`);
      }
    }
    const zero = modelOf(new CompandedDense({ units: 2, kernelInitializer: 'zeros', inputShape: [2] }));
    expect((await failure(() => zero.predict(numbers([1, 2])))).message).toContain('a kernel of zeros has no deviation');
  });

  test('leaves no tensor behind', async () => {
    const layer = new CompandedConv2D({ filters: 2, kernelSize: 3, learnable: true, kernelRegularizer: 'l1l2', inputShape: [5, 5, 2] });
    const model = modelOf(layer);
    const [x, y] = [numbers([2, 5, 5, 2]), numbers([2, 3, 3, 2], 2)];
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    for (const action of [
      () => Promise.resolve((model.predict(x) as Tensor).dispose()),
      () => model.fit(x, y, { verbose: 0 }),
      () => Promise.resolve(removeCompander(model).dispose()),
      () => Promise.resolve(dispose(removeCompander(layer).getWeights())),
      () => inspectCompander(model),
    ]) {
      await action();
      const before = memory().numTensors;
      await action();
      expect(memory().numTensors).toBe(before);
    }
  });

  test('a model: dense and convolutions by default, from the weights that it has; names stay', async () => {
    const old = modelOf(
      layers.conv2d({ filters: 4, kernelSize: 3, name: 'stem', kernelConstraint: constraints.maxNorm({}), inputShape: [8, 8, 3] }),
      layers.depthwiseConv2d({ kernelSize: 3, depthwiseConstraint: constraints.nonNeg(), name: 'each' }),
      layers.batchNormalization({ name: 'norm' }),
      layers.flatten(),
      layers.dense({ units: 3, trainable: false, name: 'frozen' }),
      layers.dense({ units: 2, name: 'last' }),
    );
    old.setWeights(old.getWeights().map((weight, i) => (weight.rank > 1 ? numbers(weight.shape, i + 1) : weight)));
    const x = numbers([2, 8, 8, 3]);
    const given = await weightsOf(old);
    const { model, companded } = compand(old, { init: 'max' });
    expect(companded).toEqual(['stem', 'each', 'last']);
    expect(model.layers.map(({ name: each }) => each)).toEqual(old.layers.map(({ name: each }) => each));
    expect(model.layers.map((layer) => layer.getClassName())).toEqual([
      'CompandedConv2D',
      'CompandedDepthwiseConv2D',
      'BatchNormalization',
      'Flatten',
      'Dense',
      'CompandedDense',
    ]);
    await expectClose(model.predict(x) as Tensor, old.predict(x) as Tensor, 2e-4);
    expect(model.layers[1]!.getConfig()['depthwiseConstraint']).toMatchObject({ className: 'NonNeg' });
    // By deviations it computes something else: kernels are cut.
    const cut = compand(old).model;
    const [one, other] = [await values(cut.predict(x) as Tensor), await values(old.predict(x) as Tensor)];
    expect(Math.max(...one.map((value, i) => Math.abs(value - other[i]!)))).toBeGreaterThan(0.1);
    const found = await losses(cut, x, 4, 1e-4);
    expect(found.at(-1)!).toBeLessThan(found[0]!);
    const plain = removeCompander(cut);
    expect(plain.layers.map((layer) => layer.getClassName())).toEqual(old.layers.map((layer) => layer.getClassName()));
    await expectClose(plain.predict(x) as Tensor, cut.predict(x) as Tensor);
    expect(await weightsOf(old)).toEqual(given);
    expect(compand(old, { layers: (layer) => layer.name === 'last' }).companded).toEqual(['last']);
  });

  test('graphs, layers that are used twice, models inside of models, embeddings', async () => {
    const inside = modelOf(layers.dense({ units: 3, ...seeded(1), name: 'inner', inputShape: [3] }));
    inside.name = 'block';
    const ids = input({ shape: [4] });
    const embedded = layers.embedding({ inputDim: 9, outputDim: 3, name: 'table' }).apply(ids) as typeof ids;
    const mean = layers.globalAveragePooling1d({}).apply(embedded) as typeof ids;
    const shared = layers.dense({ units: 3, ...seeded(2), name: 'shared' });
    const once = shared.apply(mean) as typeof ids;
    const twice = shared.apply(inside.apply(once) as typeof ids) as typeof ids;
    const old = functional({ inputs: ids, outputs: layers.add().apply([once, twice]) as typeof ids });
    const { model, companded } = compand(old, { init: 'max', layers: (layer) => ['inner', 'shared', 'table'].includes(layer.name) });
    expect(companded.toSorted()).toEqual(['block/inner', 'shared', 'table']);
    const x = tensor([1, 2, 3, 8], [1, 4]);
    await expectClose(model.predict(x) as Tensor, old.predict(x) as Tensor);
    expect(model.countParams()).toBe(old.countParams() + 6);
    await losses(model, x, 2);
    const loaded = await saveAndLoad(model);
    await expectClose(loaded.predict(x) as Tensor, model.predict(x) as Tensor, 0);
    const baked = removeCompander(loaded);
    expect(baked.countParams()).toBe(old.countParams());
    await expectClose(baked.predict(x) as Tensor, model.predict(x) as Tensor);
    expect(compand(old).companded.toSorted()).toEqual(['block/inner', 'shared']);
  });

  test('a single layer, built or not', async () => {
    const built = layers.conv2d({ filters: 2, kernelSize: 3, ...seeded(3), inputShape: [5, 5, 2] });
    const model = modelOf(built);
    const x = numbers([1, 5, 5, 2]);
    const layer = compand(built, { init: 'max' });
    await expectClose(layer.apply(x) as Tensor, model.predict(x) as Tensor);
    const fresh = compand(layers.dense({ units: 2, inputShape: [3] }), { kind: 'tanh' });
    expect(modelOf(fresh).layers[0]!.getConfig()).toMatchObject({ kind: 'tanh', units: 2 });
  });

  test('masks pass', async () => {
    const args = { inputDim: 5, outputDim: 2, maskZero: true, embeddingsInitializer: 'ones' } as const;
    const [model, plain] = [recurrent(new CompandedEmbedding({ ...args, init: 'max' })), recurrent(layers.embedding(args))];
    const x = tensor([1, 2, 0, 0], [1, 4]);
    await expectClose(model.predict(x) as Tensor, plain.predict(x) as Tensor);
  });

  test('inspectCompander tells shares and slopes', async () => {
    const layer = new CompandedDense({ units: 4, useBias: false, name: 'only', inputShape: [2] });
    const model = modelOf(layer);
    // atan of 0, 1, -1, 20: the last has a slope of 1 / 401.
    layer.setWeights([tensor([0, 1, -1, 20, 1, 1, 1, 1], [2, 4]), tensor1d([2]), tensor1d([1])]);
    const [found] = await inspectCompander(model);
    const weights = [0, 1, -1, 20, 1, 1, 1, 1].map((v) => 2 * Math.atan(v));
    const deviation = Math.sqrt(weights.reduce((total, w) => total + w * w, 0) / 8);
    expect(found).toMatchObject({ layer: 'only', a: 2, b: 1, nearZero: 1 / 8, saturated: 1 / 8 });
    expect(found!.largest).toBeCloseTo((2 * Math.atan(20)) / deviation, 4);
    expect(found!.slope).toBeCloseTo((2 * (1 + 6 * 0.5 + 1 / 401)) / 8, 4);
  });

  test('refuses what cannot be companded, and leaves nothing behind', async () => {
    const flat = modelOf(layers.flatten({ inputShape: [2, 2] }));
    const frozen = layers.dense({ units: 2, trainable: false, name: 'frozen', inputShape: [3] });
    const mixed = modelOf(
      frozen,
      layers.dense({ units: 2, ...seeded(3), name: 'free' }),
      layers.dense({ units: 2, kernelInitializer: 'zeros', name: 'empty' }),
    );
    const twice = compand(mixed, { layers: (layer) => layer.name === 'free' }).model;
    const before = memory().numTensors;
    expect((await failure(() => compand(flat))).code).toBe('NOT_FOUND');
    expect((await failure(() => removeCompander(mixed))).code).toBe('NOT_FOUND');
    expect((await failure(() => inspectCompander(mixed))).code).toBe('NOT_FOUND');
    expect((await failure(() => compand(frozen))).message).toContain('layer frozen does not train');
    expect((await failure(() => compand(mixed, { layers: () => true }))).message).toContain('layer frozen does not train');
    expect((await failure(() => compand(twice.getLayer('free')))).message).toContain('layer free is companded already');
    expect((await failure(() => compand(twice, { layers: ({ name: each }) => each === 'free' }))).message).toContain(
      'is companded already',
    );
    expect((await failure(() => compand(flat, { layers: () => true }))).message).toContain('is a Flatten, expected one of Conv1D');
    expect((await failure(() => compand(mixed))).message).toContain('a kernel of zeros has no deviation');
    expect((await failure(() => compand(mixed.getLayer('empty')))).argument).toBe('compander_a');
    expect((await failure(() => removeCompander(frozen))).argument).toBe('target');
    expect((await failure(() => removeCompander(new CompandedDense({ units: 2 })))).argument).toBe('layer');
    expect((await failure(() => compand(mixed, { ka: -1 }))).argument).toBe('ka');
    expect(memory().numTensors).toBe(before);
  });

  test.each([
    ['kind', { kind: 'cubic' as never }, 'kind is "cubic", expected one of arctan'],
    ['ka', { ka: Number.NaN }, 'ka is NaN'],
    ['kb', { kb: 0.01 }, 'kb is 0.01, expected at least ka / 10'],
    ['init', { init: 'best' as never }, 'init is "best"'],
    ['lrMult', { lrMult: 0 }, 'lrMult is 0'],
    ['learnable', { learnable: 'yes' as never }, 'learnable is "yes"'],
    ['regularize', { regularize: 'x' as never }, 'regularize is "x"'],
    ['dtype', { dtype: 'int32' as const }, 'is int32, expected float32'],
  ])('refuses a bad %s: %o', async (argument, args, message) => {
    const error = await failure(() =>
      modelOf(new CompandedEmbedding({ inputDim: 4, outputDim: 2, embeddingsInitializer: 'ones', ...args })),
    );
    expect(error.argument).toBe(argument);
    expect(error.message).toContain(message);
  });
});

test('near zero descent moves a weight by the square of the slope, far from zero hardly', async () => {
  await backend('cpu');
  const layer = new CompandedDense({ units: 2, useBias: false, inputShape: [1] });
  const model = modelOf(layer);
  layer.setWeights([tensor([0, 100], [1, 2]), tensor1d([2]), tensor1d([1])]);
  model.compile({ optimizer: train.sgd(1e-3), loss: (_: Tensor, y: Tensor) => sum(mul(y, 1)) });
  const before = await values(removeCompander(layer).getWeights()[0]!);
  await model.fit(tensor([[1]]), zeros([1, 2]), { verbose: 0 });
  const after = await values(removeCompander(layer).getWeights()[0]!);
  expect(after[0]! - before[0]!).toBeCloseTo(-4e-3, 6);
  expect(Math.abs(after[1]! - before[1]!)).toBeLessThan(1e-6);
});
