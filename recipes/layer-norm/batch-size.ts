// Experiment A: a perceptron of two hidden layers on MNIST, without norm, with batch norm, and with layer norm, at three batch sizes.
import { add, dispose, keep, matMul, ones, relu, tensor2d, tidy, train, variable, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { random } from '@evenkeel/core';
import { batches, type LabelledImages } from '@evenkeel/datasets';
import { loadMnist } from '@evenkeel/datasets/mnist';
import { batchNorm, batchNormInference, layerNorm, updateMovingStatistics, type Statistics } from '@evenkeel/norms';
import type { Figures, RunContext } from '../harness/index.ts';
import { accuracy, crossEntropy, pause, step, type Weights } from './training.ts';

export const NORMS = ['none', 'batch-norm', 'layer-norm'] as const;
export type Norm = (typeof NORMS)[number];

/** Images seen in training, by batch size. */
export const IMAGES_SEEN = { 128: 25_600, 4: 10_000, 2: 6_000 } as const;
export type BatchSize = keyof typeof IMAGES_SEEN;

const PIXELS = 784;
const HIDDEN = 128;
const WIDTHS = [PIXELS, HIDDEN, HIDDEN, 10];
const LEARNING_RATE = 1e-3;
const EPSILON = 1e-5;

/** Weights of three dense layers (normal, of variance 2 / inputs), and gamma and beta of the two hidden ones where they are normalized. */
function makeWeights(norm: Norm, seed: number): Weights {
  const sequence = random(seed).stream('weights');
  const weights: Record<string, ReturnType<typeof variable>> = {};
  for (let layer = 0; layer < 3; layer++) {
    const [inputs, outputs] = [WIDTHS[layer]!, WIDTHS[layer + 1]!];
    const kernel = sequence.normal(inputs * outputs).map((value) => value * Math.sqrt(2 / inputs));
    weights[`kernel${layer}`] = variable(tensor2d(kernel, [inputs, outputs]));
    weights[`bias${layer}`] = variable(zeros([outputs]));
    if (norm === 'none' || layer === 2) continue;
    weights[`gamma${layer}`] = variable(ones([outputs]));
    weights[`beta${layer}`] = variable(zeros([outputs]));
  }
  return weights;
}

/** Normalizes what enters the activation of a hidden layer. */
type Normalize = (x: Tensor, layer: number) => Tensor;

function logits(x: Tensor, weights: Weights, normalize: Normalize): Tensor {
  let y = x;
  for (let layer = 0; layer < 3; layer++) {
    y = add(matMul(y, weights[`kernel${layer}`]!), weights[`bias${layer}`]!);
    if (layer < 2) y = relu(normalize(y, layer));
  }
  return y;
}

/** Batch norm's running statistics: they are state, which each step of training moves. */
function makeStatistics(): Statistics[] {
  return [0, 1].map(() => ({ mean: zeros([HIDDEN]), variance: ones([HIDDEN]) }));
}

const flat = (statistics: readonly Statistics[]): Tensor[] => statistics.flatMap(({ mean, variance }) => [mean, variance]);

async function testError(test: LabelledImages, weights: Weights, norm: Norm, moving: readonly Statistics[]): Promise<number> {
  const normalize: Normalize = (x, layer) => {
    const [gamma, beta] = [weights[`gamma${layer}`], weights[`beta${layer}`]];
    if (norm === 'layer-norm') return layerNorm(x, gamma, beta, { epsilon: EPSILON });
    if (norm === 'none') return x;
    return batchNormInference(x, moving[layer]!.mean, moving[layer]!.variance, gamma, beta, { epsilon: EPSILON });
  };
  return 100 - (await accuracy(() => logits(tensor2d(test.images, [test.count, PIXELS]), weights, normalize), test.labels));
}

/** Trains one network; resolves to its error on held-out digits in percent, in inference mode. */
export async function runBatchSize(norm: Norm, batchSize: BatchSize, context: RunContext): Promise<Figures> {
  const { seed, scale, signal } = context;
  const data = await loadMnist({ split: 'train', limit: 10_000, signal });
  const test = await loadMnist({ split: 'test', limit: 2_000, signal });
  const steps = Math.max(1, Math.round((IMAGES_SEEN[batchSize] * scale) / batchSize));
  // In a tidy: a variable is a copy of the tensor that it starts with.
  const weights = tidy(() => makeWeights(norm, seed));
  const optimizer = train.adam(LEARNING_RATE);
  let moving = makeStatistics();
  try {
    for (const batch of batches(data, { batchSize, seed, epochs: Infinity, dropRemainder: true })) {
      const found: Statistics[] = [];
      const normalize: Normalize = (x, layer) => {
        const [gamma, beta] = [weights[`gamma${layer}`], weights[`beta${layer}`]];
        if (norm === 'layer-norm') return layerNorm(x, gamma, beta, { epsilon: EPSILON });
        if (norm === 'none') return x;
        const { y, mean, variance } = batchNorm(x, gamma, beta, { epsilon: EPSILON });
        // Kept beyond the step, in which everything else is freed.
        found[layer] = { mean: keep(mean), variance: keep(variance) };
        return y;
      };
      const loss = await step(optimizer, weights, () =>
        crossEntropy(logits(tensor2d(batch.images, [batchSize, PIXELS]), weights, normalize), batch.labels),
      );
      const next = found.map((statistics, layer) => updateMovingStatistics(moving[layer]!, statistics, batchSize));
      if (next.length > 0) {
        dispose(flat([...moving, ...found]));
        moving = next;
      }
      await pause(context, batch.step + 1, steps, loss);
      if (batch.step + 1 === steps) break;
    }
    return { error: await testError(test, weights, norm, moving) };
  } finally {
    optimizer.dispose();
    dispose([...Object.values(weights), ...flat(moving)]);
  }
}
