// Models of every common kind of layer, and what they learn in 20 steps.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@evenkeel/core/register-gradients';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { expect } from 'vitest';

const STEPS = 20;
/** Of a loss, relative: other orders of rounding, as 20 steps of Adam let them grow. */
const TOLERANCE = 1e-3;

/** Reproducible numbers in -1/2 .. 1/2. */
function numbers(shape: readonly (number | null)[], seed: number): Float32Array {
  let state = seed;
  const next = (): number => (state = (state * 16807) % 2147483647) / 2147483647 - 0.5;
  for (let i = 0; i < 5; i++) next();
  return Float32Array.from({ length: tf.util.sizeFromShape(shape as number[]) }, next);
}

type Layer = layers.Layer;
type Loss = 'meanSquaredError' | 'categoricalCrossentropy';

export interface Model {
  name: string;
  input: number[];
  layers: () => Layer[];
  loss?: Loss;
  /** Inputs are whole numbers below this. */
  vocabulary?: number;
}

const batch = 4;
const same = 'same' as const;
/** The usual one, orthogonal, calls methods that tensors of tfjs-core alone do not have; the weights are replaced anyway. */
const recurrentInitializer = 'glorotUniform' as const;

export const models: readonly Model[] = [
  { name: 'Dense', input: [6], layers: () => [layers.dense({ units: 9, activation: 'relu' }), layers.dense({ units: 3 })] },
  {
    name: 'Dense with softmax and cross-entropy',
    input: [6],
    layers: () => [layers.dense({ units: 9, activation: 'tanh' }), layers.dense({ units: 3, activation: 'softmax' })],
    loss: 'categoricalCrossentropy',
  },
  {
    name: 'every activation',
    input: [5],
    layers: () => [
      ...(['elu', 'selu', 'softplus', 'softsign', 'sigmoid', 'hardSigmoid', 'swish', 'relu6', 'gelu'] as const).map((activation) =>
        layers.dense({ units: 7, activation }),
      ),
      layers.leakyReLU(),
      layers.prelu(),
      layers.dense({ units: 2 }),
    ],
  },
  {
    name: 'Conv1D',
    input: [10, 3],
    layers: () => [
      layers.conv1d({ filters: 5, kernelSize: 3, padding: same, activation: 'relu' }),
      layers.maxPooling1d({ poolSize: 2 }),
      layers.conv1d({ filters: 4, kernelSize: 2, strides: 2 }),
      layers.globalAveragePooling1d(),
    ],
  },
  {
    name: 'Conv2D',
    input: [9, 8, 3],
    layers: () => [
      layers.conv2d({ filters: 6, kernelSize: 3, strides: 2, padding: same, activation: 'relu' }),
      layers.conv2d({ filters: 5, kernelSize: 1 }),
      layers.flatten(),
      layers.dense({ units: 3 }),
    ],
  },
  {
    name: 'DepthwiseConv2D',
    input: [7, 7, 3],
    layers: () => [
      layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: same, activation: 'relu' }),
      layers.depthwiseConv2d({ kernelSize: 3, strides: 2 }),
      layers.globalMaxPooling2d({}),
    ],
  },
  {
    name: 'SeparableConv2D',
    input: [7, 6, 3],
    layers: () => [
      layers.separableConv2d({ filters: 5, kernelSize: 3, padding: same, activation: 'relu' }),
      layers.separableConv2d({ filters: 4, kernelSize: 2 }),
      layers.globalAveragePooling2d({}),
    ],
  },
  {
    name: 'Conv2DTranspose',
    input: [4, 5, 3],
    layers: () => [
      layers.conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2, padding: same, activation: 'relu' }),
      layers.conv2d({ filters: 2, kernelSize: 2, strides: 2 }),
      layers.flatten(),
      layers.dense({ units: 2 }),
    ],
  },
  {
    name: 'Conv3D and pooling',
    input: [5, 6, 4, 2],
    layers: () => [
      layers.conv3d({ filters: 3, kernelSize: 2, activation: 'tanh' }),
      layers.maxPooling3d({ poolSize: 2, strides: 1 }),
      layers.averagePooling3d({ poolSize: [2, 2, 1], strides: 1 }),
      layers.flatten(),
      layers.dense({ units: 2 }),
    ],
  },
  {
    name: 'BatchNormalization',
    input: [6, 6, 3],
    layers: () => [
      layers.conv2d({ filters: 4, kernelSize: 3, useBias: false }),
      layers.batchNormalization(),
      layers.reLU(),
      layers.flatten(),
      layers.batchNormalization(),
      layers.dense({ units: 2 }),
    ],
  },
  {
    name: 'LayerNormalization',
    input: [5, 6],
    layers: () => [
      layers.layerNormalization(),
      layers.dense({ units: 4, activation: 'relu' }),
      layers.layerNormalization(),
      layers.flatten(),
      layers.dense({ units: 2 }),
    ],
  },
  {
    name: 'Embedding',
    input: [5],
    vocabulary: 11,
    layers: () => [layers.embedding({ inputDim: 11, outputDim: 6 }), layers.flatten(), layers.dense({ units: 3 })],
  },
  {
    name: 'LSTM',
    input: [5, 4],
    layers: () => [
      layers.lstm({ units: 6, returnSequences: true, recurrentInitializer }),
      layers.lstm({ units: 3, recurrentActivation: 'sigmoid', recurrentInitializer }),
    ],
  },
  {
    name: 'GRU',
    input: [5, 4],
    layers: () => [layers.gru({ units: 6, returnSequences: true, recurrentInitializer }), layers.gru({ units: 3, recurrentInitializer })],
  },
  {
    name: 'SimpleRNN, both directions',
    input: [5, 4],
    layers: () => [
      layers.bidirectional({ layer: layers.simpleRNN({ units: 4, recurrentInitializer }), mergeMode: 'concat' }),
      layers.dense({ units: 2 }),
    ],
  },
  {
    name: 'a convolutional LSTM',
    input: [3, 5, 5, 2],
    layers: () => [
      layers.convLstm2d({ filters: 3, kernelSize: 2, padding: same, recurrentInitializer }),
      layers.flatten(),
      layers.dense({ units: 2 }),
    ],
  },
  {
    name: 'pooling of all kinds',
    input: [9, 9, 3],
    layers: () => [
      layers.maxPooling2d({ poolSize: 2, strides: 1, padding: same }),
      layers.conv2d({ filters: 4, kernelSize: 2 }),
      layers.averagePooling2d({ poolSize: 3, strides: 2, padding: same }),
      layers.maxPooling2d({ poolSize: [2, 1] }),
      layers.globalAveragePooling2d({}),
    ],
  },
  {
    name: 'dropout, padding, cropping, repeating',
    input: [4, 4, 3],
    layers: () => [
      layers.zeroPadding2d({ padding: 1 }),
      layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu' }),
      layers.cropping2D({ cropping: 1 }),
      layers.dropout({ rate: 0.3, seed: 7 }),
      layers.flatten(),
      layers.repeatVector({ n: 2 }),
      layers.permute({ dims: [2, 1] }),
      layers.timeDistributed({ layer: layers.dense({ units: 2 }) }),
      layers.reshape({ targetShape: [-1] }),
      layers.dense({ units: 2 }),
    ],
  },
];

export interface Course {
  losses: number[];
  /** Buffers after the second step and after the last. */
  dataIds: [number, number];
}

export async function train({ name, input, layers: make, loss = 'meanSquaredError', vocabulary }: Model, backend: string): Promise<Course> {
  await tf.setBackend(backend);
  const model = sequential();
  make().forEach((layer, i) => {
    // The batch's size is part of the first layer's configuration.
    if (i === 0) layer.batchInputShape = [batch, ...input];
    model.add(layer);
  });
  model.compile({ optimizer: tf.train.adam(0.01), loss });
  model.setWeights(
    model.getWeights().map((weight, i) => {
      const values = numbers(weight.shape, 17 + i);
      // A variance is positive.
      return tf.tensor(name === 'BatchNormalization' ? values.map(Math.abs) : values, weight.shape);
    }),
  );
  const values = numbers([batch, ...input], 5);
  const x = tf.tensor(vocabulary ? values.map((value) => Math.floor((value + 0.5) * vocabulary)) : values, [batch, ...input]);
  const shape = model.outputShape as number[];
  const targets = numbers([batch, ...shape.slice(1)], 6);
  const y =
    loss === 'categoricalCrossentropy' ? tf.oneHot(tf.tensor1d([0, 2, 1, 1], 'int32'), 3) : tf.tensor(targets, [batch, ...shape.slice(1)]);
  const losses: number[] = [];
  let dataIds = 0;
  for (let step = 0; step < STEPS; step++) {
    losses.push((await model.trainOnBatch(x, y)) as number);
    if (step === 1) dataIds = tf.backend().numDataIds();
  }
  const after = tf.backend().numDataIds();
  model.dispose();
  tf.dispose([x, y]);
  return { losses, dataIds: [dataIds, after] };
}

/** Attention of two heads, written with einsum, trained by tfjs' own optimizer. */
export async function trainAttention(backend: string): Promise<Course> {
  await tf.setBackend(backend);
  const [batches, tokens, width, heads, depth] = [3, 5, 8, 2, 4];
  const variable = (shape: number[], seed: number): tf.Variable => tf.variable(tf.tensor(numbers(shape, seed), shape));
  const [q, k, v] = [1, 2, 3].map((seed) => variable([width, heads, depth], seed)) as [tf.Variable, tf.Variable, tf.Variable];
  const out = variable([heads, depth, width], 4);
  const table = variable([7, width], 5);
  const ids = tf.tensor2d(
    numbers([batches, tokens], 6).map((value) => Math.floor((value + 0.5) * 7)),
    [batches, tokens],
    'int32',
  );
  const target = tf.tensor(numbers([batches, tokens, width], 7), [batches, tokens, width]);
  const optimizer = tf.train.adam(0.01);
  const loss = (): tf.Scalar => {
    const x = tf.gather(table, ids);
    const project = (weights: tf.Tensor): tf.Tensor => tf.einsum('btd,dhk->bthk', x, weights);
    const scores = tf.div(tf.einsum('bqhk,bthk->bhqt', project(q), project(k)), Math.sqrt(depth));
    const mixed = tf.einsum('bhqt,bthk->bqhk', tf.softmax(scores), project(v));
    return tf.losses.meanSquaredError(target, tf.add(x, tf.einsum('bqhk,hkd->bqd', mixed, out)));
  };
  const losses: number[] = [];
  let dataIds = 0;
  for (let step = 0; step < STEPS; step++) {
    const value = optimizer.minimize(loss, true)!;
    losses.push((await value.data())[0]!);
    value.dispose();
    if (step === 1) dataIds = tf.backend().numDataIds();
  }
  const after = tf.backend().numDataIds();
  optimizer.dispose();
  tf.dispose([q, k, v, out, table, ids, target]);
  return { losses, dataIds: [dataIds, after] };
}

const onCpu = new Map<string, Promise<Course>>();

/** Checks that `run` learns on 'wasm' what it learns on 'cpu': the same losses, and no buffer more from step to step. */
export async function compare(name: string, run: (backend: string) => Promise<Course>): Promise<void> {
  const ours = await run('wasm');
  if (!onCpu.has(name)) onCpu.set(name, run('cpu'));
  const { losses } = await onCpu.get(name)!;
  // It learns, so that there is something to compare.
  expect(losses.at(-1)!).toBeLessThan(0.97 * losses[0]!);
  ours.losses.forEach((value, step) => expect(Math.abs(value - losses[step]!) / losses[step]!, `step ${step}`).toBeLessThan(TOLERANCE));
  expect(ours.dataIds[1]).toBe(ours.dataIds[0]);
}
