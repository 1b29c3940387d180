// Computes the cases of bn-only-training.json. Weights have the authors' names there: bn.weight is bn/gamma, fc.weight is fc/kernel.
import { dispose, tidy, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import type { Adapter, OracleTensor, Value } from '../../../tools/oracles/adapter.ts';
import { toTensor } from '../../../tools/oracles/tensors.ts';
import { BatchNormalization } from '../src/layers.ts';
import { freeze, gammaSparsity, modelWeights, trainBySgd } from '../src/models.ts';
import { cifarResNet, resNet, type Segment } from '../../../recipes/resnet/index.ts';

interface Params {
  models: string[];
  arm: 'bn' | 'bn+output';
  plan: Segment[];
  learningRate: number;
  momentum: number;
  weightDecay: number;
  steps: number;
  bnEpsilon: number;
  bnMomentum: number;
  trainable: string[];
  thresholds: number[];
}

type Entries = Readonly<Record<string, Value>>;
const paramsOf = (params: Entries): Params => params as unknown as Params;
const claims =
  (op: string): Adapter['claims'] =>
  ({ params }) =>
    params['op'] === op;

const vector = (values: number[]): OracleTensor => ({ shape: [values.length], data: Float64Array.from(values) });

async function read(tensor: Tensor): Promise<OracleTensor> {
  return { shape: tensor.shape, data: Float64Array.from(await tensor.data()) };
}

/** Counts of the networks as they are built. */
const counts: Adapter = {
  claims: claims('parameterCounts'),
  run: ({ params }) => {
    const found: Record<string, number[]> = { total: [], batchnorm: [], output: [], shortcut_conv: [], bn_features: [] };
    for (const name of paramsOf(params).models) {
      const [depth, width = 16] = name.replace('cifar_resnet_', '').split('_').map(Number) as [number, number?];
      const model = cifarResNet({ depth, width, inputShape: [32, 32, 3] });
      const { counts: by, restore } = freeze(model, {});
      restore();
      const shortcuts = modelWeights(model).filter(({ name: full }) => full.endsWith('.shortcut.0/kernel'));
      const add = (key: string, value: number): void => void found[key]!.push(value);
      add('total', by.norms + by.output + by.others);
      add('batchnorm', by.norms);
      add('output', by.output);
      add(
        'shortcut_conv',
        shortcuts.reduce((sum, { variable }) => sum + variable.read().size, 0),
      );
      add('bn_features', by.norms / 2);
      model.dispose();
    }
    return Promise.resolve({ outputs: Object.fromEntries(Object.entries(found).map(([key, values]) => [key, vector(values)])) });
  },
};

/** The authors' name of a weight, running statistics included. */
function officialName(layer: string, weight: string): string {
  const names: Record<string, string> = {
    gamma: 'weight',
    kernel: 'weight',
    beta: 'bias',
    moving_mean: 'running_mean',
    moving_variance: 'running_var',
  };
  return `${layer}.${names[weight] ?? weight}`;
}

/** Every weight of a model by the authors' name. */
function weightsOf(model: LayersModel): Map<string, Variable> {
  return new Map(
    model.layers.flatMap((layer) =>
      layer.weights.map((weight) => [officialName(layer.name, weight.originalName.split('/').at(-1)!), weight.read() as Variable] as const),
    ),
  );
}

/** Steps of a part of a network, from weights that are given, and then inference on the last batch. */
const training: Adapter = {
  claims: claims('trainFrozen'),
  run: async ({ params, inputs }) => {
    const { arm, plan, steps, learningRate, momentum, weightDecay, bnEpsilon, bnMomentum, trainable } = paramsOf(params);
    const { shape } = inputs['x_1'] as OracleTensor;
    const normArgs = { epsilon: bnEpsilon, momentum: 1 - bnMomentum, movingVariance: 'unbiased' } as const;
    const model = resNet(plan, { inputShape: shape.slice(1) as [number, number, number], norm: 'batch', normArgs });
    const weights = weightsOf(model);
    for (const [key, value] of Object.entries(inputs)) {
      if (!key.startsWith('init.')) continue;
      const start = toTensor(value);
      weights.get(key.slice('init.'.length))!.assign(start);
      start.dispose();
    }
    const frozen = freeze(model, { others: true, output: arm === 'bn' });
    const trains = [...weights].filter(([, variable]) => frozen.trainable.includes(variable)).map(([name]) => name);
    if (trains.toSorted().join() !== trainable.toSorted().join()) throw new Error(`these train: ${trains.join(', ')}`);
    const batches = Array.from({ length: steps }, (_, i) => ({
      x: toTensor(inputs[`x_${i + 1}`]!),
      labels: toTensor(inputs[`label_${i + 1}`]!),
    }));
    const found = await trainBySgd(model, batches, { learningRate, momentum, weightDecay });
    const logits = tidy(() => model.apply(batches.at(-1)!.x) as Tensor);
    const outputs: Record<string, Value> = { logits_eval: await read(logits) };
    found.forEach((loss, i) => {
      outputs[`loss_${i + 1}`] = { shape: [], data: Float64Array.of(loss) };
    });
    for (const [name, variable] of weights) {
      if (trainable.includes(name) || /running_(mean|var)$/.test(name)) outputs[`final.${name}`] = await read(variable);
    }
    frozen.restore();
    dispose([logits, ...batches.flatMap(({ x, labels }) => [x, labels])]);
    model.dispose();
    return { outputs };
  },
};

const sparsity: Adapter = {
  claims: claims('gammaSparsity'),
  // The file has seven digits of a multiple of 1 / 29.
  compare: { fraction_below: { abs: 1e-6 } },
  run: async ({ params, inputs }) => {
    const gammas = Object.values(inputs) as OracleTensor[];
    // Norms of different widths, which nothing but their gammas is asked of.
    const model = sequential();
    for (const gamma of gammas) {
      const layer = new BatchNormalization();
      layer.build([null, gamma.shape[0]!]);
      const value = toTensor(gamma);
      (layer.weights[0]!.read() as Variable).assign(value);
      value.dispose();
      model.layers.push(layer);
    }
    const fraction = await gammaSparsity(model, paramsOf(params).thresholds);
    for (const layer of model.layers) dispose(layer.weights.map((weight) => weight.read()));
    return { outputs: { fraction_below: vector(fraction) } };
  },
};

export const trainOnlyAdapters: readonly Adapter[] = [counts, training, sparsity];
