// A residual network with pre-activation on Fashion-MNIST at 14 x 14, with one layer or another in place of norm and activation.
import {
  add,
  conv2d,
  dispose,
  keep,
  matMul,
  mean,
  mul,
  ones,
  relu,
  SGDOptimizer,
  square,
  sum,
  tensor,
  tidy,
  train as optimizers,
  variable,
  zeros,
  type Scalar,
  type Tensor,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import { random } from '@evenkeel/core';
import { batches, type LabelledImages } from '@evenkeel/datasets';
import {
  batchNorm,
  batchNormInference,
  evoNormB0,
  evoNormB0Inference,
  evoNormS0,
  groupNorm,
  updateMovingStatistics,
  updateMovingVariance,
} from '@evenkeel/norms';
import { CLASSES, loadFashion, SIDE } from '../fashion-mnist/index.ts';
import type { Figures, RunContext } from '../harness/index.ts';
import { accuracy, crossEntropy, pause, step, type Weights } from '../layer-norm/training.ts';

export const LAYERS = ['bn-relu', 'gn-relu', 'evonorm-b0', 'evonorm-s0'] as const;
export type Layer = (typeof LAYERS)[number];
export const BATCH_SIZES = [32, 4] as const;
export type BatchSize = (typeof BATCH_SIZES)[number];

/** Channels of each block; those with more than the one before have stride 2 and a convolution for a shortcut. */
const BLOCKS = [8, 16, 32];
const STEM = 8;
/** Two in each block, and one behind the last. */
const NORMS = [8, 8, 8, 16, 16, 32, 32];
const GROUPS = 4;
const EPSILON = 1e-5;
const IMAGES_SEEN = 5_000;
/** For each image of a batch: 0.05 at 32. */
const LEARNING_RATE = 0.05 / 32;
const MOMENTUM = 0.9;
const WEIGHT_DECAY = 1e-4;
/** The share of moving statistics that is kept. */
const KEPT = 0.9;

/** Kernels (normal, of variance 2 / inputs), the dense layer, and each norm's gamma, beta and, where the layer has one, v. */
function makeWeights(layer: Layer, seed: number): Weights {
  const sequence = random(seed).stream('weights');
  const weights: Record<string, ReturnType<typeof variable>> = {};
  const addKernel = (name: string, shape: number[]): void => {
    const inputs = shape.slice(0, -1).reduce((product, length) => product * length, 1);
    const values = sequence.normal(inputs * shape.at(-1)!).map((value) => value * Math.sqrt(2 / inputs));
    weights[name] = tidy(() => variable(tensor(values, shape)));
  };
  addKernel('kernel stem', [3, 3, 1, STEM]);
  let inputs = STEM;
  for (const [block, channels] of BLOCKS.entries()) {
    addKernel(`kernel ${block} first`, [3, 3, inputs, channels]);
    addKernel(`kernel ${block} second`, [3, 3, channels, channels]);
    if (channels !== inputs) addKernel(`kernel ${block} shortcut`, [1, 1, inputs, channels]);
    inputs = channels;
  }
  addKernel('kernel dense', [inputs, CLASSES]);
  weights['bias'] = tidy(() => variable(zeros([CLASSES])));
  for (const [at, channels] of NORMS.entries()) {
    weights[`gamma ${at}`] = tidy(() => variable(ones([channels])));
    weights[`beta ${at}`] = tidy(() => variable(zeros([channels])));
    if (layer.startsWith('evonorm')) weights[`v ${at}`] = tidy(() => variable(ones([channels])));
  }
  return weights;
}

/** Norm and activation number `at`. */
type Activate = (x: Tensor, at: number) => Tensor;

function logits(images: Tensor, weights: Weights, activate: Activate): Tensor {
  let at = 0;
  const convolve = (x: Tensor, name: string, stride: number): Tensor =>
    conv2d(x as Tensor4D, weights[`kernel ${name}`]! as unknown as Tensor4D, stride, 'same');
  let x = convolve(images, 'stem', 1);
  let inputs = STEM;
  for (const [block, channels] of BLOCKS.entries()) {
    const stride = channels === inputs ? 1 : 2;
    const active = activate(x, at++);
    const shortcut = channels === inputs ? x : convolve(active, `${block} shortcut`, stride);
    const inner = activate(convolve(active, `${block} first`, stride), at++);
    x = add(shortcut, convolve(inner, `${block} second`, 1));
    inputs = channels;
  }
  return add(matMul(mean(activate(x, at), [1, 2]), weights['kernel dense']!), weights['bias']!);
}

function decay(weights: Weights): Tensor {
  const kernels = Object.entries(weights).filter(([name]) => name.startsWith('kernel'));
  return kernels.map(([, kernel]) => mul(sum(square(kernel)), WEIGHT_DECAY / 2)).reduce((a, b) => add(a, b));
}

/** Moving statistics of one norm. EvoNorm-B0 has no mean. */
interface Moving {
  readonly mean?: Tensor;
  readonly variance: Tensor;
}

const tensorsOf = (moving: readonly Moving[]): Tensor[] =>
  moving.flatMap(({ mean: mu, variance }) => (mu === undefined ? [variance] : [mu, variance]));

function startOf(layer: Layer): Moving[] {
  if (layer === 'bn-relu') return NORMS.map((channels) => ({ mean: zeros([channels]), variance: ones([channels]) }));
  return layer === 'evonorm-b0' ? NORMS.map((channels) => ({ variance: ones([channels]) })) : [];
}

/** In training. `found` takes the moving statistics of after the step, where there are any. */
function training(layer: Layer, weights: Weights, moving: readonly Moving[], found: Moving[]): Activate {
  const options = { epsilon: EPSILON };
  return (x, at) => {
    const [gamma, beta, v] = [weights[`gamma ${at}`], weights[`beta ${at}`], weights[`v ${at}`]];
    if (layer === 'gn-relu') return relu(groupNorm(x, gamma, beta, { ...options, numGroups: GROUPS }));
    if (layer === 'evonorm-s0') return evoNormS0(x, gamma, beta, v, { ...options, groups: GROUPS });
    const before = moving[at]!;
    if (layer === 'evonorm-b0') {
      const { y, variance } = evoNormB0(x, gamma, beta, v, options);
      found[at] = { variance: keep(updateMovingVariance(before.variance, variance, x.size / variance.size, { momentum: KEPT })) };
      return y;
    }
    const { y, mean: mu, variance } = batchNorm(x, gamma, beta, options);
    const statistics = { mean: before.mean!, variance: before.variance };
    const next = updateMovingStatistics(statistics, { mean: mu, variance }, x.size / variance.size, { momentum: KEPT });
    found[at] = { mean: keep(next.mean), variance: keep(next.variance) };
    return relu(y);
  };
}

function inference(layer: Layer, weights: Weights, moving: readonly Moving[]): Activate {
  const options = { epsilon: EPSILON };
  if (layer === 'gn-relu' || layer === 'evonorm-s0') return training(layer, weights, [], []);
  return (x, at) => {
    const [gamma, beta, v] = [weights[`gamma ${at}`], weights[`beta ${at}`], weights[`v ${at}`]];
    const { mean: mu, variance } = moving[at]!;
    if (layer === 'evonorm-b0') return evoNormB0Inference(x, variance, gamma, beta, v, options);
    return relu(batchNormInference(x, mu!, variance, gamma, beta, options));
  };
}

function pictures(images: Float32Array, count: number): Tensor {
  return tensor(images, [count, SIDE, SIDE, 1]);
}

function testAccuracy(test: LabelledImages, weights: Weights, activate: Activate): Promise<number> {
  return accuracy(() => logits(pictures(test.images, test.count), weights, activate), test.labels);
}

/** Trains one network; resolves to its accuracy on held-out pictures in percent. */
export async function runNetwork(layer: Layer, batchSize: BatchSize, context: RunContext): Promise<Figures> {
  const { seed, scale } = context;
  const { train, test } = await loadFashion();
  const steps = Math.max(1, Math.round((IMAGES_SEEN * scale) / batchSize));
  const weights = makeWeights(layer, seed);
  const optimizer = optimizers.momentum(LEARNING_RATE, MOMENTUM);
  let moving = startOf(layer);
  try {
    for (const batch of batches(train, { batchSize, seed, epochs: Infinity, dropRemainder: true })) {
      optimizer.setLearningRate(((LEARNING_RATE * batchSize) / 2) * (1 + Math.cos((Math.PI * batch.step) / steps)));
      const found: Moving[] = [];
      const loss = await step(optimizer, weights, () => {
        const activate = training(layer, weights, moving, found);
        return add(crossEntropy(logits(pictures(batch.images, batchSize), weights, activate), batch.labels), decay(weights)) as Scalar;
      });
      dispose(tensorsOf(moving));
      moving = found;
      await pause(context, batch.step + 1, steps, loss);
      if (batch.step + 1 === steps) break;
    }
    return { accuracy: await testAccuracy(test, weights, inference(layer, weights, moving)) };
  } finally {
    optimizer.dispose();
    // That forgets the learning rate's tensor, which the class it extends has.
    SGDOptimizer.prototype.dispose.call(optimizer);
    dispose([...Object.values(weights), ...tensorsOf(moving)]);
  }
}
