// Updates of parameters by an optimizer: in place on 'wasm', in one pass at the speed of memory; composed of tfjs' ops elsewhere.
import { add, div, engine, getBackend, mul, sqrt, square, sub, tidy, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { EvenkeelError, expect, show } from '@evenkeel/core';
import { updateInPlace } from './kernels/optimizer/optimizer.ts';
import { runningHeap, type Heap } from './tfjs.ts';

/** Options of {@link adamUpdate}. */
export interface AdamUpdate {
  readonly learningRate: number;
  /** How many updates there have been, this one included: 1, 2, ... */
  readonly step: number;
  /** The share of the first moment that is kept. Default 0.9. */
  readonly beta1?: number;
  /** The share of the second moment that is kept. Default 0.999. */
  readonly beta2?: number;
  /** Default 1e-7, as tfjs has it. */
  readonly epsilon?: number;
  /** Decoupled weight decay (AdamW). Default 0. */
  readonly weightDecay?: number;
}

/** Options of {@link momentumUpdate}. */
export interface MomentumUpdate {
  readonly learningRate: number;
  /** The share of the velocity that is kept. Default 0.9. */
  readonly momentum?: number;
  /** Default false. */
  readonly nesterov?: boolean;
  /** Added to the gradient, times the value. Default 0. */
  readonly weightDecay?: number;
}

function check(op: string, tensors: Readonly<Record<string, Tensor>>, numbers: Readonly<Record<string, number>>): void {
  const [value] = Object.values(tensors) as [Tensor];
  for (const [name, tensor] of Object.entries(tensors)) {
    if (tensor.dtype !== 'float32') {
      throw new EvenkeelError('DTYPE', `${name} is ${show(tensor)}, expected float32`, { op, argument: name });
    }
    if (tensor.shape.join() !== value.shape.join()) {
      throw new EvenkeelError('SHAPE', `${name} has shape [${tensor.shape.join(', ')}], expected [${value.shape.join(', ')}]`, {
        op,
        argument: name,
      });
    }
  }
  for (const [name, given] of Object.entries(numbers)) expect(Number.isFinite(given), op, name, 'a finite number', given);
}

const backendOf = ({ dataId }: Tensor): unknown => engine().state.tensorInfo.get(dataId)?.backend;

/**
 * The heap, where all of these may be written in place: they live on 'wasm', and no other tensor shares the values that are written, as a
 * clone or the tensor that a variable was made of does until it is disposed.
 */
function writable(written: readonly Variable[], read: Tensor): Heap | undefined {
  const heap = getBackend() === 'wasm' ? runningHeap() : undefined;
  if (heap?.wasm === undefined || heap.wasm === null) return undefined;
  if (![...written, read].every((tensor) => backendOf(tensor) === heap)) return undefined;
  return written.every(({ dataId }) => heap.refCount(dataId) === 1) ? heap : undefined;
}

/**
 * One step of Adam, or of AdamW with a weight decay (Kingma and Ba 2015; Loshchilov and Hutter 2019):
 * m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, value = value - learningRate (m' / (sqrt(v') + epsilon) + weightDecay value),
 * with m' = m / (1 - beta1^step) and v' = v / (1 - beta2^step).
 *
 * @param value - float32 of any shape, changed
 * @param gradient - of the same shape
 * @param first - m, of the same shape, zeros before the first step; changed
 * @param second - v, the same
 * @throws EvenkeelError DTYPE, SHAPE, INVALID_ARGUMENT, before anything changes
 *
 * @example
 * const value = tf.variable(tf.tensor1d([1, 2]));
 * const [m, v] = [tf.variable(tf.zerosLike(value)), tf.variable(tf.zerosLike(value))];
 * adamUpdate(value, tf.tensor1d([0.5, -0.5]), m, v, { learningRate: 0.001, step: 1 });
 */
export function adamUpdate(value: Variable, gradient: Tensor, first: Variable, second: Variable, options: AdamUpdate): void {
  const { learningRate, step, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, weightDecay = 0 } = options;
  check('adamUpdate', { value, gradient, first, second }, { learningRate, beta1, beta2, epsilon, weightDecay });
  expect(Number.isInteger(step) && step > 0, 'adamUpdate', 'step', 'an integer >= 1', step);
  const rate = learningRate / (1 - beta1 ** step);
  const spread = 1 / Math.sqrt(1 - beta2 ** step);
  const keep = 1 - learningRate * weightDecay;
  const heap = writable([value, first, second], gradient);
  if (heap !== undefined) {
    updateInPlace(heap, 'adam', [value, gradient, first, second], beta1, 1 - beta1, beta2, 1 - beta2, rate, spread, epsilon, keep);
    return;
  }
  tidy(() => {
    first.assign(add(mul(first, beta1), mul(gradient, 1 - beta1)));
    second.assign(add(mul(second, beta2), mul(square(gradient), 1 - beta2)));
    value.assign(sub(mul(value, keep), div(mul(first, rate), add(mul(sqrt(second), spread), epsilon))));
  });
}

/**
 * One step of stochastic gradient descent with momentum (Polyak 1964; Nesterov 1983), as tfjs and PyTorch have it: d = g + weightDecay value,
 * velocity = momentum velocity + d, value = value - learningRate velocity; with `nesterov`, value - learningRate (d + momentum velocity).
 *
 * @param value - float32 of any shape, changed
 * @param gradient - of the same shape
 * @param velocity - of the same shape, zeros before the first step; changed
 * @throws EvenkeelError DTYPE, SHAPE, INVALID_ARGUMENT, before anything changes
 *
 * @example
 * const value = tf.variable(tf.tensor1d([1, 2]));
 * const velocity = tf.variable(tf.zerosLike(value));
 * momentumUpdate(value, tf.tensor1d([0.5, -0.5]), velocity, { learningRate: 0.1, nesterov: true });
 */
export function momentumUpdate(value: Variable, gradient: Tensor, velocity: Variable, options: MomentumUpdate): void {
  const { learningRate, momentum = 0.9, nesterov = false, weightDecay = 0 } = options;
  check('momentumUpdate', { value, gradient, velocity }, { learningRate, momentum, weightDecay });
  const heap = writable([value, velocity], gradient);
  if (heap !== undefined) {
    updateInPlace(heap, 'momentum', [value, gradient, velocity], momentum, learningRate, weightDecay, nesterov ? 1 : 0);
    return;
  }
  tidy(() => {
    const direction = weightDecay === 0 ? gradient : add(gradient, mul(value, weightDecay));
    velocity.assign(add(mul(velocity, momentum), direction));
    value.assign(sub(value, mul(nesterov ? add(direction, mul(velocity, momentum)) : velocity, learningRate)));
  });
}
