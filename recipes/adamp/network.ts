// Three convolutions with batch norm on Fashion-MNIST at 14 x 14, and how long their kernels grow under each optimizer.
import {
  add,
  conv2d,
  dispose,
  keep,
  matMul,
  mean,
  ones,
  relu,
  tensor,
  tidy,
  variable,
  zeros,
  type Optimizer,
  type Scalar,
  type Tensor,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import { random } from '@evenkeel/core';
import { batches, type LabelledImages } from '@evenkeel/datasets';
import { batchNorm, batchNormInference, updateMovingStatistics } from '@evenkeel/norms';
import { AdamP, AdamW, SGDP, SGDW } from '@evenkeel/optim';
import { CLASSES, readFashion, SIDE, standardize, type Fashion } from '../fashion-mnist/index.ts';
import type { Figures, RunContext } from '../harness/index.ts';
import { accuracy, crossEntropy, pause, step, type Weights } from '../layer-norm/training.ts';

export type Method = 'sgd' | 'sgdp' | 'adam' | 'adamw' | 'adamp';

/** Input and output channels and stride of each convolution. */
export const KERNELS = [
  [1, 16, 1],
  [16, 32, 2],
  [32, 32, 1],
] as const;

const TRAINED_ON = 10_000;
const TESTED_ON = 5_000;
const BATCH_SIZE = 64;
const EPOCHS = 4;
const EPSILON = 1e-5;
/** The share of moving statistics that is kept. */
const KEPT = 0.9;

const OPTIMIZERS: Readonly<Record<Method, () => Optimizer & { learningRate: number }>> = {
  sgd: () => new SGDW({ learningRate: 0.1, momentum: 0.9, weightDecay: 1e-4 / (1 - 0.9) }),
  sgdp: () => new SGDP({ learningRate: 0.1, momentum: 0.9, weightDecay: 1e-4 }),
  adam: () => new AdamW({ learningRate: 0.01, weightDecay: 0 }),
  adamw: () => new AdamW({ learningRate: 0.01, weightDecay: 0.01 }),
  adamp: () => new AdamP({ learningRate: 0.01, weightDecay: 0.01 }),
};

let loaded: Promise<Fashion> | undefined;

/** Reading the pictures takes seconds, so it is done once. */
const load = (): Promise<Fashion> =>
  (loaded ??= readFashion(TRAINED_ON, TESTED_ON).then((sets) => {
    standardize([sets.train.images, sets.test.images], SIDE * SIDE);
    return sets;
  }));

function makeWeights(seed: number): Weights {
  const sequence = random(seed).stream('weights');
  // Uniform in +-1 / sqrt(inputs), as PyTorch has it, on which the rules were set: how much a weight grows depends on how long it was.
  const uniform = (shape: number[], inputs: number): ReturnType<typeof variable> =>
    tidy(() => {
      const values = sequence.uniform(shape.reduce((product, length) => product * length, 1));
      return variable(
        tensor(
          values.map((value) => (2 * value - 1) / Math.sqrt(inputs)),
          shape,
        ),
      );
    });
  const weights: Record<string, ReturnType<typeof variable>> = {};
  for (const [i, [inputs, outputs]] of KERNELS.entries()) {
    weights[`kernel ${i}`] = uniform([3, 3, inputs, outputs], 9 * inputs);
    weights[`gamma ${i}`] = tidy(() => variable(ones([outputs])));
    weights[`beta ${i}`] = tidy(() => variable(zeros([outputs])));
  }
  const width = KERNELS.at(-1)![1];
  weights['dense'] = uniform([width, CLASSES], width);
  weights['bias'] = tidy(() => variable(zeros([CLASSES])));
  return weights;
}

interface Moving {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

const tensorsOf = (moving: readonly Moving[]): Tensor[] => moving.flatMap(({ mean: mu, variance }) => [mu, variance]);

function logits(images: Tensor, weights: Weights, normalize: (x: Tensor, at: number) => Tensor): Tensor {
  let x = images;
  for (const [i, [, , stride]] of KERNELS.entries()) {
    x = relu(normalize(conv2d(x as Tensor4D, weights[`kernel ${i}`]! as unknown as Tensor4D, stride, 'same'), i));
  }
  return add(matMul(mean(x, [1, 2]), weights['dense']!), weights['bias']!);
}

/** Batch norm in training. `found` takes the moving statistics of after the step. */
const training = (weights: Weights, moving: readonly Moving[], found: Moving[]) => (x: Tensor, at: number) => {
  const { y, ...batch } = batchNorm(x, weights[`gamma ${at}`], weights[`beta ${at}`], { epsilon: EPSILON });
  const next = updateMovingStatistics(moving[at]!, batch, x.size / batch.variance.size, { momentum: KEPT });
  found[at] = { mean: keep(next.mean), variance: keep(next.variance) };
  return y;
};

const inference = (weights: Weights, moving: readonly Moving[]) => (x: Tensor, at: number) =>
  batchNormInference(x, moving[at]!.mean, moving[at]!.variance, weights[`gamma ${at}`], weights[`beta ${at}`], { epsilon: EPSILON });

const pictures = ({ images, count }: Pick<LabelledImages, 'images' | 'count'>): Tensor => tensor(images, [count, SIDE, SIDE, 1]);

async function testAccuracy(test: LabelledImages, weights: Weights, moving: readonly Moving[]): Promise<number> {
  return accuracy(() => logits(pictures(test), weights, inference(weights, moving)), test.labels);
}

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((total, value, i) => total + value * b[i]!, 0);
const length = (a: Float32Array): number => Math.sqrt(dot(a, a));

/** The angle between two vectors, by the sine of its half: a cosine near 1 has no digits left. */
export function angle(a: Float32Array, b: Float32Array): number {
  const [lengthA, lengthB] = [length(a), length(b)];
  const squares = a.reduce((total, value, i) => total + (value / lengthA - b[i]! / lengthB) ** 2, 0);
  return 2 * Math.asin(Math.min(1, Math.sqrt(squares) / 2));
}

const valuesOf = async (weights: Weights, at: number): Promise<Float32Array> => Float32Array.from(await weights[`kernel ${at}`]!.data());

/** Trains one network; resolves to its accuracy, how much its kernels grew, and the angular step in the middle of training. */
export async function runNetwork(method: Method, context: RunContext): Promise<Figures> {
  const { seed, scale } = context;
  const { train, test } = await load();
  const steps = Math.max(3, Math.round((TRAINED_ON * EPOCHS * scale) / BATCH_SIZE));
  const weights = makeWeights(seed);
  const optimizer = OPTIMIZERS[method]();
  const rate = optimizer.learningRate;
  let moving: Moving[] = KERNELS.map(([, channels]) => ({ mean: zeros([channels]), variance: ones([channels]) }));
  try {
    const before = await Promise.all(KERNELS.map(async (_, i) => length(await valuesOf(weights, i))));
    const angles: number[] = [];
    for (const batch of batches(train, { batchSize: BATCH_SIZE, seed, epochs: Infinity, dropRemainder: true })) {
      optimizer.learningRate = (rate / 2) * (1 + Math.cos((Math.PI * batch.step) / steps));
      const isMiddle = Math.abs((batch.step + 0.5) / steps - 0.5) <= Math.max(0.05, 0.5 / steps);
      const old = isMiddle ? await valuesOf(weights, 1) : undefined;
      const found: Moving[] = [];
      const loss = await step(optimizer, weights, () => {
        const scores = logits(pictures({ images: batch.images, count: BATCH_SIZE }), weights, training(weights, moving, found));
        return crossEntropy(scores, batch.labels) as Scalar;
      });
      if (old) angles.push(angle(old, await valuesOf(weights, 1)));
      dispose(tensorsOf(moving));
      moving = found;
      await pause(context, batch.step + 1, steps, loss);
      if (batch.step + 1 === steps) break;
    }
    const grown = await Promise.all(KERNELS.map(async (_, i) => length(await valuesOf(weights, i)) / before[i]!));
    return {
      accuracy: await testAccuracy(test, weights, moving),
      ...Object.fromEntries(grown.map((growth, i) => [`growth of kernel ${i + 1}`, growth])),
      'angular step': angles.reduce((total, value) => total + value, 0) / angles.length,
    };
  } finally {
    optimizer.dispose();
    dispose([...Object.values(weights), ...tensorsOf(moving)]);
  }
}
