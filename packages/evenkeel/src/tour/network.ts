import {
  add,
  dispose,
  div,
  elu,
  matMul,
  mean,
  mul,
  sqrt,
  square,
  sub,
  variable,
  type Tensor,
  type Tensor2D,
  type Variable,
} from '@tensorflow/tfjs-core';
import { random, toTensors, type SafetensorsTensor } from '@evenkeel/core';
import { layerNorm } from '@evenkeel/norms/layer-norm';
import { CLASSES, PIXELS } from './digits.ts';

export type Normalize = (x: Tensor, gamma: Tensor, beta: Tensor) => Tensor;

/** The two ways to normalize that the tour sets side by side. */
export type Arm = 'composed' | 'fused';

const EPSILON = 1e-5;

export const normalizations: Record<Arm, Normalize> = {
  /** Layer normalization as one writes it in functions of tfjs-core: ten ops, and a tape of their gradients. */
  composed(x, gamma, beta) {
    const centred = sub(x, mean(x, -1, true));
    const variance = mean(square(centred), -1, true);
    return add(mul(div(centred, sqrt(add(variance, EPSILON))), gamma), beta);
  },
  /** The same in one op, whose gradient is another. */
  fused: (x, gamma, beta) => layerNorm(x, gamma, beta, { epsilon: EPSILON }),
};

export const HIDDEN = 256;

const SIZES = [PIXELS, HIDDEN, HIDDEN, CLASSES] as const;

/** The sizes of the layers, for people. */
export const LAYERS = SIZES.join('-');

/** Weights by name, as a safetensors file holds them. */
export type Weights = Readonly<Record<string, SafetensorsTensor>>;

/** Weights on a backend; variables while they are trained. */
export type Network<W extends Tensor = Tensor> = Readonly<Record<string, W>>;

function values(shape: number[], data: Float32Array): SafetensorsTensor {
  return { dtype: 'F32', shape, data };
}

/** Weights to start from, the same for the same seed. He et al. 2015, equation 10: variance 2 / fan-in. */
export function initialWeights(seed: number): Weights {
  const kernels = random(seed).stream('kernels');
  const weights: Record<string, SafetensorsTensor> = {};
  for (let layer = 1; layer < SIZES.length; layer++) {
    const [fanIn, fanOut] = [SIZES[layer - 1]!, SIZES[layer]!];
    const kernel = kernels.normal(fanIn * fanOut).map((value) => value * Math.sqrt(2 / fanIn));
    weights[`dense${layer}.kernel`] = values([fanIn, fanOut], kernel);
    weights[`dense${layer}.bias`] = values([fanOut], new Float32Array(fanOut));
    if (layer === SIZES.length - 1) break;
    weights[`norm${layer}.gamma`] = values([fanOut], new Float32Array(fanOut).fill(1));
    weights[`norm${layer}.beta`] = values([fanOut], new Float32Array(fanOut));
  }
  return weights;
}

export function countParameters(weights: Weights): number {
  return Object.values(weights).reduce((sum, { data }) => sum + data.length, 0);
}

/** Puts weights on the running backend, to be trained. */
export function makeNetwork(weights: Weights): Network<Variable> {
  const tensors = toTensors(weights);
  const network = Object.fromEntries(Object.entries(tensors).map(([name, weight]) => [name, variable(weight)]));
  dispose(tensors);
  return network;
}

/**
 * Two hidden layers, each a product, layer normalization and ELU; then ten logits.
 *
 * ELU and not ReLU: where the slope jumps, rounding decides on which side a unit falls, and two networks that compute the same drift apart
 * (their losses by 0.03 within 800 steps). With a continuous slope they stay together, so that a wrong gradient shows.
 *
 * @param x - [batch, 784], pixels from 0 to 1
 * @returns [batch, 10]
 */
export function logits(network: Network, x: Tensor2D, normalize: Normalize): Tensor2D {
  const dense = (input: Tensor2D, layer: number): Tensor2D =>
    add(matMul(input, network[`dense${layer}.kernel`] as Tensor2D), network[`dense${layer}.bias`]!);
  let hidden = x;
  for (const layer of [1, 2]) {
    hidden = elu(normalize(dense(hidden, layer), network[`norm${layer}.gamma`]!, network[`norm${layer}.beta`]!)) as Tensor2D;
  }
  return dense(hidden, 3);
}
