// A classifier of clean pictures, tested on pictures with a hole: with instance normalization over all pixels, or by region, of the same weights.
import {
  add,
  conv2d,
  dispose,
  matMul,
  mul,
  ones,
  relu,
  reshape,
  tensor,
  tidy,
  train as optimizers,
  variable,
  zeros,
  type Scalar,
  type Tensor,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import { random, type Random } from '@evenkeel/core';
import { batches, type LabelledImages } from '@evenkeel/datasets';
import { instanceNorm, regionNormalize, resizeMask } from '@evenkeel/norms';
import { CLASSES, readFashion, SIDE, type Fashion } from '../fashion-mnist/index.ts';
import type { Figures, RunContext } from '../harness/index.ts';
import { accuracy, crossEntropy, pause, step, type Weights } from '../layer-norm/training.ts';
import { below } from './pictures.ts';

export const SIDES = [4, 6, 8] as const;
const CHANNELS = [8, 16, 16];
const STRIDES = [1, 2, 1];
const STEPS = 250;
const BATCH = 32;
const LEARNING_RATE = 3e-3;
const PIXELS = SIDE * SIDE;
const FEATURES = CHANNELS[2]! * (SIDE / 2) ** 2;
/** Pixels at least so far from the hole see nothing of it through the first convolution. */
const FAR = 2;

let loaded: Promise<Fashion> | undefined;
const load = (): Promise<Fashion> => (loaded ??= readFashion(4_000, 1_000));

function makeWeights(seed: number): Weights {
  const sequence = random(seed).stream('weights');
  const weights: Record<string, ReturnType<typeof variable>> = {};
  const kernel = (name: string, shape: number[]): void => {
    const inputs = shape.slice(0, -1).reduce((product, length) => product * length, 1);
    const values = sequence.normal(inputs * shape.at(-1)!).map((value) => value * Math.sqrt(2 / inputs));
    weights[name] = tidy(() => variable(tensor(values, shape)));
  };
  let inputs = 1;
  for (const [at, channels] of CHANNELS.entries()) {
    kernel(`kernel ${at}`, [3, 3, inputs, channels]);
    weights[`gamma ${at}`] = tidy(() => variable(ones([channels])));
    weights[`beta ${at}`] = tidy(() => variable(zeros([channels])));
    inputs = channels;
  }
  kernel('dense', [FEATURES, CLASSES]);
  weights['bias'] = tidy(() => variable(zeros([CLASSES])));
  return weights;
}

/** The first layer's normalized features, and the logits. With a mask, by region. */
function run(images: Tensor, weights: Weights, mask?: Tensor): { first: Tensor; logits: Tensor } {
  let x = images;
  let first: Tensor | undefined;
  for (const [at, stride] of STRIDES.entries()) {
    x = conv2d(x as Tensor4D, weights[`kernel ${at}`]! as unknown as Tensor4D, stride, 'same');
    const [gamma, beta] = [weights[`gamma ${at}`]!, weights[`beta ${at}`]!];
    if (mask === undefined) x = instanceNorm(x, gamma, beta);
    else {
      const own = resizeMask(mask, [x.shape[1]!, x.shape[2]!]);
      x = add(mul(regionNormalize(x, own, { statistics: 'instance' }), gamma), beta);
    }
    first ??= x;
    x = relu(x);
  }
  return { first: first!, logits: add(matMul(reshape(x, [-1, FEATURES]) as never, weights['dense']! as never), weights['bias']!) };
}

interface Holed {
  readonly images: Float32Array;
  readonly masks: Float32Array;
  /** 1 where a pixel is far from the hole. */
  readonly far: Float32Array;
}

/** Pictures with a square hole somewhere, filled with the picture's largest value. */
function holed({ images, count }: LabelledImages, side: number, numbers: Random): Holed {
  const filled = images.slice();
  const masks = new Float32Array(count * PIXELS);
  const far = new Float32Array(count * PIXELS);
  for (let i = 0; i < count; i++) {
    const most = images.subarray(i * PIXELS, (i + 1) * PIXELS).reduce((a, b) => Math.max(a, b));
    const [left, top] = [below(numbers, SIDE - side + 1), below(numbers, SIDE - side + 1)];
    for (let p = 0; p < PIXELS; p++) {
      const [x, y] = [p % SIDE, Math.floor(p / SIDE)];
      const distance = Math.max(left - x, x - (left + side - 1), top - y, y - (top + side - 1));
      if (distance <= 0) {
        filled[i * PIXELS + p] = most;
        masks[i * PIXELS + p] = 1;
      }
      if (distance >= FAR) far[i * PIXELS + p] = 1;
    }
  }
  return { images: filled, masks, far };
}

const tensorOf = (values: Float32Array): Tensor => tensor(values, [values.length / PIXELS, SIDE, SIDE, 1]);

/** Root mean square of the change of the first features on far pixels. */
async function featureShift(test: LabelledImages, { images, masks, far }: Holed, weights: Weights, byRegion: boolean): Promise<number> {
  const features = (values: Float32Array, mask?: Float32Array): Tensor =>
    tidy(() => run(tensorOf(values), weights, mask && tensorOf(mask)).first);
  const [before, after] = [features(test.images), features(images, byRegion ? masks : undefined)];
  const [a, b] = [await before.data(), await after.data()];
  dispose([before, after]);
  let [squares, count] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    if (far[Math.floor(i / CHANNELS[0]!)] === 0) continue;
    squares += (a[i]! - b[i]!) ** 2;
    count++;
  }
  return Math.sqrt(squares / count);
}

/** Trains on clean pictures, with instance normalization; tests on pictures with holes. */
export async function classify(byRegion: boolean, context: RunContext): Promise<Figures> {
  const { seed, scale } = context;
  const { train, test } = await load();
  const steps = Math.max(1, Math.round(STEPS * scale));
  const weights = makeWeights(seed);
  const optimizer = optimizers.adam(LEARNING_RATE);
  try {
    for (const batch of batches(train, { batchSize: BATCH, seed, epochs: Infinity, dropRemainder: true })) {
      const loss = await step(optimizer, weights, () => crossEntropy(run(tensorOf(batch.images), weights).logits, batch.labels) as Scalar);
      await pause(context, batch.step + 1, steps, loss);
      if (batch.step + 1 === steps) break;
    }
    const figures: Record<string, number> = {
      'accuracy without hole': await accuracy(() => run(tensorOf(test.images), weights).logits, test.labels),
    };
    for (const side of SIDES) {
      const pictures = holed(test, side, random(seed).stream(`holes ${side}`));
      const mask = (): Tensor | undefined => (byRegion ? tensorOf(pictures.masks) : undefined);
      figures[`accuracy at ${side}`] = await accuracy(() => run(tensorOf(pictures.images), weights, mask()).logits, test.labels);
      if (side === 6) figures['feature shift'] = await featureShift(test, pictures, weights, byRegion);
    }
    return figures;
  } finally {
    optimizer.dispose();
    dispose(Object.values(weights));
  }
}
