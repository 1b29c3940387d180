import { clipByValue, concat, div, greater, keep, logicalNot, min, mul, reshape, tensor1d, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError, expect, raiseIf } from '@evenkeel/core';
import { INVERSES } from './inverse.ts';
import { KINDS, type CompanderKind } from './kinds.ts';
import { checkKind, Compander } from './op.ts';

export interface CompanderOptions {
  /**
   * phi, with u = v / b: 'arctan', atan(u), bound pi / 2 (default); 'tanh', bound 1; 'softsign', u / (1 + |u|), bound 1; 'identity', u, no bound.
   */
  kind?: CompanderKind;
}

/** The share of the bound that weights are cut to before they are inverted: at the bound itself v would be infinite. */
export const INVERTIBLE = 0.999;

/** a and b as tensors [1]. */
function parameters(op: string, a: number | Tensor, b: number | Tensor): [Tensor, Tensor] {
  const made = Object.entries({ a, b }).map(([name, value]) => {
    if (typeof value !== 'number') {
      if (value?.size === 1) return reshape(value, [1]);
      const found = value?.shape === undefined ? String(value) : `a tensor [${value.shape.join(', ')}]`;
      throw new EvenkeelError('INVALID_ARGUMENT', `${name} is ${found}, expected a number > 0 or a tensor of one`, { op, argument: name });
    }
    expect(Number.isFinite(value) && value > 0, op, name, 'a finite number > 0', value);
    return tensor1d([value]);
  }) as [Tensor, Tensor];
  if (typeof a === 'number' && typeof b === 'number') return made;
  const message = 'a or b is not above 0, expected both to be';
  // Kept: on webgpu it is read after this tidy has ended. NaN is not above 0, either.
  const wrong = keep(logicalNot(greater(min(concat(made)), 0)));
  raiseIf(wrong, new EvenkeelError('INVALID_ARGUMENT', message, { op, argument: 'a' }));
  return made;
}

/**
 * Weights of free parameters: w = a phi(v / b). Weights stay within a times the bound of phi, move fast near 0 (the slope there is a / b), and
 * slowly far from it. Gradients with respect to v, a and b: dv = g a phi'(u) / b, da = sum g phi(u), db = -sum g u a phi'(u) / b, with
 * u = v / b.
 *
 * v = 0 gives 0 exactly, with the full slope. Where |v| is very large the slope is 0 and the weight no longer learns. NaN stays where it is, and makes the gradients of a and b NaN. Companded layers refuse NaN and infinities. Computed in float32, the arctangent to a relative error
 * of 2e-7 on wasm and webgpu.
 *
 * @param v - float32 of any shape
 * @param a - a number > 0, or a tensor of one
 * @param b - the same
 * @returns a new tensor of v's shape
 * @throws EvenkeelError INVALID_ARGUMENT for a or b that is not above 0 (of tensors on webgpu at the next `await data()`) or an unknown kind;
 * DTYPE for v of other than float32
 *
 * Source: Cakaj, Mehnert, Yang 2023, "Weight Compander: A Simple Weight Reparameterization for Regularization", arXiv 2306.16993. The arctangent is
 * what the paper is remembered to have; the initial values and limits used here are our own.
 *
 * @example
 * const kernel = applyCompander(v, 0.04, 0.02);
 */
export function applyCompander(v: Tensor, a: number | Tensor, b: number | Tensor, { kind = 'arctan' }: CompanderOptions = {}): Tensor {
  checkKind('applyCompander', kind);
  return tidy(() => {
    const [one, other] = parameters('applyCompander', a, b);
    return Compander({ v, a: one, b: other }, { kind });
  });
}

/**
 * The free parameters of weights: v = b phi^-1(w / a), the inverse of {@link applyCompander}. Weights at the bound or beyond have no v, or an infinite
 * one: they are cut to 0.999 of the bound. `fitCompander` counts them, and chooses a so that there are none.
 *
 * @param w - float32 of any shape
 * @throws EvenkeelError as {@link applyCompander}
 *
 * @example
 * const v = invertCompander(kernel, 0.04, 0.02);
 */
export function invertCompander(w: Tensor, a: number | Tensor, b: number | Tensor, { kind = 'arctan' }: CompanderOptions = {}): Tensor {
  checkKind('invertCompander', kind);
  expect(w?.dtype === 'float32', 'invertCompander', 'w', 'a float32 tensor', w, w?.dtype === undefined ? 'INVALID_ARGUMENT' : 'DTYPE');
  return tidy(() => {
    const [one, other] = parameters('invertCompander', a, b);
    const { bound } = KINDS[kind];
    const most = bound * INVERTIBLE;
    const phi = div(w, one);
    return mul(other, INVERSES[kind](Number.isFinite(most) ? clipByValue(phi, -most, most) : phi));
  });
}
