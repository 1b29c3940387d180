// A small convolutional network on MNIST at 14 x 14, with one norm or another before each ReLU.
import {
  add,
  conv2d,
  dispose,
  keep,
  matMul,
  mean,
  ones,
  relu,
  SGDOptimizer,
  tensor,
  tidy,
  train,
  variable,
  zeros,
  type Tensor,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import { random } from '@evenkeel/core';
import { batches, type LabelledImages } from '@evenkeel/datasets';
import { loadMnist } from '@evenkeel/datasets/mnist';
import {
  batchNorm,
  batchNormInference,
  l1BatchNorm,
  l1BatchNormInference,
  l1LayerNorm,
  layerNorm,
  updateMovingDeviations,
  updateMovingStatistics,
} from '@evenkeel/norms';
import type { Figures, RunContext } from '../harness/index.ts';
import { accuracy, crossEntropy, pause, step, type Weights } from '../layer-norm/training.ts';

export const NORMS = ['none', 'batch-norm', 'l1-batch-norm', 'layer-norm', 'l1-layer-norm'] as const;
export type Norm = (typeof NORMS)[number];

const SIDE = 14;
/** Output channels, stride and output side of each 3 x 3 convolution. */
const CONVOLUTIONS = [
  { channels: 16, stride: 1, side: SIDE },
  { channels: 32, stride: 2, side: SIDE / 2 },
  { channels: 32, stride: 1, side: SIDE / 2 },
];
const CLASSES = 10;
const BATCH_SIZE = 64;
const EPOCHS = 3;
const TRAINED_ON = 8_000;
const TESTED_ON = 4_000;
const LEARNING_RATE = 0.1;
const MOMENTUM = 0.9;
/** The share of running statistics that is kept. */
const KEPT = 0.9;
const EPSILON = 1e-5;
/** What layer norms are over: positions and channels. */
const SAMPLE = [-3, -2, -1];

/** Running mean and spread (variance or deviation) of a layer's channels. */
interface Statistics {
  readonly mean: Tensor;
  readonly spread: Tensor;
}

/** Pictures at half the size: each pixel is the mean of four. */
function halved({ images, count }: LabelledImages): Float32Array {
  const half = new Float32Array(count * SIDE * SIDE);
  for (let i = 0; i < half.length; i++) {
    const [image, row, column] = [Math.floor(i / (SIDE * SIDE)), Math.floor(i / SIDE) % SIDE, i % SIDE];
    const at = image * 4 * SIDE * SIDE + 2 * row * 2 * SIDE + 2 * column;
    half[i] = (images[at]! + images[at + 1]! + images[at + 2 * SIDE]! + images[at + 2 * SIDE + 1]!) / 4;
  }
  return half;
}

/** Weights of three convolutions and a dense layer (normal, of variance 2 / inputs), and gamma and beta of the norms. */
function makeWeights(norm: Norm, seed: number): Weights {
  const sequence = random(seed).stream('weights');
  const weights: Record<string, ReturnType<typeof variable>> = {};
  const addKernel = (name: string, shape: number[]): void => {
    const inputs = shape.slice(0, -1).reduce((product, length) => product * length, 1);
    const values = sequence.normal(inputs * shape.at(-1)!).map((value) => value * Math.sqrt(2 / inputs));
    weights[name] = tidy(() => variable(tensor(values, shape)));
  };
  let inputs = 1;
  for (const [layer, { channels, side }] of CONVOLUTIONS.entries()) {
    addKernel(`kernel${layer}`, [3, 3, inputs, channels]);
    const affine = norm.endsWith('layer-norm') ? [side, side, channels] : [channels];
    weights[`beta${layer}`] = tidy(() => variable(zeros(affine)));
    if (norm !== 'none') weights[`gamma${layer}`] = tidy(() => variable(ones(affine)));
    inputs = channels;
  }
  addKernel('dense', [inputs, CLASSES]);
  weights['bias'] = tidy(() => variable(zeros([CLASSES])));
  return weights;
}

/** Normalizes what enters the activation of a layer. */
type Normalize = (x: Tensor, layer: number) => Tensor;

function logits(x: Tensor, weights: Weights, normalize: Normalize): Tensor {
  let y = x;
  for (const [layer, { stride }] of CONVOLUTIONS.entries()) {
    y = relu(normalize(conv2d(y as Tensor4D, weights[`kernel${layer}`]! as unknown as Tensor4D, stride, 'same'), layer));
  }
  return add(matMul(mean(y, [1, 2]), weights['dense']!), weights['bias']!);
}

/** What normalizes without a batch, or undefined. */
function statelessNorm(norm: Norm, weights: Weights): Normalize | undefined {
  const affine = (layer: number): [Tensor | undefined, Tensor] => [weights[`gamma${layer}`], weights[`beta${layer}`]!];
  if (norm === 'layer-norm') return (x, layer) => layerNorm(x, ...affine(layer), { axes: SAMPLE, epsilon: EPSILON });
  if (norm === 'l1-layer-norm') return (x, layer) => l1LayerNorm(x, ...affine(layer), { axes: SAMPLE, epsilon: EPSILON });
  return norm === 'none' ? (x, layer) => add(x, affine(layer)[1]) : undefined;
}

/** Batch normalization by the batch; `found` takes its statistics, which outlive the step. */
function byBatch(norm: Norm, weights: Weights, found: Statistics[]): Normalize {
  return (x, layer) => {
    const [gamma, beta] = [weights[`gamma${layer}`], weights[`beta${layer}`]];
    if (norm === 'batch-norm') {
      const { y, mean: mu, variance } = batchNorm(x, gamma, beta, { epsilon: EPSILON });
      found[layer] = { mean: keep(mu), spread: keep(variance) };
      return y;
    }
    const { y, mean: mu, deviation } = l1BatchNorm(x, gamma, beta, { epsilon: EPSILON });
    found[layer] = { mean: keep(mu), spread: keep(deviation) };
    return y;
  };
}

function byMoving(norm: Norm, weights: Weights, moving: readonly Statistics[]): Normalize {
  const infer = norm === 'batch-norm' ? batchNormInference : l1BatchNormInference;
  return (x, layer) =>
    infer(x, moving[layer]!.mean, moving[layer]!.spread, weights[`gamma${layer}`], weights[`beta${layer}`], { epsilon: EPSILON });
}

function moved(norm: Norm, before: Statistics, { mean: mu, spread }: Statistics, n: number): Statistics {
  if (norm === 'batch-norm') {
    const next = updateMovingStatistics({ mean: before.mean, variance: before.spread }, { mean: mu, variance: spread }, n, {
      momentum: KEPT,
    });
    return { mean: next.mean, spread: next.variance };
  }
  const next = updateMovingDeviations({ mean: before.mean, deviation: before.spread }, { mean: mu, deviation: spread }, n, {
    momentum: KEPT,
  });
  return { mean: next.mean, spread: next.deviation };
}

const flat = (statistics: readonly Statistics[]): Tensor[] => statistics.flatMap(({ mean: mu, spread }) => [mu, spread]);

/** Error in percent, in inference mode, a thousand pictures at a time. */
async function testError(test: { images: Float32Array; labels: Int32Array }, weights: Weights, normalize: Normalize): Promise<number> {
  const pixels = SIDE * SIDE;
  const count = test.labels.length;
  const part = 1_000;
  let right = 0;
  for (let at = 0; at < count; at += part) {
    const labels = test.labels.subarray(at, at + part);
    const images = test.images.subarray(at * pixels, (at + labels.length) * pixels);
    right += labels.length * (await accuracy(() => logits(tensor(images, [labels.length, SIDE, SIDE, 1]), weights, normalize), labels));
  }
  return 100 - right / count;
}

/** Trains one network; resolves to its error on held-out digits in percent. */
export async function runNetwork(norm: Norm, context: RunContext): Promise<Figures> {
  const { seed, scale, signal } = context;
  const loaded = await loadMnist({ split: 'train', limit: TRAINED_ON, signal });
  const tests = await loadMnist({ split: 'test', limit: TESTED_ON, signal });
  const data = { ...loaded, images: halved(loaded), height: SIDE, width: SIDE };
  const test = { images: halved(tests), labels: tests.labels };
  const steps = Math.max(1, Math.round(EPOCHS * Math.floor(data.count / BATCH_SIZE) * scale));
  const weights = makeWeights(norm, seed);
  const optimizer = train.momentum(LEARNING_RATE, MOMENTUM);
  const stateless = statelessNorm(norm, weights);
  let moving: Statistics[] = stateless ? [] : CONVOLUTIONS.map(({ channels }) => ({ mean: zeros([channels]), spread: ones([channels]) }));
  try {
    for (const batch of batches(data, { batchSize: BATCH_SIZE, seed, epochs: Infinity, dropRemainder: true })) {
      optimizer.setLearningRate((LEARNING_RATE / 2) * (1 + Math.cos((Math.PI * batch.step) / steps)));
      const found: Statistics[] = [];
      const normalize = stateless ?? byBatch(norm, weights, found);
      const loss = await step(optimizer, weights, () =>
        crossEntropy(logits(tensor(batch.images, [BATCH_SIZE, SIDE, SIDE, 1]), weights, normalize), batch.labels),
      );
      if (found.length > 0) {
        const next = found.map((statistics, layer) => moved(norm, moving[layer]!, statistics, BATCH_SIZE * SIDE * SIDE));
        dispose(flat([...moving, ...found]));
        moving = next;
      }
      await pause(context, batch.step + 1, steps, loss);
      if (batch.step + 1 === steps) break;
    }
    return { error: await testError(test, weights, stateless ?? byMoving(norm, weights, moving)) };
  } finally {
    optimizer.dispose();
    // That forgets the learning rate's tensor, which the class it extends has.
    SGDOptimizer.prototype.dispose.call(optimizer);
    dispose([...Object.values(weights), ...flat(moving)]);
  }
}
