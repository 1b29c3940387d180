import { memory, mul, profile, sum, tidy, train, variableGrads, type Scalar, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import {
  input,
  layers,
  model as functionalModel,
  regularizers,
  sequential,
  type LayersModel,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, test } from 'vitest';
import { backends, expectClose, failure, losses, numbers, start, values } from '../../test/models.ts';
import { BatchNormalization, LayerNormalization, RMSNormalization } from '../layers.ts';
import { leavesOf, shortName } from '../replace-norm/leaves.ts';
import { freeze, modelWeights, trainOnly } from './index.ts';

const conv = (name: string, filters = 4): layers.Layer =>
  layers.conv2d({ filters, kernelSize: 3, padding: 'same', useBias: false, kernelRegularizer: regularizers.l2({ l2: 0.01 }), name });
const batch = (name: string): layers.Layer => new BatchNormalization({ name, momentum: 0.5 });
const relu = (): layers.Layer => layers.activation({ activation: 'relu' });

/** Convolutions, batch norms, a hidden and a last dense layer. `sequence` decides of which kind the model is. */
function network(sequence = false): LayersModel {
  const stack = [
    conv('first'),
    batch('norm1'),
    relu(),
    conv('second'),
    batch('norm2'),
    relu(),
    layers.globalAveragePooling2d({ name: 'pool', dataFormat: 'channelsLast' }),
    layers.dense({ units: 5, name: 'hidden' }),
    layers.dense({ units: 3, name: 'out' }),
  ];
  if (sequence) return sequential({ layers: [layers.inputLayer({ inputShape: [6, 6, 2] }), ...stack] });
  const x = input({ shape: [6, 6, 2] });
  return functionalModel({ inputs: x, outputs: stack.reduce((y, layer) => layer.apply(y) as SymbolicTensor, x) });
}

const x = (): Tensor => numbers([4, 6, 6, 2]);

/** Bits of all weights by name, state included. */
async function bitsOf(model: LayersModel): Promise<Record<string, number[]>> {
  const all: Record<string, number[]> = {};
  for (const { layer, path } of leavesOf(model)) {
    for (const weight of layer.weights) all[`${path}/${shortName(weight)}`] = await values(weight.read());
  }
  return all;
}

/** Names of the weights that three steps have changed. */
async function movedBy(model: LayersModel, train: () => Promise<unknown>): Promise<string[]> {
  const before = await bitsOf(model);
  await train();
  const after = await bitsOf(model);
  return Object.keys(after)
    .filter((name) => String(after[name]) !== String(before[name]))
    .toSorted();
}

/** Gradients of a step, and what it took to find them. */
async function profileOf(
  model: LayersModel,
  variables: Variable[],
): Promise<{ grads: Record<string, Tensor>; kernels: string[]; peakBytes: number }> {
  const loss = (): Scalar => sum(mul(model.apply(x(), { training: true }) as Tensor, numbers([4, 3], 2)));
  const { result, kernels, peakBytes } = await profile(() => tidy(() => variableGrads(loss, variables).grads));
  // tfjs fills the same object next time.
  return { grads: result as Record<string, Tensor>, kernels: kernels.map((kernel) => kernel.name), peakBytes };
}

const MOVING = ['norm1/moving_mean', 'norm1/moving_variance', 'norm2/moving_mean', 'norm2/moving_variance'];
const NORMS = ['norm1/beta', 'norm1/gamma', 'norm2/beta', 'norm2/gamma'];
const OUTPUT = ['out/bias', 'out/kernel'];
const OTHERS = ['first/kernel', 'hidden/bias', 'hidden/kernel', 'second/kernel'];

describe.each(backends)('on %s', (name) => {
  beforeEach(() => start(name));

  test.each([
    ['all', {}, [...NORMS, ...OUTPUT, ...OTHERS]],
    ['norms only', { output: true, others: true }, NORMS],
    ['output only', { norms: true, others: true }, OUTPUT],
    ['norms and output', { others: true }, [...NORMS, ...OUTPUT]],
    ['norms frozen', { norms: true }, [...OUTPUT, ...OTHERS]],
    ['one of the others', { norms: true, output: true, others: true, exceptions: ['second/kernel'] }, ['second/kernel']],
  ] as const)('%s: what is frozen has the same bits afterwards, statistics move', async (_, options, moves) => {
    for (const sequence of [false, true]) {
      const model = network(sequence);
      const { restore, counts } = freeze(model, options);
      expect(await movedBy(model, () => losses(model, x(), 3, 0.05))).toEqual([...moves, ...MOVING].toSorted());
      expect(counts.trainable + counts.frozen).toBe(model.countParams() - 16);
      restore();
      expect(await movedBy(model, () => losses(model, x(), 1, 0.05))).toEqual([...NORMS, ...OUTPUT, ...OTHERS, ...MOVING].toSorted());
    }
  });

  test('computes no gradient of a frozen kernel, keeps less for the way back, and finds the same gradients', async () => {
    const model = network();
    model.predict(x());
    const variables = modelWeights(model)
      .filter(({ group }) => group === 'norms')
      .map(({ variable }) => variable.read() as Variable);
    const plain = await profileOf(model, variables);
    const { trainable, restore } = trainOnly(model, 'norms');
    expect(trainable).toEqual(variables);
    const spared = await profileOf(model, [...trainable]);
    restore();
    const again = await profileOf(model, variables);
    // What tfjs does by itself, which is why this is here: fused convolutions compute both.
    const calls = (kernel: string): number[] =>
      [plain, spared, again].map(({ kernels }) => kernels.filter((each) => each === kernel).length);
    expect(calls('Conv2DBackpropFilter')).toEqual([1, 0, 1]);
    // The input of the first convolution needs no gradient either.
    expect(calls('Conv2DBackpropInput')).toEqual([1, 1, 1]);
    expect(spared.peakBytes).toBeLessThan(plain.peakBytes);
    for (const { name: variable } of variables) await expectClose(spared.grads[variable]!, plain.grads[variable]!);
  });

  test('a frozen dense layer passes the same gradient on, with a bias that may train', async () => {
    const model = sequential({
      layers: [
        new LayerNormalization({ inputShape: [2, 3], name: 'norm' }),
        layers.dense({ units: 4, biasInitializer: 'ones', name: 'hidden' }),
        layers.flatten(),
        layers.dense({ units: 2, name: 'out' }),
      ],
    });
    model.predict(numbers([2, 2, 3]));
    const loss = (): Scalar => sum(mul(model.apply(numbers([2, 2, 3]), { training: true }) as Tensor, numbers([2, 2], 2)));
    const found = async (): Promise<number[][]> => {
      const variables = ['gamma', 'beta', 'bias'].map((each) => {
        const { variable } = modelWeights(model).find(({ name: full }) => full === `${each === 'bias' ? 'hidden' : 'norm'}/${each}`)!;
        return variable.read() as Variable;
      });
      const { grads, value } = variableGrads(loss, variables);
      return Promise.all([value, ...variables.map(({ name: full }) => grads[full]!)].map(values));
    };
    const wanted = await found();
    const { restore } = freeze(model, { output: true, others: true, exceptions: ['hidden/bias'] });
    const spared = await found();
    spared.flat().forEach((value, i) => expect(value).toBeCloseTo(wanted.flat()[i]!, 4));
    restore();
  });
});

describe('trainOnly', () => {
  beforeEach(() => start('cpu'));

  test('by a function, in models inside of models that are shared, and restores exactly', async () => {
    const block = sequential({
      name: 'block',
      layers: [layers.dense({ units: 4, inputShape: [4], name: 'inner' }), new RMSNormalization({ name: 'rms' })],
    });
    const a = input({ shape: [4] });
    const first = functionalModel({
      inputs: a,
      outputs: layers.dense({ units: 2, name: 'out' }).apply(block.apply(block.apply(a)) as SymbolicTensor) as SymbolicTensor,
    });
    const b = input({ shape: [4] });
    const second = functionalModel({ inputs: b, outputs: block.apply(b) as SymbolicTensor });
    const inner = block.getLayer('inner');
    inner.trainable = false;
    second.trainable = false;
    const flags = () => modelWeights(first).map(({ name, variable, layer }) => [name, variable.trainable, layer.trainable]);
    const before = flags();
    const order = block.getWeights().map(({ shape }) => shape);
    expect(before.map(([name]) => name)).toEqual(['block/inner/kernel', 'block/inner/bias', 'block/rms/scale', 'out/kernel', 'out/bias']);
    const outer = trainOnly(second, ({ name }) => name.endsWith('bias'));
    expect(second.trainableWeights.map(shortName)).toEqual(['bias']);
    const nested = trainOnly(first, ['norms', 'output']);
    expect(nested.counts).toEqual({ norms: 4, output: 10, others: 20, trainable: 14, frozen: 20 });
    expect(first.trainableWeights.map(shortName)).toEqual(['scale', 'kernel', 'bias']);
    nested.restore();
    expect(second.trainableWeights.map(shortName)).toEqual(['bias']);
    outer.restore();
    outer.restore();
    expect(flags()).toEqual(before);
    expect(second.trainable).toBe(false);
    expect(block.getWeights().map(({ shape }) => shape)).toEqual(order);
    expect(Object.hasOwn(inner, 'call')).toBe(false);
  });

  test('a norm that was frozen before trains, one that is not chosen stays as its owner left it', async () => {
    const model = network();
    for (const each of ['norm1', 'norm2']) model.getLayer(each).trainable = false;
    trainOnly(model, ({ name }) => name === 'norm2/gamma' || name === 'out/bias');
    expect(await movedBy(model, () => losses(model, x(), 2))).toEqual([
      'norm2/gamma',
      'norm2/moving_mean',
      'norm2/moving_variance',
      'out/bias',
    ]);
  });

  test('a gamma of 0 still learns', async () => {
    const model = network();
    trainOnly(model, 'norms');
    model
      .getLayer('norm2')
      .setWeights([...['gamma', 'beta'].map((_, i) => mul(numbers([4]), i)), ...model.getLayer('norm2').getWeights().slice(2)]);
    expect(await movedBy(model, () => losses(model, x(), 1))).toContain('norm2/gamma');
  });

  test('leaves no tensor behind', async () => {
    const model = network();
    model.compile({ optimizer: train.sgd(0.1), loss: 'meanSquaredError' });
    const [inputs, wanted] = [x(), numbers([4, 3])];
    const round = async (): Promise<void> => {
      const { restore } = trainOnly(model, 'norms');
      await model.fit(inputs, wanted, { verbose: 0 });
      restore();
    };
    await round();
    const before = memory().numTensors;
    await round();
    expect(memory().numTensors).toBe(before);
  });

  test('bad calls are refused, and freeze nothing', async () => {
    const model = network();
    const bare = sequential({ layers: [layers.dense({ units: 2, inputShape: [3] })] });
    expect((await failure(() => trainOnly(bare, 'norms'))).message).toBe('trainOnly: model has no norm with weights, expected one');
    expect((await failure(() => freeze(bare, { others: true }))).argument).toBe('model');
    expect(trainOnly(bare, 'output').counts).toMatchObject({ trainable: 8, frozen: 0 });
    expect((await failure(() => freeze(model, { norms: true, output: true, others: true }))).message).toBe(
      'freeze: nothing would be left to train in model',
    );
    const unknown = await failure(() => freeze(model, { others: true, exceptions: ['norm1/gamma'] }));
    expect([unknown.code, unknown.argument]).toEqual(['NOT_FOUND', 'exceptions']);
    expect((await failure(() => trainOnly(model, 'norm' as 'norms'))).message).toContain(
      'which is "norm", expected a function or some of norms',
    );
    expect(model.trainableWeights).toHaveLength(10);
  });
});
