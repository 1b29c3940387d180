import {
  add,
  cast,
  dispose,
  losses as tfjsLosses,
  mul,
  oneHot,
  sub,
  tidy,
  variable as makeVariable,
  variableGrads,
  zerosLike,
  type Scalar,
  type Tensor,
  type Variable,
} from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { EvenkeelError, expect, throwIfAborted } from '@evenkeel/core';
import { maskGradient, type Masks } from './mask.ts';

/** A batch. It is the caller's, who disposes it. */
export interface LabelledBatch {
  readonly x: Tensor;
  /** [batch], integers below the number of classes. */
  readonly labels: Tensor;
}

export interface SgdOptions {
  /** For all steps, or of a step, counted from 0. */
  learningRate: number | ((step: number) => number);
  /** The share of the last direction that is kept. Default 0.9. */
  momentum?: number;
  /** Times the weight, added to its gradient. Default 0. */
  weightDecay?: number;
  /** Which numbers may move; see `randomMask`. Decay and momentum do not move the others either. */
  masks?: Masks;
  signal?: AbortSignal;
  /** Called after each step. */
  onStep?: (step: number, loss: number) => void | Promise<void>;
}

const crossEntropy = (logits: Tensor, labels: Tensor): Scalar =>
  tfjsLosses.softmaxCrossEntropy(oneHot(cast(labels, 'int32'), logits.shape.at(-1)!), logits) as Scalar;

/**
 * Trains what is trainable in a model of logits by stochastic gradient descent, as PyTorch has it: g = gradient + weightDecay w,
 * d = momentum d + g, w = w - learningRate d, on all that trains, gamma and beta included. What is frozen is not touched.
 *
 * @param model - gives logits [batch, classes]
 * @param batches - one a step
 * @returns the losses, mean cross-entropies before each step
 * @throws EvenkeelError NON_FINITE when a loss is NaN or infinite, with the weights as they were before that step; INVALID_ARGUMENT for an
 * option out of range; ABORTED between two steps
 *
 * @example
 * const { restore } = trainOnly(model, 'norms');
 * const losses = await trainBySgd(model, batches, { learningRate: 0.1, weightDecay: 1e-4 });
 * restore();
 */
export async function trainBySgd(
  model: LayersModel,
  batches: Iterable<LabelledBatch> | AsyncIterable<LabelledBatch>,
  { learningRate, momentum = 0.9, weightDecay = 0, masks, signal, onStep }: SgdOptions,
): Promise<number[]> {
  const op = 'trainBySgd';
  expect(momentum >= 0 && momentum < 1, op, 'momentum', 'a number in [0, 1)', momentum);
  expect(Number.isFinite(weightDecay) && weightDecay >= 0, op, 'weightDecay', 'a finite number >= 0', weightDecay);
  const variables = model.trainableWeights.map((weight) => weight.read() as Variable);
  const directions = tidy(() => variables.map((weight) => makeVariable(zerosLike(weight), false)));
  const found: number[] = [];
  try {
    for await (const { x, labels } of batches) {
      throwIfAborted(signal, op);
      const step = found.length;
      const rate = typeof learningRate === 'number' ? learningRate : learningRate(step);
      expect(Number.isFinite(rate), op, 'learningRate', 'a finite number', rate);
      const { value, grads } = variableGrads(() => crossEntropy(model.apply(x, { training: true }) as Tensor, labels), variables);
      const [loss] = await value.data();
      tidy(() => {
        if (!Number.isFinite(loss)) return;
        for (const [i, weight] of variables.entries()) {
          const gradient = grads[weight.name]!;
          const decayed = weightDecay === 0 ? gradient : add(gradient, mul(weight, weightDecay));
          const direction = directions[i]!;
          direction.assign(add(mul(direction, momentum), maskGradient(masks, weight, decayed)));
          weight.assign(sub(weight, mul(direction, rate)));
        }
      });
      dispose([value, ...Object.values(grads)]);
      if (!Number.isFinite(loss)) {
        throw new EvenkeelError('NON_FINITE', `the loss of step ${step} is ${loss}; the weights are those before it`, { op });
      }
      found.push(loss!);
      await onStep?.(step, loss!);
    }
  } finally {
    dispose(directions);
  }
  return found;
}
