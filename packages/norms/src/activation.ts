// The activation behind a norm, where both are one pass: by itself it reads and writes everything once more.
import { add, erf, exp, mul, relu, sigmoid, square, step, sub, tanh, type Tensor } from '@tensorflow/tfjs-core';
import { expect } from '@evenkeel/core';

/**
 * What comes behind the normalization: 'relu'; 'silu', z sigmoid(z); 'gelu', z times the normal distribution function of z; 'gelu_new', its
 * form with tanh, under the name that tfjs-layers has for it; or nothing, 'linear'.
 */
export type Activation = 'linear' | 'relu' | 'silu' | 'gelu' | 'gelu_new';

/** Codes that the kernels know, _activation.as.ts and wgsl/activation.wgsl. */
const CODES: Readonly<Record<Activation, number>> = { linear: 0, relu: 1, silu: 2, gelu: 3, gelu_new: 4 };

export function checkActivation(op: string, activation: Activation): void {
  expect(Object.hasOwn(CODES, activation), op, 'activation', `one of ${Object.keys(CODES).join(', ')}`, activation);
}

/** As kernels take it. */
export const activationCode = (activation: Activation): number => CODES[activation];

/** beta, where its gradient needs it: the slope of an activation depends on it. */
export function betaFor(activation: Activation, beta: Tensor | undefined): Tensor | undefined {
  return activation === 'linear' ? undefined : beta;
}

/** Gelu's form with tanh is z (1 + tanh(ROOT (z + CUBE z^3))) / 2. */
const ROOT = Math.sqrt(2 / Math.PI);
const CUBE = 0.044715;

const tanhPart = (z: Tensor, squares: Tensor): Tensor => tanh(mul(mul(ROOT, z), add(1, mul(CUBE, squares))));

/** The normal distribution function. */
const distribution = (z: Tensor): Tensor => mul(0.5, add(1, erf(mul(z, Math.SQRT1_2))));

/** f(z). */
export function activate(z: Tensor, activation: Activation): Tensor {
  if (activation === 'linear') return z;
  if (activation === 'relu') return relu(z);
  if (activation === 'silu') return mul(z, sigmoid(z));
  if (activation === 'gelu') return mul(z, distribution(z));
  return mul(mul(0.5, z), add(1, tanhPart(z, square(z))));
}

/** dy f'(z). */
export function slope(z: Tensor, dy: Tensor, activation: Activation): Tensor {
  if (activation === 'linear') return dy;
  if (activation === 'relu') return mul(dy, step(z));
  if (activation === 'silu') {
    const s = sigmoid(z);
    return mul(dy, mul(s, add(1, mul(z, sub(1, s)))));
  }
  if (activation === 'gelu') {
    const density = mul(1 / Math.sqrt(2 * Math.PI), exp(mul(-0.5, square(z))));
    return mul(dy, add(distribution(z), mul(z, density)));
  }
  const squares = square(z);
  const t = tanhPart(z, squares);
  const inner = mul(mul(ROOT, z), add(1, mul(3 * CUBE, squares)));
  return mul(mul(0.5, dy), mul(add(1, t), add(1, mul(inner, sub(1, t)))));
}
