// The smallest scale-invariant problem: the cosine between a vector and a target.
import { div, mul, neg, norm, sum, tensor, tidy, variable, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { random } from '@evenkeel/core';
import { SGDP, SGDW } from '@evenkeel/optim';
import type { Figures, RunContext } from '../harness/index.ts';
import { pause, step } from '../layer-norm/training.ts';

const DIMENSIONS = 1024;
const STEPS = 300;
const LEARNING_RATE = 0.1;
const MOMENTUM = 0.9;

/** A random column of length 1. */
function direction(seed: number, stream: string): Tensor {
  return tidy(() => {
    const column = tensor(random(seed).stream(stream).normal(DIMENSIONS), [DIMENSIONS, 1]);
    return div(column, norm(column));
  });
}

/** Turns a vector to its target; resolves to how much its squared norm grew, and the loss at the end. */
export async function runSphere(method: 'sgd' | 'sgdp', context: RunContext): Promise<Figures> {
  const steps = Math.max(1, Math.round(STEPS * context.scale));
  const target = direction(context.seed, 'target');
  const weight = tidy(() => variable(direction(context.seed, 'weights')));
  const options = { learningRate: LEARNING_RATE, momentum: MOMENTUM };
  // With so large a delta every angle counts as right.
  const optimizer = method === 'sgd' ? new SGDW(options) : new SGDP({ ...options, delta: 1e6 });
  const loss = (): Scalar => neg(div(sum(mul(weight, target)), norm(weight))) as Scalar;
  try {
    for (let t = 1; t <= steps; t++) await pause(context, t, steps, await step(optimizer, { weight }, loss));
    const reached = tidy(loss);
    const [last] = await reached.data();
    reached.dispose();
    const squares = Array.from(await weight.data()).reduce((total, value) => total + value * value, 0);
    return { growth: squares - 1, loss: last! };
  } finally {
    optimizer.dispose();
    weight.dispose();
    target.dispose();
  }
}
