// A small convolutional network with batch norm on Fashion-MNIST at 14 x 14, trained once a seed, and seen through several norms after that.
import { setImmediate } from 'node:timers/promises';
import {
  add,
  argMax,
  conv2d,
  dispose,
  keep,
  matMul,
  mean,
  mul,
  ones,
  relu,
  tensor,
  tidy,
  train as optimizers,
  variable,
  zeros,
  type Tensor,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import { random, throwIfAborted } from '@evenkeel/core';
import { batches } from '@evenkeel/datasets';
import {
  batchNorm,
  batchNormInference,
  unMixTNS,
  unMixTNSState,
  updateMovingStatistics,
  type Statistics,
  type UnMixTNSState,
} from '@evenkeel/norms';
import { CLASSES, readFashion, SIDE, type Fashion } from '../fashion-mnist/index.ts';
import type { Figures, RunContext } from '../harness/index.ts';
import { crossEntropy, pause, step } from '../layer-norm/training.ts';
import { SHIFTS, streamOf } from './stream.ts';

const PICTURES = 8_000;
const FILTERS = [16, 32, 64];
const STRIDES = [1, 2, 2];
const EPSILON = 1e-5;
const KEPT = 0.9;
const LEARNING_RATE = 3e-3;
const TRAINING_BATCH = 50;
const EPOCHS = 6;
export const BATCH = 64;
const PAUSE_EVERY = 25;

type Weights = Record<string, Tensor>;

/** Norm number `at`. */
type Norm = (x: Tensor, at: number) => Tensor;

function logits(images: Tensor, weights: Weights, norm: Norm): Tensor {
  let x = images;
  for (const [at, stride] of STRIDES.entries()) {
    x = relu(norm(conv2d(x as Tensor4D, weights[`kernel ${at}`] as Tensor4D, stride, 'same'), at));
  }
  return add(matMul(mean(x, [1, 2]), weights['dense']!), weights['bias']!);
}

const pictures = (images: Float32Array, count: number): Tensor => tensor(images, [count, SIDE, SIDE, 1]);

/** A trained network, off the backend: values and shapes by name, moving statistics included. */
type Stored = ReadonlyMap<string, { readonly values: Float32Array; readonly shape: number[] }>;

/** Kernels are normal, of variance 2 / inputs. */
function startingWeights(seed: number): Record<string, ReturnType<typeof variable>> {
  const sequence = random(seed).stream('weights');
  const weights: Record<string, ReturnType<typeof variable>> = {};
  const normal = (name: string, shape: number[]): void => {
    const inputs = shape.slice(0, -1).reduce((product, length) => product * length, 1);
    const values = sequence.normal(inputs * shape.at(-1)!).map((value) => value * Math.sqrt(2 / inputs));
    weights[name] = tidy(() => variable(tensor(values, shape)));
  };
  for (const [at, filters] of FILTERS.entries()) {
    normal(`kernel ${at}`, [3, 3, at === 0 ? 1 : FILTERS[at - 1]!, filters]);
    weights[`gamma ${at}`] = tidy(() => variable(ones([filters])));
    weights[`beta ${at}`] = tidy(() => variable(zeros([filters])));
  }
  normal('dense', [FILTERS.at(-1)!, CLASSES]);
  weights['bias'] = tidy(() => variable(zeros([CLASSES])));
  return weights;
}

const tensorsOf = (moving: readonly Statistics[]): Tensor[] => moving.flatMap((each) => [each.mean, each.variance]);

async function trainNetwork({ train }: Fashion, context: RunContext): Promise<Stored> {
  const { seed, scale } = context;
  const steps = Math.max(1, Math.round(((EPOCHS * PICTURES) / TRAINING_BATCH) * scale));
  const weights = startingWeights(seed);
  const optimizer = optimizers.adam(LEARNING_RATE);
  let moving: Statistics[] = FILTERS.map((filters) => ({ mean: zeros([filters]), variance: ones([filters]) }));
  try {
    for (const batch of batches(train, { batchSize: TRAINING_BATCH, seed, epochs: Infinity, dropRemainder: true })) {
      const found: Statistics[] = [];
      const norm: Norm = (x, at) => {
        const { y, ...own } = batchNorm(x, weights[`gamma ${at}`], weights[`beta ${at}`], { epsilon: EPSILON });
        const next = updateMovingStatistics(moving[at]!, own, x.size / own.mean.size, { momentum: KEPT });
        found[at] = { mean: keep(next.mean), variance: keep(next.variance) };
        return y;
      };
      const loss = await step(optimizer, weights, () =>
        crossEntropy(logits(pictures(batch.images, batch.size), weights, norm), batch.labels),
      );
      dispose(tensorsOf(moving));
      moving = found;
      await pause(context, batch.step + 1, steps, loss);
      if (batch.step + 1 === steps) break;
    }
    const stored = new Map<string, { values: Float32Array; shape: number[] }>();
    const all: Weights = { ...weights };
    for (const [at, { mean: mu, variance }] of moving.entries()) Object.assign(all, { [`mean ${at}`]: mu, [`variance ${at}`]: variance });
    for (const [name, each] of Object.entries(all)) stored.set(name, { values: (await each.data()) as Float32Array, shape: each.shape });
    return stored;
  } finally {
    optimizer.dispose();
    dispose([...Object.values(weights), ...tensorsOf(moving)]);
  }
}

let fashion: Promise<Fashion> | undefined;
const trained = new Map<string, Stored>();

/** The network of a seed: the same for all arms, so that it is trained once. */
async function networkOf(context: RunContext): Promise<{ data: Fashion; stored: Stored }> {
  const data = await (fashion ??= readFashion(PICTURES, PICTURES));
  const key = `${context.backend} ${context.seed} ${context.scale}`;
  const stored = trained.get(key) ?? (await trainNetwork(data, context));
  trained.set(key, stored);
  return { data, stored };
}

/** How an arm normalizes: made anew for each stream, of the network's weights; `free` frees what it keeps. */
export type MakeNorm = (weights: Weights, seed: number) => { norm: Norm; free(): void };

const affineOf = (weights: Weights, at: number): [Tensor, Tensor] => [weights[`gamma ${at}`]!, weights[`beta ${at}`]!];
const sourceOf = (weights: Weights, at: number): [Tensor, Tensor] => [weights[`mean ${at}`]!, weights[`variance ${at}`]!];
const nothing = (): void => {};

/** The statistics of training. */
export const source: MakeNorm = (weights) => ({
  norm: (x, at) => batchNormInference(x, ...sourceOf(weights, at), ...affineOf(weights, at), { epsilon: EPSILON }),
  free: nothing,
});

/** The batch's own statistics. */
export const ofBatch: MakeNorm = (weights) => ({
  norm: (x, at) => batchNorm(x, ...affineOf(weights, at), { epsilon: EPSILON }).y,
  free: nothing,
});

const blend = (share: number, a: Tensor, b: Tensor): Tensor => add(mul(a, share), mul(b, 1 - share));

/** A share of those of training, and the rest of the batch's. */
export const blended =
  (share: number): MakeNorm =>
  (weights) => ({
    norm: (x, at) => {
      const own = batchNorm(x);
      const [mu, variance] = sourceOf(weights, at);
      return batchNormInference(x, blend(share, mu, own.mean), blend(share, variance, own.variance), ...affineOf(weights, at), {
        epsilon: EPSILON,
      });
    },
    free: nothing,
  });

/** UnMix-TNS; `momentum` is kept. */
export const unmixed =
  (components: number, momentum: number, init: 'random' | 'centered'): MakeNorm =>
  (weights, seed) => {
    const sequence = random(seed).stream('components');
    const states: UnMixTNSState[] = FILTERS.map((_, at) =>
      unMixTNSState(...sourceOf(weights, at), { components, init, seed: sequence.stream(at) }),
    );
    const norm: Norm = (x, at) => {
      const before = states[at]!;
      const options = { epsilon: EPSILON, momentum, batchSize: BATCH };
      const { y, means, variances } = unMixTNS(x, ...affineOf(weights, at), before, options);
      states[at] = { means: keep(means), variances: keep(variances) };
      dispose([before.means, before.variances]);
      return y;
    };
    return { norm, free: () => dispose(states.flatMap(({ means, variances }) => [means, variances])) };
  };

/** Accuracy in percent on each stream, and its mean over those that are shifted. */
export async function runArm(make: MakeNorm, ordered: boolean, context: RunContext): Promise<Figures> {
  const { data, stored } = await networkOf(context);
  const weights = Object.fromEntries(Array.from(stored, ([name, { values, shape }]) => [name, tensor(values, shape)]));
  const count = Math.max(BATCH, BATCH * Math.floor((data.test.count * context.scale) / BATCH));
  const figures: Record<string, number> = {};
  try {
    for (const [i, shift] of SHIFTS.entries()) {
      const { norm, free } = make(weights, context.seed);
      let right = 0;
      try {
        for (const batch of batches(streamOf(data.test, shift, ordered, context.seed), { batchSize: BATCH })) {
          const best = tidy(() => argMax(logits(pictures(batch.images, batch.size), weights, norm), 1));
          const classes = await best.data();
          best.dispose();
          right += batch.labels.filter((label, at) => classes[at] === label).length;
          const seen = batch.step * BATCH + batch.size;
          if (batch.step % PAUSE_EVERY === 0) {
            await setImmediate();
            throwIfAborted(context.signal, 'recipe');
            context.progress(i * count + seen, SHIFTS.length * count);
          }
          if (seen >= count) break;
        }
      } finally {
        free();
      }
      figures[shift] = (100 * right) / count;
    }
  } finally {
    dispose(Object.values(weights));
  }
  const shiftedOnes = SHIFTS.filter((shift) => shift !== 'unshifted').map((shift) => figures[shift]!);
  return { ...figures, shifted: shiftedOnes.reduce((sum, value) => sum + value, 0) / shiftedOnes.length };
}
