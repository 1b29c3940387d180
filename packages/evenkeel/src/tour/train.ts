// Training, one step at a time: the tour's networks take turns.
import { dispose, losses, tidy, train, type Optimizer, type Scalar, type Variable } from '@tensorflow/tfjs-core';
import { setImmediate } from 'node:timers/promises';
import { throwIfAborted } from '@evenkeel/core';
import { gather, type Batch } from './batches.ts';
import { CLASSES, type Digits } from './digits.ts';
import { logits, makeNetwork, type Network, type Normalize, type Weights } from './network.ts';

const LEARNING_RATE = 1e-3;

/** A network in training. */
export interface Trainee {
  readonly network: Network<Variable>;
  readonly normalize: Normalize;
  readonly optimizer: Optimizer;
  readonly losses: number[];
  /** Milliseconds of each step, its loss read back included. */
  readonly times: number[];
}

export function makeTrainee(weights: Weights, normalize: Normalize): Trainee {
  return { network: makeNetwork(weights), normalize, optimizer: train.adam(LEARNING_RATE), losses: [], times: [] };
}

export function disposeTrainee({ network, optimizer }: Trainee): void {
  optimizer.dispose();
  dispose(network);
}

/** One step of Adam on the mean cross-entropy of a batch. */
export async function step({ network, normalize, optimizer, losses: curve, times }: Trainee, { x, labels }: Batch): Promise<void> {
  const begun = performance.now();
  const loss = (): Scalar => losses.softmaxCrossEntropy(labels, logits(network, x, normalize)) as Scalar;
  const cost = optimizer.minimize(loss, true, Object.values(network))!;
  const [value] = await cost.data();
  times.push(performance.now() - begun);
  curve.push(value!);
  dispose(cost);
}

/** Lets signals and the terminal have their turn, and ends the work if one of them wants so. */
export async function pause(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  throwIfAborted(signal, 'tour');
}

/** Digits that are looked at together when nothing is learned. */
const CHUNK = 1000;

/** Logits of the first `count` digits, [count, 10], row by row. */
export async function predict(
  network: Network,
  normalize: Normalize,
  digits: Digits,
  count: number,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const all = new Float32Array(count * CLASSES);
  for (let from = 0; from < count; from += CHUNK) {
    await pause(signal);
    const numbers = Array.from({ length: Math.min(CHUNK, count - from) }, (_, i) => from + i);
    const { x, labels } = gather(digits, numbers);
    const result = tidy(() => logits(network, x, normalize));
    all.set(await result.data(), from * CLASSES);
    dispose([x, labels, result]);
  }
  return all;
}

/** The share of digits whose largest logit is that of their label. */
export function accuracy(predicted: Float32Array, { labels }: Digits): number {
  const count = predicted.length / CLASSES;
  let right = 0;
  for (let i = 0; i < count; i++) {
    const row = predicted.subarray(i * CLASSES, (i + 1) * CLASSES);
    if (row.indexOf(Math.max(...row)) === labels[i]) right++;
  }
  return right / count;
}
