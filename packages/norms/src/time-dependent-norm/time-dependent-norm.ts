import { all, isFinite, keep, logicalNot, reshape, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError, expect, raiseIf } from '@evenkeel/core';
import { ConditionalNorm, TimeDependentParameter } from './op.ts';

export interface ConditionalNormOptions {
  /** Layer normalization: added to the variance, inside the root, default 1e-5. RMS normalization: added to the root, default 1e-8. */
  epsilon?: number;
}

/** A parameter that changes with time: two vectors and how to go from one to the other, each [n]. */
export interface TimeDependentWeights {
  /** What the parameter is where tau w + b is large. */
  p0: Tensor;
  /** What it is where tau w + b is small. */
  p1: Tensor;
  w: Tensor;
  b: Tensor;
}

export interface TimeDependentOptions {
  /**
   * A tau that is NaN or infinite: 'throw' (default) raises NON_FINITE, at once on cpu and wasm, at the next `await data()` on webgpu;
   * 'propagate' lets it make NaN of its own sample.
   */
  onNonFinite?: 'throw' | 'propagate';
}

/**
 * A vector of parameters that depends on time: theta = s p0 + (1 - s) p1 with s = sigmoid(tau w + b).
 *
 * @param weights - p0, p1, w and b, each [n]. To begin with p0 = p1 is what the parameter would be without time, w = 1, b = 0: then
 * nothing depends on tau, and p0 and p1 part with the first step of training
 * @param tau - [batch], a time for each sample, or a scalar for all; about -1 to 1. Diffusion step t of T is 2 t / T - 1
 * @returns [batch, n], or [n] for a scalar. A large |tau w + b| saturates: p0 or p1, and no gradient of w and b
 * @throws EvenkeelError SHAPE when the vectors or tau do not fit, NON_FINITE for a tau that is not finite (see `onNonFinite`)
 *
 * Source: Liu et al. 2024, "Alleviating Distortion in Image Generation via Multi-Resolution Diffusion Models".
 *
 * @example
 * const gamma = timeDependentParameter({ p0: tf.tensor1d([2]), p1: tf.tensor1d([1]), w: tf.ones([1]), b: tf.zeros([1]) }, tf.tensor1d([0])); // [[1.5]]
 */
export function timeDependentParameter(
  weights: TimeDependentWeights,
  tau: Tensor,
  { onNonFinite = 'throw' }: TimeDependentOptions = {},
): Tensor {
  const op = 'timeDependentParameter';
  expect(onNonFinite === 'throw' || onNonFinite === 'propagate', op, 'onNonFinite', "'throw' or 'propagate'", onNonFinite);
  const { p0, p1, w, b } = weights;
  return tidy(() => {
    const theta = TimeDependentParameter({ p0, p1, w, b, tau: tau.rank === 0 ? reshape(tau, [1]) : tau });
    if (onNonFinite === 'throw' && tau.size > 0) {
      const error = new EvenkeelError('NON_FINITE', 'tau is NaN or infinite, expected finite times', { op, argument: 'tau' });
      // Kept: on webgpu it is read after the tidy has ended. raiseIf disposes it.
      raiseIf(keep(logicalNot(all(isFinite(tau)))), error);
    }
    return tau.rank === 0 ? reshape(theta, p0.shape) : theta;
  });
}

/** [n] as a row for all samples. */
function asRows(parameter: Tensor | undefined): Tensor | undefined {
  return parameter?.rank === 1 ? reshape(parameter, [1, parameter.size]) : parameter;
}

/**
 * Layer normalization over the last axis with a gamma and a beta for each sample: y = gamma (x - mean) / sqrt(var + epsilon) + beta.
 *
 * @param x - [batch, ..., n] float32
 * @param gamma - [batch, n], or [n] or [1, n] for all samples; left out: 1
 * @param beta - as gamma; left out: 0
 * @returns a new tensor of x's shape. A constant row becomes its sample's beta. NaN stays in its row.
 * Numbers as large as 65504, and mean 1e4 with deviation 1, are right to 5e-3.
 * @throws EvenkeelError SHAPE when gamma or beta do not fit or n = 0, DTYPE for other than float32, INVALID_ARGUMENT for epsilon <= 0
 *
 * @example
 * const y = conditionalLayerNorm(tf.tensor2d([[1, 3], [1, 3]]), tf.tensor2d([[1, 1], [2, 2]])); // [[-1, 1], [-2, 2]]
 */
export function conditionalLayerNorm(x: Tensor, gamma?: Tensor, beta?: Tensor, { epsilon = 1e-5 }: ConditionalNormOptions = {}): Tensor {
  return tidy(() => ConditionalNorm({ x, gamma: asRows(gamma), beta: asRows(beta) }, { kind: 'layer', epsilon }));
}

/**
 * Root-mean-square normalization over the last axis with a gamma and a beta for each sample: y = gamma x / (sqrt(mean(x^2)) + epsilon) + beta.
 * Epsilon stands outside the root, as in DiMR; in half precision it must be 1e-6 or more.
 *
 * @param x - [batch, ..., n] float32
 * @param gamma - [batch, n], or [n] or [1, n] for all samples; left out: 1
 * @param beta - as gamma; left out: 0
 * @returns a new tensor of x's shape. A row of zeros becomes beta, and has the gradient 0 rather than dy / epsilon. NaN stays in its row.
 * Numbers as large as 65504 are no danger.
 * @throws as {@link conditionalLayerNorm}
 *
 * @example
 * const y = conditionalRmsNorm(tf.tensor2d([[3, 4]]), tf.tensor1d([1, 2])); // [[0.849, 2.263]]
 */
export function conditionalRmsNorm(x: Tensor, gamma?: Tensor, beta?: Tensor, { epsilon = 1e-8 }: ConditionalNormOptions = {}): Tensor {
  return tidy(() => ConditionalNorm({ x, gamma: asRows(gamma), beta: asRows(beta) }, { kind: 'rms', epsilon }));
}

/** Gain and offset of a time-dependent norm; one that is left out is not applied. */
export interface TimeDependentAffine {
  gamma?: TimeDependentWeights | undefined;
  beta?: TimeDependentWeights | undefined;
}

function at(weights: TimeDependentWeights | undefined, tau: Tensor, { onNonFinite = 'throw' }: TimeDependentOptions): Tensor | undefined {
  return weights && timeDependentParameter(weights, tau, { onNonFinite });
}

/**
 * Time-dependent layer normalization (TD-LN): {@link conditionalLayerNorm} whose gamma and beta are {@link timeDependentParameter}s. It keeps
 * no state: tau is an argument. At a time that is known beforehand it is an ordinary layer normalization with parameters of that time.
 *
 * @param x - [batch, ..., n] float32
 * @param tau - [batch], or a scalar
 * @returns a new tensor of x's shape
 * @throws as the two
 *
 * Source: Liu et al. 2024, "Alleviating Distortion in Image Generation via Multi-Resolution Diffusion Models".
 *
 * @example
 * const y = timeDependentLayerNorm(x, tau, { gamma: { p0, p1, w, b } });
 */
export function timeDependentLayerNorm(
  x: Tensor,
  tau: Tensor,
  { gamma, beta }: TimeDependentAffine = {},
  options: ConditionalNormOptions & TimeDependentOptions = {},
): Tensor {
  return tidy(() => conditionalLayerNorm(x, at(gamma, tau, options), at(beta, tau, options), options));
}

/**
 * Time-dependent root-mean-square normalization: {@link conditionalRmsNorm} whose gamma and beta are {@link timeDependentParameter}s.
 *
 * @param x - [batch, ..., n] float32
 * @param tau - [batch], or a scalar
 * @returns a new tensor of x's shape
 * @throws as the two
 *
 * @example
 * const y = timeDependentRmsNorm(x, tau, { gamma: { p0, p1, w, b } });
 */
export function timeDependentRmsNorm(
  x: Tensor,
  tau: Tensor,
  { gamma, beta }: TimeDependentAffine = {},
  options: ConditionalNormOptions & TimeDependentOptions = {},
): Tensor {
  return tidy(() => conditionalRmsNorm(x, at(gamma, tau, options), at(beta, tau, options), options));
}
