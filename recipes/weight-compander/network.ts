// A perceptron on few pictures, plain or companded, and what its weights look like afterwards.
import {
  dispose,
  tensor,
  tensor1d,
  tidy,
  variable,
  variableGrads,
  zerosLike,
  type Scalar,
  type Tensor,
  type Variable,
} from '@tensorflow/tfjs-core';
import { initializers, layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { momentumUpdate } from '@evenkeel/backend-wasm';
import { batches, type LabelledImages } from '@evenkeel/datasets';
import { compand, removeCompander } from '@evenkeel/optim/weight-compander';
import { CLASSES, readFashion, SIDE, standardize, type Fashion } from '../fashion-mnist/index.ts';
import type { Figures, RunContext } from '../harness/index.ts';
import { accuracy, crossEntropy, pause } from '../layer-norm/training.ts';

const POOL = 5_000;
const TRAINED_ON = 1_000;
const TESTED_ON = 8_000;
const EPOCHS = 40;
const BATCH_SIZE = 50;
const LEARNING_RATE = 0.05;
const MOMENTUM = 0.9;
const PIXELS = SIDE * SIDE;
const WIDTHS = [256, 256, CLASSES];
const BITS = 3;

export interface Arm {
  readonly decay: number;
  /** Whether kernels are companded. */
  readonly companded: boolean;
}

async function load(): Promise<Fashion> {
  const { train: pool, test } = await readFashion(POOL, TESTED_ON);
  standardize([pool.images, test.images], PIXELS);
  return { train: pool, test };
}

let loaded: Promise<Fashion> | undefined;

const loadPool = (): Promise<Fashion> => (loaded ??= load());

/** Pictures of the pool that the seed draws. */
function draw(pool: LabelledImages, seed: number): LabelledImages {
  for (const { images, labels, size } of batches(pool, { batchSize: TRAINED_ON, seed })) return { ...pool, images, labels, count: size };
  throw new Error('the pool is empty');
}

function network(seed: number): LayersModel {
  const model = sequential();
  WIDTHS.forEach((units, i) => {
    const inputs = WIDTHS[i - 1] ?? PIXELS;
    model.add(
      layers.dense({
        units,
        kernelInitializer: initializers.randomNormal({ stddev: Math.sqrt(2 / inputs), seed: 100 * seed + i }),
        ...(i < WIDTHS.length - 1 && { activation: 'relu' }),
        ...(i === 0 && { inputShape: [PIXELS] }),
      }),
    );
  });
  return model;
}

const pictures = (images: Float32Array): Tensor => tensor(images, [images.length / PIXELS, PIXELS]);

async function fit(model: LayersModel, data: LabelledImages, decay: number, context: RunContext): Promise<void> {
  const { seed, scale } = context;
  const epochs = Math.max(1, Math.round(EPOCHS * scale));
  const total = (epochs * data.count) / BATCH_SIZE;
  const weights = model.trainableWeights.map((weight) => weight.read() as Variable);
  const velocities = weights.map((weight) => tidy(() => variable(zerosLike(weight))));
  try {
    for (const { images, labels, step: done } of batches(data, { batchSize: BATCH_SIZE, seed, epochs })) {
      const learningRate = (LEARNING_RATE / 2) * (1 + Math.cos((Math.PI * done) / total));
      const { value, grads } = tidy(() =>
        variableGrads((): Scalar => crossEntropy(model.apply(pictures(images), { training: true }) as Tensor, labels), weights),
      );
      weights.forEach((weight, i) => {
        const weightDecay = weight.rank > 1 ? decay : 0;
        momentumUpdate(weight, grads[weight.name]!, velocities[i]!, { learningRate, momentum: MOMENTUM, weightDecay });
      });
      const [loss] = await value.data();
      dispose([value, grads]);
      await pause(context, done + 1, total, loss!);
    }
  } finally {
    dispose(velocities);
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The share of weights below a tenth of their deviation, the largest in deviations, and the kurtosis: means of the kernels. */
async function shapes(kernels: readonly Tensor[]): Promise<Figures> {
  const found = await Promise.all(
    kernels.map(async (kernel) => {
      const values = Array.from(await kernel.data());
      const centre = mean(values);
      const deviation = Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
      return {
        near: 100 * mean(values.map((value) => Number(Math.abs(value) < 0.1 * deviation))),
        largest: values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / deviation,
        kurtosis: mean(values.map((value) => ((value - centre) / deviation) ** 4)),
      };
    }),
  );
  return {
    'near zero, percent': mean(found.map(({ near }) => near)),
    'largest, deviations': mean(found.map(({ largest }) => largest)),
    kurtosis: mean(found.map(({ kurtosis }) => kurtosis)),
  };
}

/** A kernel in 2^bits steps from its smallest weight to its largest. */
async function rounded(kernel: Tensor): Promise<Tensor> {
  const values = await kernel.data<'float32'>();
  const [least, most] = values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  const size = (most! - least!) / (2 ** BITS - 1);
  return tensor(
    values.map((value) => least! + Math.round((value - least!) / size) * size),
    kernel.shape,
  );
}

/** Trains a network; resolves to its error on other pictures in percent, its loss there, and figures of its kernels. */
export async function runNetwork({ decay, companded }: Arm, context: RunContext): Promise<Figures> {
  const { train: pool, test } = await loadPool();
  const plain = network(context.seed);
  const model = companded ? compand(plain, { ka: 0.8, kb: 0.4 }).model : plain;
  const inferring: LayersModel[] = [];
  const x = pictures(test.images);
  try {
    await fit(model, draw(pool, context.seed), decay, context);
    const baked = companded ? removeCompander(model) : model;
    if (companded) inferring.push(baked);
    const logits = (): Tensor => baked.predict(x, { batchSize: 1000 }) as Tensor;
    const error = 100 - (await accuracy(logits, test.labels));
    const loss = tidy(() => crossEntropy(logits(), test.labels));
    const [found] = await loss.data();
    loss.dispose();
    const weights = baked.getWeights();
    const figures = await shapes(weights.filter(({ rank }) => rank > 1));
    const coarse = await Promise.all(weights.map((weight) => (weight.rank > 1 ? rounded(weight) : tensor1d([...weight.dataSync()]))));
    baked.setWeights(coarse);
    dispose(coarse);
    const lost = 100 - error - (await accuracy(logits, test.labels));
    return { error, loss: found!, ...figures, [`accuracy lost at ${BITS} bits`]: lost };
  } finally {
    x.dispose();
    for (const each of new Set([plain, model, ...inferring])) each.dispose();
  }
}
