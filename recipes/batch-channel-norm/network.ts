// ResNet-8 on Fashion-MNIST at 14 x 14, trained in batches of 32, 2 or 1, with one norm or another, with and without weight standardization.
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
import { batches } from '@evenkeel/datasets';
import {
  batchChannelNorm,
  batchChannelNormInference,
  batchNorm,
  batchNormInference,
  groupNorm,
  updateMovingStatistics,
  weightStandardize,
  type Statistics,
} from '@evenkeel/norms';
import { CLASSES, loadFashion, SIDE } from '../fashion-mnist/index.ts';
import type { Figures, RunContext } from '../harness/index.ts';
import { accuracy, crossEntropy, pause, step, type Weights } from '../layer-norm/training.ts';

/** A norm, and `+ws` where the convolutions before it have standardized weights. */
export const NORMS = ['bn', 'gn', 'gn+ws', 'bcn+ws'] as const;
export type Norm = (typeof NORMS)[number];

/** Channels of each block; those with more than the one before have stride 2 and a convolution for a shortcut. */
const BLOCKS = [8, 16, 32];
const STEM = 8;
const GROUPS = 4;
const EPSILON = 1e-5;
const IMAGES_SEEN = 5_000;
/** For each image of a batch: 0.05 at 32. */
const LEARNING_RATE = 0.05 / 32;
const MOMENTUM = 0.9;
const WEIGHT_DECAY = 1e-4;
/** How far batch norm's moving statistics move in a step, and how far estimates do after their warm start. */
const RATES = { bn: 0.1, bcn: 0.01 };

/** A convolution and the norm behind it. */
interface Convolution {
  readonly name: string;
  readonly shape: readonly [number, number, number, number];
}

/** In the order in which they are used. */
const CONVOLUTIONS: readonly Convolution[] = [
  { name: 'stem', shape: [3, 3, 1, STEM] },
  ...BLOCKS.flatMap((channels, block): Convolution[] => {
    const inputs = block === 0 ? STEM : BLOCKS[block - 1]!;
    return [
      { name: `${block} first`, shape: [3, 3, inputs, channels] },
      { name: `${block} second`, shape: [3, 3, channels, channels] },
      ...(channels === inputs ? [] : [{ name: `${block} shortcut`, shape: [1, 1, inputs, channels] as const }]),
    ];
  }),
];

/** Kernels (normal, of variance 2 / inputs), the dense layer, and each norm's parameters. */
function makeWeights(norm: Norm, seed: number): Weights {
  const sequence = random(seed).stream('weights');
  const weights: Record<string, ReturnType<typeof variable>> = {};
  const addKernel = (name: string, shape: readonly number[]): void => {
    const inputs = shape.slice(0, -1).reduce((product, length) => product * length, 1);
    const values = sequence.normal(inputs * shape.at(-1)!).map((value) => value * Math.sqrt(2 / inputs));
    weights[`kernel ${name}`] = tidy(() => variable(tensor(values, [...shape])));
  };
  for (const { name, shape } of CONVOLUTIONS) addKernel(name, shape);
  addKernel('dense', [BLOCKS.at(-1)!, CLASSES]);
  weights['bias'] = tidy(() => variable(zeros([CLASSES])));
  for (const { name, shape } of CONVOLUTIONS) {
    const channels = shape[3];
    weights[`gamma ${name}`] = tidy(() => variable(ones([channels])));
    weights[`beta ${name}`] = tidy(() => variable(zeros([channels])));
    if (norm !== 'bcn+ws') continue;
    weights[`channel gamma ${name}`] = tidy(() => variable(ones([GROUPS])));
    weights[`channel beta ${name}`] = tidy(() => variable(zeros([GROUPS])));
  }
  return weights;
}

/** The norm behind the convolution of this name. */
type Normalize = (x: Tensor, name: string) => Tensor;

function logits(images: Tensor, weights: Weights, norm: Norm, normalize: Normalize): Tensor {
  const convolve = (x: Tensor, name: string, stride: number): Tensor => {
    const kernel: Tensor = weights[`kernel ${name}`]!;
    const used = norm.endsWith('+ws') ? weightStandardize(kernel) : kernel;
    return normalize(conv2d(x as Tensor4D, used as Tensor4D, stride, 'same'), name);
  };
  let x = relu(convolve(images, 'stem', 1));
  let inputs = STEM;
  for (const [block, channels] of BLOCKS.entries()) {
    const stride = channels === inputs ? 1 : 2;
    const shortcut = channels === inputs ? x : convolve(x, `${block} shortcut`, stride);
    const inner = relu(convolve(x, `${block} first`, stride));
    x = relu(add(shortcut, convolve(inner, `${block} second`, 1)));
    inputs = channels;
  }
  return add(matMul(mean(x, [1, 2]), weights['kernel dense']!), weights['bias']!);
}

function decay(weights: Weights): Tensor {
  const kernels = Object.entries(weights).filter(([name]) => name.startsWith('kernel'));
  return kernels.map(([, kernel]) => mul(sum(square(kernel)), WEIGHT_DECAY / 2)).reduce((a, b) => add(a, b));
}

/** Running statistics by convolution; none for group norm. */
type State = Record<string, Statistics>;

const tensorsOf = (state: State): Tensor[] => Object.values(state).flatMap(({ mean: mu, variance }) => [mu, variance]);

function startOf(norm: Norm): State {
  if (norm.startsWith('gn')) return {};
  const each = CONVOLUTIONS.map(({ name, shape }) => [name, { mean: zeros([shape[3]]), variance: ones([shape[3]]) }] as const);
  return Object.fromEntries(each);
}

const kept = ({ mean: mu, variance }: Statistics): Statistics => ({ mean: keep(mu), variance: keep(variance) });

/** In training. `found` takes the statistics of after step `at`, where there are any. */
function training(norm: Norm, weights: Weights, state: State, found: State, at: number): Normalize {
  return (x, name) => {
    const [gamma, beta] = [weights[`gamma ${name}`], weights[`beta ${name}`]];
    if (norm === 'gn' || norm === 'gn+ws') return groupNorm(x, gamma, beta, { numGroups: GROUPS, epsilon: EPSILON });
    if (norm === 'bn') {
      const { y, ...batch } = batchNorm(x, gamma, beta, { epsilon: EPSILON });
      const options = { momentum: 1 - RATES.bn, movingVariance: 'unbiased' } as const;
      found[name] = kept(updateMovingStatistics(state[name]!, batch, x.size / batch.mean.size, options));
      return y;
    }
    const { y, ...next } = batchChannelNorm(x, state[name]!, parameters(weights, name), {
      groups: GROUPS,
      epsilon: EPSILON,
      updateRate: Math.max(RATES.bcn, 1 / (at + 1)),
    });
    found[name] = kept(next);
    return y;
  };
}

const parameters = (weights: Weights, name: string) => ({
  gamma: weights[`gamma ${name}`],
  beta: weights[`beta ${name}`],
  channelGamma: weights[`channel gamma ${name}`],
  channelBeta: weights[`channel beta ${name}`],
});

function inference(norm: Norm, weights: Weights, state: State): Normalize {
  if (norm === 'gn' || norm === 'gn+ws') return training(norm, weights, {}, {}, 0);
  return (x, name) => {
    const { mean: mu, variance } = state[name]!;
    if (norm === 'bn') return batchNormInference(x, mu, variance, weights[`gamma ${name}`], weights[`beta ${name}`], { epsilon: EPSILON });
    return batchChannelNormInference(x, state[name]!, parameters(weights, name), { groups: GROUPS, epsilon: EPSILON });
  };
}

function pictures(images: Float32Array, count: number): Tensor {
  return tensor(images, [count, SIDE, SIDE, 1]);
}

/** Trains one network; resolves to its accuracy on held-out pictures in percent. */
export async function runNetwork(norm: Norm, batchSize: number, context: RunContext): Promise<Figures> {
  const { seed, scale } = context;
  const { train, test } = await loadFashion();
  const steps = Math.max(1, Math.round((IMAGES_SEEN * scale) / batchSize));
  const weights = makeWeights(norm, seed);
  const optimizer = optimizers.momentum(LEARNING_RATE, MOMENTUM);
  let state = startOf(norm);
  try {
    for (const batch of batches(train, { batchSize, seed, epochs: Infinity, dropRemainder: true })) {
      optimizer.setLearningRate(((LEARNING_RATE * batchSize) / 2) * (1 + Math.cos((Math.PI * batch.step) / steps)));
      const found: State = {};
      const loss = await step(optimizer, weights, () => {
        const normalize = training(norm, weights, state, found, batch.step);
        const scores = logits(pictures(batch.images, batchSize), weights, norm, normalize);
        return add(crossEntropy(scores, batch.labels), decay(weights)) as Scalar;
      });
      dispose(tensorsOf(state));
      state = found;
      await pause(context, batch.step + 1, steps, loss);
      if (batch.step + 1 === steps) break;
    }
    const normalize = inference(norm, weights, state);
    return { accuracy: await accuracy(() => logits(pictures(test.images, test.count), weights, norm, normalize), test.labels) };
  } finally {
    optimizer.dispose();
    // That forgets the learning rate's tensor, which the class it extends has.
    SGDOptimizer.prototype.dispose.call(optimizer);
    dispose([...Object.values(weights), ...tensorsOf(state)]);
  }
}
