// A small causal Transformer that predicts words of the Brown corpus, normalized after each residual, trained on very few tokens a step.
import {
  add,
  dispose,
  losses,
  matMul,
  mul,
  oneHot,
  relu,
  reshape,
  softmax,
  tensor,
  tensor1d,
  tidy,
  train,
  transpose,
  variable,
  zeros,
  type AdamOptimizer,
  type Scalar,
  type Tensor,
  type Tensor2D,
  type Variable,
} from '@tensorflow/tfjs-core';
import { random, type Random } from '@evenkeel/core';
import type { Figures, RunContext } from '../harness/index.ts';
import { pause, step } from '../layer-norm/training.ts';
import { loadBrown } from './brown.ts';
import { made, makeNorm, type Norm, type NormName } from './norms.ts';

const WIDTH = 32;
const HEADS = 2;
const LAYERS = 2;
const HIDDEN = 128;
const WINDOW = 32;
const STEPS = 400;
const WARMUP = 80;
const LEARNING_RATE = 2e-3;
/** From this share of the steps on the rate falls to 0 along a line. */
const DECAY_FROM = 0.7;
/** Windows in one pass of the test. */
const TEST_BATCH = 50;

interface Model {
  readonly weights: Record<string, Variable>;
  readonly norms: readonly Norm[];
}

/** Normal numbers times `scale`. */
function normal(sequence: Random, shape: number[], scale: number): Variable {
  const count = shape.reduce((a, b) => a * b, 1);
  return variable(
    tensor(
      sequence.normal(count).map((value) => value * scale),
      shape,
    ),
  );
}

function makeModel(name: NormName, vocabulary: number, seed: number, warmupSteps: number): Model {
  const sequence = random(seed).stream('weights');
  const weights: Record<string, Variable> = {
    words: normal(sequence, [vocabulary, WIDTH], 0.1),
    positions: normal(sequence, [WINDOW, WIDTH], 0.1),
    head: normal(sequence, [WIDTH, vocabulary], 1 / Math.sqrt(WIDTH)),
    headBias: variable(zeros([vocabulary])),
  };
  for (let layer = 0; layer < LAYERS; layer++) {
    for (const part of ['query', 'key', 'value', 'out'])
      weights[`${part}${layer}`] = normal(sequence, [WIDTH, WIDTH], 1 / Math.sqrt(WIDTH));
    weights[`up${layer}`] = normal(sequence, [WIDTH, HIDDEN], Math.sqrt(2 / WIDTH));
    weights[`upBias${layer}`] = variable(zeros([HIDDEN]));
    weights[`down${layer}`] = normal(sequence, [HIDDEN, WIDTH], 1 / Math.sqrt(HIDDEN));
    weights[`downBias${layer}`] = variable(zeros([WIDTH]));
  }
  return { weights, norms: Array.from({ length: 2 * LAYERS }, () => makeNorm(name, WIDTH, warmupSteps)) };
}

/** -1e9 where a token would look at a later one. */
function laterTokens(): Tensor {
  return tensor(
    Array.from({ length: WINDOW * WINDOW }, (_, i) => (i % WINDOW > Math.floor(i / WINDOW) ? -1e9 : 0)),
    [1, 1, WINDOW, WINDOW],
  );
}

function attention(x: Tensor, weights: Model['weights'], layer: number, later: Tensor): Tensor {
  const heads = (part: string): Tensor => {
    const projected = reshape(matMul(reshape(x, [-1, WIDTH]), weights[`${part}${layer}`]!), [-1, WINDOW, HEADS, WIDTH / HEADS]);
    return transpose(projected, [0, 2, 1, 3]);
  };
  const scores = mul(matMul(heads('query'), heads('key'), false, true), 1 / Math.sqrt(WIDTH / HEADS));
  const mixed = transpose(matMul(softmax(add(scores, later)), heads('value')), [0, 2, 1, 3]);
  return matMul(reshape(mixed, [-1, WIDTH]), weights[`out${layer}`]!);
}

/** Scores of all words, [windows * WINDOW, vocabulary], for the word after each. */
function scores({ weights, norms }: Model, words: Int32Array, vocabulary: number, training: boolean): Tensor {
  const later = laterTokens();
  const windows = words.length / WINDOW;
  const embedded = matMul(oneHot(tensor1d(words, 'int32'), vocabulary) as Tensor2D, weights['words']!);
  let x = reshape(add(reshape(embedded, [windows, WINDOW, WIDTH]), weights['positions']!), [-1, WIDTH]);
  for (let layer = 0; layer < LAYERS; layer++) {
    x = norms[2 * layer]!.apply(add(x, attention(x, weights, layer, later)), training);
    const hidden = relu(add(matMul(x, weights[`up${layer}`]!), weights[`upBias${layer}`]!));
    const fed = add(matMul(hidden, weights[`down${layer}`]!), weights[`downBias${layer}`]!);
    x = norms[2 * layer + 1]!.apply(add(x, fed), training);
  }
  return add(matMul(x, weights['head']!), weights['headBias']!);
}

function crossEntropy(model: Model, words: Int32Array, next: Int32Array, vocabulary: number, training: boolean): Scalar {
  return losses.softmaxCrossEntropy(oneHot(tensor1d(next, 'int32'), vocabulary), scores(model, words, vocabulary, training)) as Scalar;
}

/** Windows that begin at these places, and what follows each of their words. */
function windowsAt(tokens: Int32Array, places: Iterable<number>): { words: Int32Array; next: Int32Array } {
  const starts = [...places];
  const gather = (shift: number): Int32Array =>
    Int32Array.from({ length: starts.length * WINDOW }, (_, i) => tokens[starts[Math.floor(i / WINDOW)]! + (i % WINDOW) + shift]!);
  return { words: gather(0), next: gather(1) };
}

async function perplexity(model: Model, test: Int32Array, vocabulary: number): Promise<number> {
  const starts = Array.from({ length: Math.floor((test.length - 1) / WINDOW) }, (_, i) => i * WINDOW);
  let sum = 0;
  for (let i = 0; i < starts.length; i += TEST_BATCH) {
    const batch = starts.slice(i, i + TEST_BATCH);
    const { words, next } = windowsAt(test, batch);
    const loss = tidy(() => crossEntropy(model, words, next, vocabulary, false));
    sum += (await loss.data())[0]! * batch.length;
    loss.dispose();
  }
  return Math.exp(sum / starts.length);
}

/** The share of the full learning rate at a step: up along a line, flat, down along a line. */
function rate(done: number, steps: number, warmup: number): number {
  return Math.min(1, (done + 1) / warmup, (steps - done) / (steps * (1 - DECAY_FROM)));
}

/** Trains one model on `windows` windows of 32 words a step; resolves to its perplexity on held-out text, in inference mode. */
export async function runLanguageModel(name: NormName, windows: number, context: RunContext): Promise<Figures> {
  const { seed, scale } = context;
  const { vocabulary, train: text, test } = await loadBrown();
  const steps = Math.max(2, Math.round(STEPS * scale));
  const warmup = Math.max(1, Math.round(WARMUP * scale));
  const model = made(() => makeModel(name, vocabulary, seed, warmup));
  const parameters = { ...model.weights };
  for (const [i, { gamma, beta }] of model.norms.entries()) Object.assign(parameters, { [`gamma${i}`]: gamma, [`beta${i}`]: beta });
  const optimizer: AdamOptimizer = train.adam(LEARNING_RATE);
  const places = random(seed).stream('windows');
  try {
    for (let done = 0; done < steps; done++) {
      const { words, next } = windowsAt(text, places.integers(windows, text.length - WINDOW));
      Object.assign(optimizer, { learningRate: LEARNING_RATE * rate(done, steps, warmup) });
      const loss = await step(optimizer, parameters, () => crossEntropy(model, words, next, vocabulary, true));
      await pause(context, done + 1, steps, loss);
    }
    return { perplexity: await perplexity(model, test, vocabulary) };
  } finally {
    optimizer.dispose();
    dispose(Object.values(model.weights));
    for (const norm of model.norms) norm.dispose();
  }
}
