// What both experiments share: seeded weights, one step of training, accuracy.
import { setImmediate } from 'node:timers/promises';
import {
  argMax,
  equal,
  losses,
  mul,
  oneHot,
  sum,
  tensor1d,
  tidy,
  type Optimizer,
  type Scalar,
  type Tensor,
  type Tensor1D,
  type Variable,
} from '@tensorflow/tfjs-core';
import { throwIfAborted } from '@evenkeel/core';
import type { RunContext } from '../harness/index.ts';

const CLASSES = 10;

export type Weights = Readonly<Record<string, Variable>>;

/** Mean cross-entropy of logits [batch, 10]. */
export function crossEntropy(logits: Tensor, labels: Int32Array): Scalar {
  return losses.softmaxCrossEntropy(oneHot(tensor1d(labels, 'int32'), CLASSES), logits) as Scalar;
}

/** Share of the logits' rows whose largest entry is at the label, in percent. */
export async function accuracy(logits: () => Tensor, labels: Int32Array): Promise<number> {
  const right = tidy(() => mul(sum(equal(argMax(logits(), 1), tensor1d(labels, 'int32') as Tensor1D)), 100 / labels.length));
  const [percent] = await right.data();
  right.dispose();
  return percent!;
}

/** Moves the weights against the gradient of the loss; resolves to the loss. */
export async function step(optimizer: Optimizer, weights: Weights, loss: () => Scalar): Promise<number> {
  const value = tidy(() => optimizer.minimize(loss, true, Object.values(weights))!);
  const [found] = await value.data();
  value.dispose();
  return found!;
}

const PAUSE_EVERY = 25;

/** Tells how far a run is, and hears an abort: between steps, and not at each one. */
export async function pause({ signal, progress }: RunContext, done: number, total: number, loss: number): Promise<void> {
  if (done % PAUSE_EVERY !== 0 && done !== total) return;
  await setImmediate();
  throwIfAborted(signal, 'recipe');
  progress(done, total, { loss });
}
