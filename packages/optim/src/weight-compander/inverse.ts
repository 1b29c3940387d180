// phi^-1: u of phi(u), for values below the bound. Composed of tfjs' ops, since it is wanted once, where a layer begins.
import { abs, add, div, log, mul, square, sub, tan, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import type { CompanderKind } from './kinds.ts';
import { Compander } from './op.ts';

/** The tangent of a GPU may be off by a lot near the bound: two steps of Newton's from there, by an arctangent that is not. */
function tangent(phi: Tensor): Tensor {
  const one = tensor1d([1]);
  let u = tan(phi);
  for (let step = 0; step < 2; step++) {
    const angle = Compander({ v: u, a: one, b: one });
    u = sub(u, mul(sub(angle, phi), add(1, square(u))));
  }
  return u;
}

export const INVERSES: Readonly<Record<CompanderKind, (phi: Tensor) => Tensor>> = {
  arctan: tangent,
  // By logarithms, which are nearer to the truth than atanh of tfjs' webgpu backend.
  tanh: (phi) => div(log(div(add(1, phi), sub(1, phi))), 2),
  softsign: (phi) => div(phi, sub(1, abs(phi))),
  identity: (phi) => phi,
};
