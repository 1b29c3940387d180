// Whole training steps: a convolutional net, a transformer, an LSTM. Forward, backward and Adam, on data and weights that are the same everywhere.
import {
  add,
  dispose,
  gather,
  losses,
  matMul,
  mean,
  mul,
  oneHot,
  relu,
  reshape,
  rsqrt,
  softmax,
  square,
  sub,
  tensor,
  tidy,
  train,
  transpose,
  variable,
  type Scalar,
  type Tensor,
  type Variable,
} from '@tensorflow/tfjs-core';
import { layers, sequential, type Sequential } from '@tensorflow/tfjs-layers';
import { normal } from '../harness/random.ts';

/** A model on the engine that is set, ready to be trained. */
export interface Training {
  /** One step; the loss before it. */
  step(): Scalar;
  dispose(): void;
}

export interface TrainingStep {
  readonly name: string;
  build(): Training;
}

const size = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);
const data = (shape: number[], seed: number, deviation = 1): Tensor => tensor(normal(size(shape), seed, 0, deviation), shape);
const labels = (count: number, classes: number): Tensor =>
  oneHot(
    tensor(
      Array.from({ length: count }, (_, i) => (i * 7) % classes),
      [count],
      'int32',
    ),
    classes,
  );

/** Adam on these variables; `held` is freed at the end. */
function training(loss: () => Tensor, variables: readonly Variable[], held: readonly Tensor[], free: () => void): Training {
  const optimizer = train.adam(1e-3);
  return {
    step: () => optimizer.minimize(() => loss() as Scalar, true, [...variables])!,
    dispose: () => {
      dispose([...held]);
      optimizer.dispose();
      free();
    },
  };
}

/** A model of layers, its weights drawn by ourselves: tfjs' initializers differ from backend to backend. */
function layered(model: Sequential, x: Tensor, y: Tensor): Training {
  model.setWeights(
    model.getWeights().map((weight, i) => {
      const fanIn = weight.size / weight.shape.at(-1)!;
      return weight.rank > 1 ? data(weight.shape, i + 10, 1 / Math.sqrt(fanIn)) : weight.clone();
    }),
  );
  const loss = (): Tensor => losses.softmaxCrossEntropy(y, model.apply(x, { training: true }) as Tensor);
  const variables = model.trainableWeights.map((weight) => weight.read() as Variable);
  return training(loss, variables, [x, y], () => model.dispose());
}

function cnn(): Training {
  const model = sequential();
  for (const [i, filters] of [16, 32, 64].entries()) {
    const inputShape = i === 0 ? { inputShape: [28, 28, 1] } : {};
    model.add(layers.conv2d({ filters, kernelSize: 3, padding: 'same', useBias: false, ...inputShape }));
    model.add(layers.batchNormalization());
    model.add(layers.activation({ activation: 'relu' }));
    model.add(layers.maxPooling2d({ poolSize: 2 }));
  }
  model.add(layers.flatten());
  model.add(layers.dense({ units: 10 }));
  return layered(model, data([64, 28, 28, 1], 1), labels(64, 10));
}

function lstm(): Training {
  const model = sequential();
  model.add(layers.lstm({ units: 64, inputShape: [32, 32], recurrentInitializer: 'zeros' }));
  model.add(layers.dense({ units: 10 }));
  return layered(model, data([32, 32, 32], 1), labels(32, 10));
}

const BATCH = 16;
const TOKENS = 64;
const WIDTH = 128;
const HEADS = 4;
const VOCABULARY = 256;

/** Layer normalization of tfjs' own ops, as a program that knows nothing of ours has it. */
function layerNorm(x: Tensor, gamma: Tensor, beta: Tensor): Tensor {
  const centred = sub(x, mean(x, -1, true));
  return add(mul(mul(centred, rsqrt(add(mean(square(centred), -1, true), 1e-5))), gamma), beta);
}

function transformer(): Training {
  const variables: Variable[] = [];
  const weight = (shape: number[]): Variable => {
    const made = variable(data(shape, variables.length + 1, 1 / Math.sqrt(shape[0]!)));
    variables.push(made);
    return made;
  };
  const constant = (value: number): Variable => {
    const made = variable(tensor(new Float32Array(WIDTH).fill(value), [WIDTH]));
    variables.push(made);
    return made;
  };
  const blocks = Array.from({ length: 4 }, () => ({
    norms: [constant(1), constant(0), constant(1), constant(0)],
    projections: [0, 1, 2, 3].map(() => weight([WIDTH, WIDTH])),
    up: weight([WIDTH, 4 * WIDTH]),
    down: weight([4 * WIDTH, WIDTH]),
  }));
  const embedding = weight([VOCABULARY, WIDTH]);
  const output = weight([WIDTH, VOCABULARY]);
  const ids = tensor(
    Array.from({ length: BATCH * TOKENS }, (_, i) => (i * i + 3 * i) % VOCABULARY),
    [BATCH * TOKENS],
    'int32',
  );
  const targets = labels(BATCH * TOKENS, VOCABULARY);

  const heads = (x: Tensor, projection: Tensor): Tensor =>
    transpose(reshape(matMul(x, projection), [BATCH, TOKENS, HEADS, WIDTH / HEADS]), [0, 2, 1, 3]);
  const attention = (x: Tensor, [q, k, v, o]: readonly Tensor[]): Tensor => {
    const scores = softmax(mul(matMul(heads(x, q!), heads(x, k!), false, true), Math.sqrt(HEADS / WIDTH)));
    const mixed = reshape(transpose(matMul(scores, heads(x, v!)), [0, 2, 1, 3]), [BATCH * TOKENS, WIDTH]);
    return matMul(mixed, o!);
  };
  const loss = (): Tensor => {
    let x: Tensor = gather(embedding, ids);
    for (const {
      norms: [g1, b1, g2, b2],
      projections,
      up,
      down,
    } of blocks) {
      x = add(x, attention(layerNorm(x, g1!, b1!), projections));
      x = add(x, matMul(relu(matMul(layerNorm(x, g2!, b2!), up)), down));
    }
    return mean(losses.softmaxCrossEntropy(targets, matMul(x, output)));
  };
  return training(loss, variables, [ids, targets], () => dispose(variables));
}

export const trainingSteps: readonly TrainingStep[] = [
  { name: 'CNN: 3 blocks with batch norm, 28x28, batch 64', build: cnn },
  { name: 'transformer: 4 layers, width 128, 64 tokens, batch 16', build: transformer },
  { name: 'LSTM: 64 units, 32 steps, batch 32', build: lstm },
];

/** The losses of the first steps from the start. */
export async function firstLosses({ build }: TrainingStep, count = 2): Promise<Float32Array> {
  const model = build();
  const found = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const loss = tidy(() => model.step());
    found[i] = (await loss.data())[0]!;
    loss.dispose();
  }
  model.dispose();
  return found;
}
