// A perceptron of two hidden layers on MNIST at 14 x 14, in batches of two: where batch norm's statistics are noise.
import {
  add,
  avgPool,
  dispose,
  matMul,
  relu,
  reshape,
  tensor2d,
  tensor4d,
  tidy,
  train,
  variable,
  zeros,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { random } from '@evenkeel/core';
import { batches, type LabelledImages } from '@evenkeel/datasets';
import { loadMnist } from '@evenkeel/datasets/mnist';
import type { Figures, RunContext } from '../harness/index.ts';
import { accuracy, crossEntropy, pause, step, type Weights } from '../layer-norm/training.ts';
import { makeNorm, type Norm, type NormName } from './norms.ts';

const WIDTHS = [196, 64, 64, 10];
const TRAINED_ON = 6_000;
const TESTED_ON = 1_000;
const IMAGES_SEEN = 5_000;
const BATCH_SIZE = 2;
const LEARNING_RATE = 1e-3;
const WARMUP = 100;

/** Pixels of half the size, [count, 196]: each the mean of four. */
async function halved({ images, labels, count, ...others }: LabelledImages): Promise<LabelledImages> {
  const small = tidy(() => reshape(avgPool(tensor4d(images, [count, 28, 28, 1]), 2, 2, 'valid'), [count, WIDTHS[0]!]));
  const pixels = Float32Array.from(await small.data());
  small.dispose();
  return { ...others, images: pixels, labels, count };
}

/** Normal, of variance 2 / inputs. */
function makeWeights(seed: number): Weights {
  const sequence = random(seed).stream('weights');
  const weights: Record<string, ReturnType<typeof variable>> = {};
  for (let layer = 0; layer < 3; layer++) {
    const [inputs, outputs] = [WIDTHS[layer]!, WIDTHS[layer + 1]!];
    const kernel = sequence.normal(inputs * outputs).map((value) => value * Math.sqrt(2 / inputs));
    weights[`kernel${layer}`] = variable(tensor2d(kernel, [inputs, outputs]));
    weights[`bias${layer}`] = variable(zeros([outputs]));
  }
  return weights;
}

function logits(x: Tensor, weights: Weights, norms: readonly Norm[], training: boolean): Tensor {
  let y = x;
  for (let layer = 0; layer < 3; layer++) {
    y = add(matMul(y, weights[`kernel${layer}`]!), weights[`bias${layer}`]!);
    if (layer < 2) y = relu(norms[layer]!.apply(y, training));
  }
  return y;
}

/** Trains one network; resolves to its error on held-out digits in percent, in inference mode. */
export async function runPerceptron(name: NormName, context: RunContext): Promise<Figures> {
  const { seed, scale, signal } = context;
  const data = await halved(await loadMnist({ split: 'train', limit: TRAINED_ON, signal }));
  const test = await halved(await loadMnist({ split: 'test', limit: TESTED_ON, signal }));
  const steps = Math.max(1, Math.round((IMAGES_SEEN * scale) / BATCH_SIZE));
  const weights = tidy(() => makeWeights(seed));
  const norms = WIDTHS.slice(1, 3).map((width) => makeNorm(name, width, WARMUP));
  const parameters = { ...weights };
  for (const [i, { gamma, beta }] of norms.entries()) Object.assign(parameters, { [`gamma${i}`]: gamma, [`beta${i}`]: beta });
  const optimizer = train.adam(LEARNING_RATE);
  try {
    for (const batch of batches(data, { batchSize: BATCH_SIZE, seed, epochs: Infinity, dropRemainder: true })) {
      const x = (): Tensor => tensor2d(batch.images, [BATCH_SIZE, WIDTHS[0]!]);
      const loss = await step(optimizer, parameters, () => crossEntropy(logits(x(), weights, norms, true), batch.labels));
      await pause(context, batch.step + 1, steps, loss);
      if (batch.step + 1 === steps) break;
    }
    const all = (): Tensor => logits(tensor2d(test.images, [test.count, WIDTHS[0]!]), weights, norms, false);
    return { error: 100 - (await accuracy(all, test.labels)) };
  } finally {
    optimizer.dispose();
    dispose(Object.values(weights));
    for (const norm of norms) norm.dispose();
  }
}
