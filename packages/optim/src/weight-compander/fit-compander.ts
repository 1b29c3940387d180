import {
  abs,
  clipByValue,
  div,
  greater,
  max,
  maximum,
  minimum,
  mean,
  mul,
  neg,
  reshape,
  sqrt,
  square,
  sum,
  tidy,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { expect } from '@evenkeel/core';
import type { CompanderOptions } from './apply-compander.ts';
import { INVERSES } from './inverse.ts';
import { KINDS, type CompanderKind } from './kinds.ts';
import { checkKind } from './op.ts';

export type CompanderInit = 'deviation' | 'max' | 'direct';

export interface FitCompanderOptions extends CompanderOptions {
  /** a in deviations of the kernel. Default 0.8: no weight is larger than 1.26 deviations. */
  ka?: number;
  /** b in deviations. Default 0.4: the slope at 0 is 2. ka / kb is at most 10. */
  kb?: number;
  /**
   * Where weights come from:
   * - 'deviation' (default): a = ka deviations, b = kb deviations; weights are cut to 0.83 of the bound, 1.04 deviations with the defaults. For
   *   kernels as they are drawn: a third of normal ones is cut, and of trained ones what they had learnt.
   * - 'max': a such that the largest weight is at 0.83 of the bound, b = a kb / ka. Nothing is cut: for trained kernels, which stay the function that they are.
   * - 'direct': v is the kernel itself, with a = b = ka deviations.
   */
  init?: CompanderInit;
}

/** All options of a compander, checked. */
export interface Fit {
  readonly kind: CompanderKind;
  readonly ka: number;
  readonly kb: number;
  readonly init: CompanderInit;
}

/** What {@link fitCompander} returns. */
export interface FittedCompander {
  /** Of the kernel's shape. */
  readonly v: Tensor;
  /** [1] */
  readonly a: Tensor;
  /** [1] */
  readonly b: Tensor;
  /** How many weights were cut, a scalar. */
  readonly clipped: Tensor;
}

/** 1.3 a of a pi / 2: how near to the bound a weight may begin. */
const START = 1.3 / (Math.PI / 2);

/** a / b, the slope at 0, is at most this. */
export const STEEPEST = 10;

const INITS: readonly CompanderInit[] = ['deviation', 'max', 'direct'];

export function checkFit(op: string, { kind = 'arctan', ka = 0.8, kb = 0.4, init = 'deviation' }: FitCompanderOptions): Fit {
  checkKind(op, kind);
  expect(INITS.includes(init), op, 'init', `one of ${INITS.join(', ')}`, init);
  for (const [name, value] of Object.entries({ ka, kb })) {
    expect(Number.isFinite(value) && value > 0, op, name, 'a finite number > 0', value);
  }
  const most = `at least ka / ${STEEPEST} = ${ka / STEEPEST}: a steeper slope explodes`;
  expect(init === 'direct' || ka / kb <= STEEPEST, op, 'kb', most, kb);
  return { kind, ka, kb, init };
}

/** w cut to +-most and how many were; `most` is a tensor [1]. */
function cut(w: Tensor, most: Tensor): [Tensor, Tensor] {
  return [minimum(maximum(w, neg(most)), most), sum(greater(abs(w), most))];
}

/**
 * a, b and v for a kernel: how a companded layer begins. The deviation is taken around 0: sqrt(mean(w^2)). A kernel of zeros has none: its a and b are
 * 0, which companded layers refuse at their first call.
 *
 * @param w - a kernel, float32
 * @throws EvenkeelError INVALID_ARGUMENT for ka or kb that is not a finite number > 0, ka / kb > 10, an unknown kind or init
 *
 * @example
 * const { v, a, b, clipped } = fitCompander(kernel, { init: 'max' });
 */
export function fitCompander(w: Tensor, options: FitCompanderOptions = {}): FittedCompander {
  const fit = checkFit('fitCompander', options);
  expect(w?.dtype === 'float32', 'fitCompander', 'w', 'a float32 tensor', w, w?.dtype === undefined ? 'INVALID_ARGUMENT' : 'DTYPE');
  return tidy(() => ({ ...fitted(w, fit) }));
}

export function fitted(w: Tensor, { kind, ka, kb, init }: Fit): FittedCompander {
  const { bound } = KINDS[kind];
  const share = Number.isFinite(bound) ? START * bound : 1;
  const a = init === 'max' ? reshape(div(max(abs(w)), share), [1]) : reshape(mul(sqrt(mean(square(w))), ka), [1]);
  const b = init === 'direct' ? mul(a, 1) : mul(a, kb / ka);
  const [within, clipped] = init === 'deviation' && Number.isFinite(bound) ? cut(w, mul(a, share)) : [w, sum(greater(abs(w), Infinity))];
  if (init === 'direct') return { v: mul(w, 1), a, b, clipped };
  // Rounded, the largest may lie a little beyond.
  const phi = div(within, a);
  return { v: mul(b, INVERSES[kind](Number.isFinite(bound) ? clipByValue(phi, -share, share) : phi)), a, b, clipped };
}
