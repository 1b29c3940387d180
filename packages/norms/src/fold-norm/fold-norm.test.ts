import { backends as everywhere } from '../../../../tools/test-backends.ts';
import { cast, dispose, memory, mul, tensor, tidy, zeros, type serialization, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import {
  constraints,
  input,
  layers,
  model as functional,
  regularizers,
  sequential,
  type LayersModel,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, test } from 'vitest';
import { noise, onEach, worst } from '../../test/host.ts';
import { failure, numbers, saveAndLoad, start, values } from '../../test/models.ts';
import {
  BatchNormalization,
  EvoNormalization,
  GroupNormalization,
  InstanceNormalization,
  L1BatchNormalization,
  LayerNormalization,
  PowerNormalization,
  RMSNormalization,
  UnifiedNormalization,
} from '../layers.ts';
import { shortName } from '../replace-norm/leaves.ts';
import { foldNorm, type FoldNormOptions, type FoldReport } from './index.ts';

type Layer = layers.Layer;

/** Gives all weights values as after a training: running variances are positive. */
function train<Model extends LayersModel>(model: Model): Model {
  model.weights.forEach((weight, i) => {
    const size = weight.shape.reduce((product: number, length) => product * length!, 1);
    const positive = /variance|deviation|running/.test(shortName(weight));
    const made = tensor(
      noise(size, i + 1).map((value) => (positive ? value + 1.5 : value)),
      weight.shape as number[],
    );
    (weight.read() as Variable).assign(weight.dtype === 'int32' ? cast(made, 'int32') : made);
  });
  return model;
}

const sequence = (...parts: Layer[]): LayersModel => train(sequential({ layers: parts }));

const namesOf = (model: LayersModel): string[] => model.layers.map(({ name }) => name);

/** What became of each norm, in short: 'bn > dense', or 'bn kept'. */
const summary = ({ layers: found }: FoldReport): string[] =>
  found.map(({ layer, result, into }) => (result === 'kept' ? `${layer} kept` : `${layer} > ${into.join(', ')}`));

async function folded(model: LayersModel, options?: FoldNormOptions): Promise<{ model: LayersModel; report: FoldReport; norms: string[] }> {
  const result = await foldNorm(model, options);
  for (const { relative } of result.report.outputs) expect(relative).toBeLessThan(1e-5);
  return { ...result, norms: summary(result.report) };
}

const bn = (name = 'bn', args: object = {}): Layer => layers.batchNormalization({ name, ...args });

beforeEach(() => start('cpu'));

test('a network of convolutions loses all its norms, on each backend', async () => {
  await onEach(everywhere, async () => {
    const model = sequence(
      layers.conv2d({ name: 'conv', filters: 4, kernelSize: 3, useBias: false, padding: 'same', inputShape: [6, 6, 3] }),
      bn('bn1'),
      layers.reLU({ name: 'relu' }),
      layers.depthwiseConv2d({ name: 'depthwise', kernelSize: 3, depthMultiplier: 2, padding: 'same' }),
      bn('bn2'),
      layers.conv2d({ name: 'pointwise', filters: 5, kernelSize: 1, activation: 'relu' }),
      bn('bn3'),
      layers.globalAveragePooling2d({ name: 'pool' }),
      layers.dense({ name: 'head', units: 3 }),
    );
    const { model: plain, report, norms } = await folded(model);
    expect(norms).toEqual(['bn1 > conv', 'bn2 > depthwise', 'bn3 kept']);
    expect(report.layers[2]!.reasons).toEqual([
      'before it: pointwise has an activation',
      'behind it: pool (GlobalAveragePooling2D) is neither dense nor a convolution',
    ]);
    expect(plain.getClassName()).toBe('Sequential');
    expect(namesOf(plain)).toEqual(['conv', 'relu', 'depthwise', 'pointwise', 'bn3', 'pool', 'head']);
    // Two norms of 4 and 8 channels have 48 numbers, and conv got 4 as its bias.
    expect(report.parameters).toEqual({ before: model.countParams(), after: model.countParams() - 48 + 4 });
    expect(report.values).toBe(6 * 6 * (4 + 8));
    model.dispose();
    plain.dispose();
  });
});

describe('into the layer before', () => {
  test.each<[string, Layer, object?]>([
    ['dense', layers.dense({ name: 'linear', units: 4, inputShape: [3] })],
    ['dense, over positions', layers.dense({ name: 'linear', units: 4, inputShape: [5, 3], useBias: false })],
    ['conv1d', layers.conv1d({ name: 'linear', filters: 4, kernelSize: 3, padding: 'same', inputShape: [6, 3] })],
    ['conv2d', layers.conv2d({ name: 'linear', filters: 4, kernelSize: 3, padding: 'same', strides: 2, inputShape: [6, 6, 3] })],
    [
      'conv2d, channels first',
      layers.conv2d({ name: 'linear', filters: 4, kernelSize: 3, dataFormat: 'channelsFirst', inputShape: [3, 6, 6] }),
      { axis: 1 },
    ],
    ['conv3d', layers.conv3d({ name: 'linear', filters: 2, kernelSize: 2, inputShape: [4, 4, 4, 2] })],
    [
      'conv2dTranspose',
      layers.conv2dTranspose({ name: 'linear', filters: 4, kernelSize: 3, strides: 2, padding: 'same', inputShape: [4, 4, 3] }),
    ],
    [
      'depthwise',
      layers.depthwiseConv2d({ name: 'linear', kernelSize: 3, depthMultiplier: 2, useBias: false, padding: 'same', inputShape: [5, 5, 3] }),
    ],
    ['separable', layers.separableConv2d({ name: 'linear', filters: 4, kernelSize: 3, depthMultiplier: 2, inputShape: [5, 5, 3] })],
  ])('%s', async (_, linear, args) => {
    // tfjs-layers' own does not know rank 5, and is wrong on cpu where channels are not last.
    const { norms, model } = await folded(sequence(linear, new BatchNormalization({ name: 'bn', ...args })));
    expect(norms).toEqual(['bn > linear']);
    expect(namesOf(model)).toEqual(['linear']);
  });
});

describe('into the layer behind', () => {
  test.each<[string, number[], () => Layer]>([
    ['dense', [3], () => layers.dense({ name: 'linear', units: 4, activation: 'tanh' })],
    ['conv1d', [6, 3], () => layers.conv1d({ name: 'linear', filters: 4, kernelSize: 3 })],
    ['conv2d', [6, 6, 3], () => layers.conv2d({ name: 'linear', filters: 4, kernelSize: 3, strides: 2, useBias: false })],
    ['conv2d, same but of one position', [6, 6, 3], () => layers.conv2d({ name: 'linear', filters: 4, kernelSize: 1, padding: 'same' })],
    ['conv3d', [4, 4, 4, 2], () => layers.conv3d({ name: 'linear', filters: 2, kernelSize: 2 })],
    ['conv2dTranspose of one position', [4, 4, 3], () => layers.conv2dTranspose({ name: 'linear', filters: 4, kernelSize: 1 })],
    ['depthwise', [5, 5, 3], () => layers.depthwiseConv2d({ name: 'linear', kernelSize: 3, depthMultiplier: 2 })],
    ['separable', [5, 5, 3], () => layers.separableConv2d({ name: 'linear', filters: 4, kernelSize: 3, depthMultiplier: 2 })],
  ])('%s', async (_, inputShape, linear) => {
    const { norms, model } = await folded(sequence(new BatchNormalization({ name: 'bn', inputShape }), linear()));
    expect(norms).toEqual(['bn > linear']);
    expect(namesOf(model)).toEqual(['linear']);
    expect(model.inputs[0]!.shape).toEqual([null, ...inputShape]);
  });

  const bordered: [string, number[], () => Layer][] = [
    ['conv1d, same', [6, 3], () => layers.conv1d({ name: 'linear', filters: 4, kernelSize: 3, padding: 'same' })],
    ['conv2d, same', [6, 6, 3], () => layers.conv2d({ name: 'linear', filters: 4, kernelSize: 3, padding: 'same' })],
    ['depthwise, same', [6, 6, 3], () => layers.depthwiseConv2d({ name: 'linear', kernelSize: 3, padding: 'same' })],
    ['separable, same', [6, 6, 3], () => layers.separableConv2d({ name: 'linear', filters: 2, kernelSize: 3, padding: 'same' })],
    ['conv2dTranspose', [4, 4, 3], () => layers.conv2dTranspose({ name: 'linear', filters: 4, kernelSize: 3 })],
    ['conv2dTranspose with gaps', [4, 4, 3], () => layers.conv2dTranspose({ name: 'linear', filters: 4, kernelSize: 1, strides: 2 })],
  ];
  test.each(bordered)('%s: not with a shift, which a border would not have', async (_, inputShape, linear) => {
    const { norms, report } = await folded(sequence(bn('bn', { inputShape }), linear()));
    expect(norms).toEqual(['bn kept']);
    expect(report.layers[0]!.reasons[1]).toContain('has borders');
  });
  test.each(bordered)('%s: without a shift', async (_, inputShape, linear) => {
    const { norms } = await folded(sequence(new UnifiedNormalization({ name: 'un', center: false, inputShape }), linear()));
    expect(norms).toEqual(['un > linear']);
  });
});

describe('norms', () => {
  test.each<[string, Layer]>([
    ['batch norm of tfjs-layers', layers.batchNormalization({ name: 'norm' })],
    ['batch norm without gamma', layers.batchNormalization({ name: 'norm', scale: false, epsilon: 0.1 })],
    ['batch norm', new BatchNormalization({ name: 'norm' })],
    ['batch norm without gamma and beta', new BatchNormalization({ name: 'norm', scale: false, center: false })],
    ['frozen batch norm', new BatchNormalization({ name: 'norm', trainable: false })],
    ['L1 batch norm', new L1BatchNormalization({ name: 'norm', gaussianScale: true })],
    ['unified norm', new UnifiedNormalization({ name: 'norm' })],
    ['unified norm without gamma and beta', new UnifiedNormalization({ name: 'norm', scale: false, center: false })],
    ['PowerNorm', new PowerNormalization({ name: 'norm', groups: 0 })],
    ['EvoNorm without its nonlinearity', new EvoNormalization({ name: 'norm', variant: 'B0', nonlinearity: false })],
  ])('%s is fixed in inference', async (_, norm) => {
    const { norms } = await folded(sequence(layers.dense({ name: 'dense', units: 4, inputShape: [3] }), norm));
    expect(norms).toEqual(['norm > dense']);
  });

  test.each<[string, Layer]>([
    ['PowerNorm with groups', new PowerNormalization({ name: 'norm', groups: 2 })],
    ['EvoNorm', new EvoNormalization({ name: 'norm', variant: 'B0' })],
    ['layer norm', new LayerNormalization({ name: 'norm' })],
  ])('%s is not, and stays', async (_, norm) => {
    const model = sequence(layers.dense({ name: 'dense', units: 4, inputShape: [3] }), norm, layers.dense({ units: 2 }));
    const { norms, report, model: copy } = await folded(model);
    expect(norms).toEqual(['norm kept']);
    expect(report.layers[0]!.reasons).toEqual(['in inference it is not a scale and a shift of each channel']);
    expect(report.outputs[0]!.difference).toBe(0);
    expect(copy.countParams()).toBe(model.countParams());
  });

  test('of others, as fixedNorm says', async () => {
    class Halving extends layers.Layer {
      static readonly className = 'Halving';
      override call(x: Tensor | Tensor[]): Tensor {
        return tidy(() => mul([x].flat()[0]!, 0.5));
      }
      override getConfig(): serialization.ConfigDict {
        return super.getConfig();
      }
    }
    const model = sequence(layers.dense({ name: 'dense', units: 2, inputShape: [3] }), new Halving({ name: 'halving' }));
    expect((await folded(model)).report.layers).toEqual([]);
    const half = (layer: Layer): { axis: number; scale: number[]; shift: number[] } | undefined =>
      layer instanceof Halving ? { axis: -1, scale: [0.5, 0.5], shift: [0, 0] } : undefined;
    expect((await folded(model, { fixedNorm: half })).norms).toEqual(['halving > dense']);
  });
});

describe('gains of norms whose statistics are those of their input', () => {
  test.each<[string, () => Layer]>([
    ['layer norm', () => new LayerNormalization({ name: 'norm' })],
    ['layer norm of tfjs-layers', () => layers.layerNormalization({ name: 'norm' })],
    ['RMS norm', () => new RMSNormalization({ name: 'norm' })],
    ['group norm', () => new GroupNormalization({ name: 'norm', groups: 2 })],
    ['instance norm', () => new InstanceNormalization({ name: 'norm' })],
    ['PowerNorm with groups', () => new PowerNormalization({ name: 'norm', groups: 2 })],
  ])('%s', async (_, norm) => {
    const model = sequence(layers.dense({ units: 4, inputShape: [5, 3] }), norm(), layers.dense({ name: 'head', units: 2 }));
    const { report, model: plain } = await folded(model, { gains: true });
    expect(report.layers[0]).toMatchObject({ layer: 'norm', result: 'gains folded', into: ['head'], reasons: [] });
    const names = plain.getLayer('norm').weights.map(shortName);
    expect(names.filter((name) => ['gamma', 'beta', 'scale'].includes(name))).toEqual([]);
    // They stay where they are not asked for.
    expect((await folded(model)).norms).toEqual(['norm kept']);
  });

  test('not of several axes, nor into padding', async () => {
    for (const axis of [[-2, -1], -1]) {
      const model = sequence(
        layers.layerNormalization({ name: 'norm', axis, inputShape: [6, 6, 3] }),
        layers.conv2d({ filters: 2, kernelSize: 3, padding: 'same' }),
      );
      expect((await folded(model, { gains: true })).norms).toEqual(['norm kept']);
    }
  });
});

/** A functional model of one input [null, 3]. */
function graph(build: (x: SymbolicTensor) => SymbolicTensor | SymbolicTensor[]): LayersModel {
  const x = input({ shape: [3], name: 'x' });
  return train(functional({ inputs: x, outputs: build(x), name: 'graph' }));
}
const apply = (layer: Layer, x: SymbolicTensor | SymbolicTensor[]): SymbolicTensor => layer.apply(x) as SymbolicTensor;
const dense = (name: string, units = 3): Layer => layers.dense({ name, units });

describe('functional models', () => {
  test('a norm goes into all that read it', async () => {
    const { norms, model, report } = await folded(
      graph((x) => {
        const hidden = apply(bn(), apply(layers.reLU({ name: 'relu' }), x));
        const [query, key] = [apply(dense('query'), hidden), apply(dense('key'), hidden)];
        return [apply(layers.add({ name: 'sum' }), [query, key]), key];
      }),
    );
    expect(norms).toEqual(['bn > query, key']);
    expect(report.outputs.map(({ output }) => output)).toEqual(['sum', 'key']);
    expect([model.getClassName(), model.name, model.inputNames]).toEqual(['Model', 'graph', ['x']]);
  });

  test.each<[string, (x: SymbolicTensor) => SymbolicTensor | SymbolicTensor[], string[]]>([
    [
      'others read the layer before it, and one that reads it is not linear',
      (x) => {
        const hidden = apply(dense('dense'), x);
        return apply(layers.add({ name: 'sum' }), [hidden, apply(bn(), hidden)]);
      },
      ['before it: dense is read by sum, too', 'behind it: sum (Add) is neither dense nor a convolution'],
    ],
    [
      'the model returns what is between',
      (x) => {
        const hidden = apply(dense('dense'), x);
        const normalized = apply(bn(), hidden);
        return [hidden, normalized, apply(dense('head'), normalized)];
      },
      ['before it: the model returns what dense computes', 'behind it: the model returns what it computes'],
    ],
    [
      'both neighbours are used twice',
      (x) => {
        const [before, behind] = [dense('before'), dense('behind')];
        const normalized = apply(bn(), apply(before, x));
        return [apply(behind, normalized), apply(behind, x), apply(before, x)];
      },
      ['before it: before is used 2 times', 'behind it: behind is used 2 times'],
    ],
    [
      'the norm is used twice',
      (x) => {
        const norm = bn();
        return [apply(norm, apply(dense('a'), x)), apply(norm, apply(dense('b'), x))];
      },
      ['it is used 2 times'],
    ],
    [
      'one of two that read it has an axis of its own',
      (x) => {
        const normalized = apply(bn('bn', { axis: 1 }), apply(layers.reshape({ name: 'reshape', targetShape: [3, 1] }), x));
        return [apply(dense('head'), normalized)];
      },
      ['before it: reshape (Reshape) is neither dense nor a convolution', 'behind it: head has its channels on another axis'],
    ],
    [
      'a wrapper uses the layer before it as well',
      (x) => {
        const shared = dense('shared');
        const steps = apply(layers.timeDistributed({ layer: shared }), apply(layers.reshape({ targetShape: [1, 3] }), x));
        return [apply(bn(), apply(shared, x)), steps];
      },
      ['before it: shared is used 2 times', 'behind it: the model returns what it computes'],
    ],
  ])('%s: it stays', async (_, build, reasons) => {
    const { report } = await folded(graph(build));
    expect(report.layers[0]).toEqual({ layer: 'bn', className: 'BatchNormalization', result: 'kept', into: [], reasons });
    expect(report.layers).toHaveLength(1);
  });

  test('two norms in a row, and dropout between, are no hindrance', async () => {
    const { norms, model } = await folded(
      graph((x) => {
        const first = apply(bn('bn2'), apply(layers.dropout({ name: 'dropout', rate: 0.5 }), apply(bn('bn1'), apply(dense('dense'), x))));
        const positive = apply(layers.reLU({ name: 'relu' }), first);
        return apply(dense('head'), apply(bn('bn4'), apply(bn('bn3'), positive)));
      }),
    );
    expect(norms).toEqual(['bn1 > dense', 'bn2 > dense', 'bn3 > head', 'bn4 > head']);
    expect(namesOf(model)).toEqual(['x', 'dense', 'dropout', 'relu', 'head']);
  });

  test('models inside of models, used twice', async () => {
    const inner = sequential({ name: 'inner', layers: [layers.dense({ name: 'dense', units: 3, inputShape: [3] }), bn('bn')] });
    const { norms, model } = await folded(
      graph((x) => {
        const twice = apply(inner, apply(inner, x));
        return apply(dense('head'), apply(bn('last'), twice));
      }),
    );
    expect(norms).toEqual(['inner/bn > inner/dense', 'last > head']);
    expect(namesOf(model)).toEqual(['x', 'inner', 'head']);
    expect(namesOf(model.getLayer('inner') as LayersModel)).toEqual(['dense']);
  });

  test('a Sequential model inside of another', async () => {
    const inner = sequential({ name: 'inner', layers: [layers.dense({ name: 'dense', units: 3, inputShape: [3] }), bn('bn')] });
    const { norms } = await folded(sequence(inner, layers.reLU(), layers.dense({ name: 'head', units: 2 }), bn('last')));
    expect(norms).toEqual(['inner/bn > inner/dense', 'last > head']);
  });
});

/** A dense layer and batch norm behind it. */
const simple = (args: object = {}): LayersModel => sequence(layers.dense({ name: 'dense', units: 2, inputShape: [3], ...args }), bn());

/** Sets a weight of the norm of {@link simple}. */
function set(model: LayersModel, name: string, data: number[]): void {
  const weight = model.layers[1]!.weights.find((one) => shortName(one) === name)!;
  (weight.read() as Variable).assign(tensor(data));
}

describe('edges', () => {
  test('a gamma of 0 gives beta, a variance of 0 counts as epsilon', async () => {
    const model = simple();
    set(model, 'gamma', [0, 1]);
    set(model, 'moving_variance', [1, 0]);
    const { model: plain } = await folded(model);
    const [kernel, bias] = await Promise.all(plain.layers[0]!.getWeights().map(values));
    const beta = await values(model.layers[1]!.getWeights()[1]!);
    expect(worst([kernel![0]!, kernel![2]!, kernel![4]!, bias![0]!], [0, 0, 0, beta[0]!])).toBe(0);
  });

  test('means 10000 times the deviation', async () => {
    const model = simple();
    set(model, 'moving_mean', [1e4, -1e4]);
    set(model, 'moving_variance', [1, 1]);
    await folded(model);
  });

  test('no bias where none is needed', async () => {
    const model = sequence(
      layers.dense({ name: 'dense', units: 2, inputShape: [3], useBias: false }),
      new UnifiedNormalization({ center: false }),
    );
    expect((await folded(model)).model.countParams()).toBe(6);
  });

  test('constraints and regularizers of what changed are gone', async () => {
    const model = simple({
      kernelConstraint: constraints.maxNorm({ maxValue: 0.1 }),
      kernelRegularizer: regularizers.l2(),
      biasRegularizer: 'l1l2',
      trainable: false,
    });
    const config = (await folded(model)).model.layers[0]!.getConfig();
    expect(config).toMatchObject({ kernelConstraint: null, kernelRegularizer: null, biasRegularizer: null, trainable: false });
  });

  test('convolutions whose configuration tfjs-layers gets wrong are copied nevertheless', async () => {
    const shared = { kernelSize: 3, depthMultiplier: 2, depthwiseRegularizer: regularizers.l2() } as const;
    const model = sequence(
      layers.separableConv2d({ ...shared, filters: 4, inputShape: [6, 6, 3], activation: 'relu' }),
      layers.depthwiseConv2d({ ...shared, depthwiseConstraint: constraints.nonNeg() }),
      layers.reLU(),
      new LayerNormalization({ name: 'norm' }),
    );
    const { norms, model: copy } = await folded(model);
    expect(norms).toEqual(['norm kept']);
    expect((copy.layers[1] as Layer & { depthwiseConstraint: { getClassName(): string } }).depthwiseConstraint.getClassName()).toBe(
      'NonNeg',
    );
  });

  test('the folded model is saved and loaded', async () => {
    const { model } = await folded(simple());
    const x = numbers([4, 3]);
    const loaded = await saveAndLoad(model);
    expect(await values(loaded.predict(x) as Tensor)).toEqual(await values(model.predict(x) as Tensor));
  });

  test('the old model stays as it was, and nothing else is left', async () => {
    const model = simple();
    const x = numbers([4, 3]);
    const weights = await Promise.all(model.getWeights().map(values));
    const before = memory().numTensors;
    const { model: plain } = await foldNorm(model);
    expect(memory().numTensors - before).toBe(plain.weights.length);
    const { model: again } = await foldNorm(model, { batch: x });
    again.dispose();
    plain.dispose();
    expect(memory().numTensors).toBe(before);
    expect(await Promise.all(model.getWeights().map(values))).toEqual(weights);
    expect(worst(await values(model.predict(x) as Tensor), await values(model.predict(x) as Tensor))).toBe(0);
  });
});

/** Layers that read tokens. */
const reading = (): Layer[] => [layers.embedding({ inputDim: 7, outputDim: 3, inputShape: [null] }), dense('dense'), bn()];

describe('the comparison', () => {
  test('fails where a norm is not what fixedNorm says, and leaves nothing', async () => {
    const model = sequence(layers.dense({ units: 2, inputShape: [3] }), bn());
    const wrong: FoldNormOptions = { fixedNorm: ({ name }) => (name === 'bn' ? { axis: -1, scale: [1, 1], shift: [0, 0] } : undefined) };
    const before = memory().numTensors;
    expect(await failure(() => foldNorm(model, wrong))).toMatchObject({ code: 'CHECK_FAILED', op: 'foldNorm', argument: 'tolerance' });
    expect(memory().numTensors).toBe(before);
    const { model: kept, report } = await foldNorm(model, { ...wrong, tolerance: 1e6 });
    expect(report.outputs[0]!.relative).toBeGreaterThan(0.1);
    kept.dispose();
  });

  test('needs numbers', async () => {
    const model = sequence(layers.dense({ units: 2, inputShape: [3] }), bn());
    const batch = tensor([[0, Number.NaN, 1]]);
    expect(await failure(() => foldNorm(model, { batch }))).toMatchObject({ code: 'NON_FINITE', argument: 'batch' });
    expect(batch.isDisposed).toBe(false);
  });

  test('of all zeros is exact', async () => {
    const model = sequence(layers.dense({ units: 2, inputShape: [3] }), bn());
    for (const weight of model.weights) (weight.read() as Variable).assign(zeros(weight.shape as number[]));
    expect((await folded(model)).report.outputs[0]).toMatchObject({ largest: 0, difference: 0, relative: 0 });
  });

  test('finds tokens for embeddings, in Sequential and functional models of any length', async () => {
    expect((await folded(sequence(...reading()))).norms).toEqual(['bn > dense']);
    const tokens = input({ shape: [5], dtype: 'int32' });
    const outputs = reading().reduce((x, layer) => apply(layer, x), tokens);
    expect((await folded(train(functional({ inputs: tokens, outputs })))).norms).toEqual(['bn > dense']);
  });

  test('asks for a batch where integers have no meaning', async () => {
    class ToFloat extends layers.Layer {
      static readonly className = 'ToFloat';
      override call(x: Tensor | Tensor[]): Tensor {
        return tidy(() => mul([x].flat()[0]!, 1.5));
      }
    }
    const codes = input({ shape: [3], dtype: 'int32' });
    const model = train(functional({ inputs: codes, outputs: apply(bn(), apply(dense('dense'), apply(new ToFloat({}), codes))) }));
    const before = memory().numTensors;
    expect(await failure(() => foldNorm(model))).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'batch' });
    expect(memory().numTensors).toBe(before);
    const batch = tensor([[1, 2, 3]], [1, 3], 'int32');
    expect((await folded(model, { batch: [batch] })).norms).toEqual(['bn > dense']);
    dispose(batch);
  });

  test('refuses what it cannot work with', async () => {
    const model = sequence(layers.dense({ units: 2, inputShape: [3] }), bn());
    expect(await failure(() => foldNorm(model, { tolerance: -1 }))).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'tolerance' });
    expect(await failure(() => foldNorm(sequential()))).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'model' });
  });
});
