// What layer and batch normalization by the mean absolute deviation share.
import { add, mean, mul, sign, step, sub, type Tensor } from '@tensorflow/tfjs-core';
import { expect } from '@evenkeel/core';
import { checkEpsilon } from './checks.ts';

export interface L1NormOptions {
  /** Added to the mean absolute deviation. Default 1e-5. */
  epsilon?: number;
  /**
   * Multiplies the deviation by sqrt(pi / 2), so that it estimates the standard deviation of values from a normal distribution: what a
   * model that was trained with standard deviations needs. Default false.
   */
  gaussianScale?: boolean;
  /**
   * Where the deviation is below this, x has the gradient 0. Default 0: nowhere. A constant row has otherwise a gradient 1 / epsilon times
   * as large as dy.
   */
  gradFloor?: number;
}

/** Throws unless the options are such that the norms take them. */
export function checkL1(op: string, { epsilon, gradFloor }: Pick<Required<L1NormOptions>, 'epsilon' | 'gradFloor'>): void {
  checkEpsilon(op, epsilon);
  expect(Number.isFinite(gradFloor) && gradFloor >= 0, op, 'gradFloor', 'a finite number >= 0', gradFloor);
}

/** What the deviation is multiplied by. */
export function deviationFactor(gaussianScale: boolean): number {
  return gaussianScale ? Math.sqrt(Math.PI / 2) : 1;
}

/** Mean, differences from it and their signs, and the mean of their absolute values, over `axes`, which are kept with length 1 or not. */
export function deviate(x: Tensor, axes: number[], keep: boolean): { mean: Tensor; centred: Tensor; signs: Tensor; deviation: Tensor } {
  const mu = mean(x, axes, keep);
  const centred = sub(x, mu);
  // Not abs(), whose gradient at 0 is -1 in tfjs.
  const signs = sign(centred);
  return { mean: mu, centred, signs, deviation: mean(mul(centred, signs), axes, keep) };
}

/** What centred values are divided by. */
export function denominator(
  deviation: Tensor,
  { epsilon, gaussianScale }: Pick<Required<L1NormOptions>, 'epsilon' | 'gaussianScale'>,
): Tensor {
  return add(mul(deviation, deviationFactor(gaussianScale)), epsilon);
}

/** 0 where the deviation is below the floor, else 1. Differentiable, which a comparison is not in tfjs. */
export function aboveFloor(deviation: Tensor, gradFloor: number): Tensor {
  return sub(1, step(sub(gradFloor, deviation)));
}
