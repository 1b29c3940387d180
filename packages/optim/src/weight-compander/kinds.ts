// The functions that a weight can be made with: w = a phi(u) with u = v / b.
import { abs, add, atan, div, onesLike, square, sub, tanh, type Tensor } from '@tensorflow/tfjs-core';

export type CompanderKind = 'arctan' | 'tanh' | 'softsign' | 'identity';

/** phi, odd and with slope 1 at 0. */
interface Kind {
  phi(u: Tensor): Tensor;
  /** phi'(u) */
  slope(u: Tensor): Tensor;
  /** What |phi| stays below. */
  readonly bound: number;
}

export const KINDS: Readonly<Record<CompanderKind, Kind>> = {
  arctan: { phi: atan, slope: (u) => div(1, add(1, square(u))), bound: Math.PI / 2 },
  tanh: { phi: tanh, slope: (u) => sub(1, square(tanh(u))), bound: 1 },
  softsign: { phi: (u) => div(u, add(1, abs(u))), slope: (u) => div(1, square(add(1, abs(u)))), bound: 1 },
  identity: { phi: (u) => u, slope: onesLike, bound: Infinity },
};

export const COMPANDER_KINDS = Object.keys(KINDS) as readonly CompanderKind[];
