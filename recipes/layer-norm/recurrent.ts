// Experiment B: an LSTM reads 8x8 digits row by row, with and without layer norm.
import {
  add,
  dispose,
  matMul,
  mul,
  ones,
  sigmoid,
  split,
  tanh,
  tensor1d,
  tensor2d,
  tensor3d,
  tidy,
  train,
  unstack,
  variable,
  zeros,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { random, type Random } from '@evenkeel/core';
import { batches } from '@evenkeel/datasets';
import { loadDigits } from '@evenkeel/datasets/digits';
import { layerNormLSTMStep, type LayerNormLSTMWeights, type LSTMState } from '@evenkeel/norms';
import type { Figures, RunContext } from '../harness/index.ts';
import { accuracy, crossEntropy, pause, step, type Weights } from './training.ts';

export const CELLS = ['lstm', 'layer-norm-lstm'] as const;
export type Cell = (typeof CELLS)[number];

const ROWS = 8;
const UNITS = 32;
const GATES = 4 * UNITS;
const STEPS = 400;
const BATCH_SIZE = 32;
const LEARNING_RATE = 3e-3;
const TRAINING = 1400;
/** The running loss keeps this share of itself. */
const KEPT = 0.95;
const TARGET = 0.5;

/** Uniform within +-sqrt(6 / (inputs + outputs)), after Glorot and Bengio. */
function glorot(sequence: Random, inputs: number, outputs: number): Float32Array {
  const bound = Math.sqrt(6 / (inputs + outputs));
  return sequence.uniform(inputs * outputs).map((value) => (2 * value - 1) * bound);
}

const product = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** A matrix with orthonormal rows: random ones, each made orthogonal to those before it (twice, for the sake of rounding). */
export function orthogonal(sequence: Random, rows: number, columns: number): Float32Array {
  const matrix = sequence.normal(rows * columns);
  const row = (i: number): Float32Array => matrix.subarray(i * columns, (i + 1) * columns);
  for (let i = 0; i < rows; i++) {
    const mine = row(i);
    for (let other = 0; other < 2 * i; other++) {
      const basis = row(other % i);
      const share = product(mine, basis);
      mine.forEach((value, column) => (mine[column] = value - share * basis[column]!));
    }
    const length = Math.sqrt(product(mine, mine));
    mine.forEach((value, column) => (mine[column] = value / length));
  }
  return matrix;
}

/** Gates stand in the order forget, input, output, candidate; the forget gate's bias starts at 1. */
function makeWeights(cell: Cell, seed: number): Weights {
  const sequence = random(seed).stream('weights');
  const weights: Weights = {
    kernel: variable(tensor2d(glorot(sequence, ROWS, GATES), [ROWS, GATES])),
    recurrentKernel: variable(tensor2d(orthogonal(sequence, UNITS, GATES), [UNITS, GATES])),
    bias: variable(tensor1d(Float32Array.from({ length: GATES }, (_, i) => (i < UNITS ? 1 : 0)))),
    outputKernel: variable(tensor2d(glorot(sequence, UNITS, 10), [UNITS, 10])),
    outputBias: variable(zeros([10])),
  };
  if (cell === 'lstm') return weights;
  return {
    ...weights,
    gammaX: variable(ones([GATES])),
    betaX: variable(zeros([GATES])),
    gammaH: variable(ones([GATES])),
    betaH: variable(zeros([GATES])),
    gammaC: variable(ones([UNITS])),
    betaC: variable(zeros([UNITS])),
  };
}

function plainStep(x: Tensor, { h, c }: LSTMState, { kernel, recurrentKernel, bias }: Weights): LSTMState {
  const gates = add(add(matMul(h, recurrentKernel!), matMul(x, kernel!)), bias!);
  const [forget, input, output, candidate] = split(gates, 4, 1) as [Tensor, Tensor, Tensor, Tensor];
  const next = add(mul(sigmoid(forget), c), mul(sigmoid(input), tanh(candidate)));
  return { h: mul(sigmoid(output), tanh(next)), c: next };
}

function logits(images: Float32Array, count: number, cell: Cell, weights: Weights): Tensor {
  let state: LSTMState = { h: zeros([count, UNITS]), c: zeros([count, UNITS]) };
  for (const x of unstack(tensor3d(images, [count, ROWS, ROWS]), 1)) {
    state = cell === 'lstm' ? plainStep(x, state, weights) : layerNormLSTMStep(x, state, weights as unknown as LayerNormLSTMWeights);
  }
  return add(matMul(state.h, weights['outputKernel']!), weights['outputBias']!);
}

/** Trains one network; resolves to the first step at which the running loss was below the target, the last running loss, and test accuracy. */
export async function runRecurrent(cell: Cell, context: RunContext): Promise<Figures> {
  const { seed, scale } = context;
  const data = loadDigits({ limit: TRAINING });
  const test = loadDigits({ offset: TRAINING });
  const total = Math.max(1, Math.round(STEPS * scale));
  // In a tidy: a variable is a copy of the tensor that it starts with.
  const weights = tidy(() => makeWeights(cell, seed));
  const optimizer = train.adam(LEARNING_RATE);
  let running: number | undefined;
  let steps = Infinity;
  try {
    for (const batch of batches(data, { batchSize: BATCH_SIZE, seed, epochs: Infinity, dropRemainder: true })) {
      const loss = await step(optimizer, weights, () => crossEntropy(logits(batch.images, BATCH_SIZE, cell, weights), batch.labels));
      running = running === undefined ? loss : KEPT * running + (1 - KEPT) * loss;
      if (running < TARGET && steps === Infinity) steps = batch.step + 1;
      await pause(context, batch.step + 1, total, running);
      if (batch.step + 1 === total) break;
    }
    return { steps, loss: running!, accuracy: await accuracy(() => logits(test.images, test.count, cell, weights), test.labels) };
  } finally {
    optimizer.dispose();
    dispose(Object.values(weights));
  }
}
