// Residual networks on small digits, of which only a part trains.
import { dispose, tensor, tensor1d, tidy, type Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { batches, type LabelledImages } from '@evenkeel/datasets';
import { loadMnist } from '@evenkeel/datasets/mnist';
import { freeze, gammaSparsity, randomMask, trainBySgd, trainOnly, type LabelledBatch } from '@evenkeel/norms/models';
import { halved, SIDE, standardize } from '../fashion-mnist/index.ts';
import type { Figures, RunContext } from '../harness/index.ts';
import { accuracy, pause } from '../layer-norm/training.ts';
import { cifarResNet } from '../resnet/index.ts';

export const NETWORKS = {
  'resnet-8': { depth: 8, width: 8 },
  'resnet-20': { depth: 20, width: 8 },
  'resnet-8-wide': { depth: 8, width: 16 },
} as const;
export type NetworkName = keyof typeof NETWORKS;

export const PARTS = ['all', 'norms', 'output', 'random'] as const;
export type Part = (typeof PARTS)[number];

const TRAINED_ON = 6_000;
const TESTED_ON = 1_000;
const STEPS = 300;
const BATCH_SIZE = 64;
const LEARNING_RATE = 0.1;
const WEIGHT_DECAY = 1e-4;
const PIXELS = SIDE * SIDE;

interface Digits {
  readonly train: LabelledImages;
  readonly test: LabelledImages;
}

/** Digits of 28 x 28 at half the size. */
function smaller({ images, labels, count, classes }: LabelledImages): LabelledImages {
  const small = new Float32Array(count * PIXELS);
  const full = 4 * PIXELS;
  for (let i = 0; i < count; i++) {
    const picture = Array.from(images.subarray(i * full, (i + 1) * full), (value) => value * 255);
    small.set(halved(picture), i * PIXELS);
  }
  return { images: small, labels, count, shape: [SIDE, SIDE], classes };
}

async function load(): Promise<Digits> {
  const train = smaller(await loadMnist({ split: 'train', limit: TRAINED_ON }));
  const test = smaller(await loadMnist({ split: 'test', limit: TESTED_ON }));
  // One mean and one deviation for all pixels, as they are for all of a channel.
  standardize([train.images, test.images], 1);
  return { train, test };
}

let loaded: Promise<Digits> | undefined;

export const loadDigits = (): Promise<Digits> => (loaded ??= load());

const pictures = (images: Float32Array): Tensor => tensor(images, [images.length / PIXELS, SIDE, SIDE, 1]);

/** Batches without end, in an order that the seed gives. Each is disposed once the next one is asked for. */
function* labelled(data: LabelledImages, seed: number, steps: number): Generator<LabelledBatch> {
  for (const { images, labels, step } of batches(data, { batchSize: BATCH_SIZE, seed, epochs: Infinity, dropRemainder: true })) {
    if (step === steps) return;
    const batch = { x: pictures(images), labels: tensor1d(labels, 'int32') };
    try {
      yield batch;
    } finally {
      dispose([batch.x, batch.labels]);
    }
  }
}

/** A tenth of the rate from 60 % of the steps on, a hundredth from 85 %. */
const rateOf = (step: number, steps: number): number => LEARNING_RATE * (step < 0.6 * steps ? 1 : step < 0.85 * steps ? 0.1 : 0.01);

function testAccuracy(model: LayersModel, { images, labels }: LabelledImages): Promise<number> {
  return accuracy(() => tidy(() => model.predict(pictures(images), { batchSize: 250 }) as Tensor), labels);
}

/** What trains in a network, how many numbers that are, and what is to be freed. */
function limit(model: LayersModel, part: Part, seed: number) {
  if (part === 'random') {
    const masks = randomMask(model, { seed });
    const { restore } = trainOnly(model, masks.has);
    return { masks, trained: masks.count, restore };
  }
  const { counts, restore } = part === 'all' ? freeze(model, {}) : trainOnly(model, part);
  return { trained: counts.trainable, restore };
}

/** Trains a part of a network; resolves to its accuracy on held-out digits in percent, in inference mode, and the share of small gammas. */
export async function runNetwork(name: NetworkName, part: Part, context: RunContext): Promise<Figures> {
  const { seed, scale, signal } = context;
  const { train, test } = await loadDigits();
  const steps = Math.max(1, Math.round(STEPS * scale));
  const model = cifarResNet({ ...NETWORKS[name], inputShape: [SIDE, SIDE, 1], seed });
  const { masks, trained, restore } = limit(model, part, seed);
  try {
    await trainBySgd(model, labelled(train, seed, steps), {
      learningRate: (step) => rateOf(step, steps),
      weightDecay: part === 'random' ? 0 : WEIGHT_DECAY,
      ...(masks && { masks }),
      ...(signal && { signal }),
      onStep: (step, loss) => pause(context, step + 1, steps, loss),
    });
    const [below001, below005] = await gammaSparsity(model, [0.01, 0.05]);
    return {
      accuracy: await testAccuracy(model, test),
      trained,
      'gammas below 0.01, percent': 100 * below001!,
      'gammas below 0.05, percent': 100 * below005!,
    };
  } finally {
    restore();
    masks?.dispose();
    model.dispose();
  }
}
