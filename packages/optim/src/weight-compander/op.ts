import { div, mul, neg, reshape, sum, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp, EvenkeelError, expect } from '@evenkeel/core';
import { owner } from '../owner.ts';
import { COMPANDER_KINDS, KINDS, type CompanderKind } from './kinds.ts';
import { companderGradWasm, companderSlopeWasm, companderWasm } from './wasm.ts';
import { companderGradWgsl, companderSlopeWgsl, companderWgsl } from './wgsl.ts';

export interface CompanderAttributes {
  kind: CompanderKind;
}

/** Of the op itself. */
export interface LearnableAttributes extends CompanderAttributes {
  /** Whether a and b have gradients, too. */
  learnable: boolean;
}

const attrs: CompanderAttributes = { kind: 'arctan' };
const learnableAttrs: LearnableAttributes = { ...attrs, learnable: true };

export function checkKind(op: string, kind: string): void {
  expect((COMPANDER_KINDS as readonly string[]).includes(kind), op, 'kind', `one of ${COMPANDER_KINDS.join(', ')}`, kind);
}

interface Given {
  readonly v: Tensor;
  readonly a: Tensor;
  readonly dy?: Tensor;
}

function check(op: string, { v, a, dy }: Given, kind: CompanderKind): void {
  checkKind(op, kind);
  if (a.size !== 1) {
    throw new EvenkeelError('SHAPE', `a has shape [${a.shape.join(', ')}], expected [1]`, { op, argument: 'a' });
  }
  if (dy === undefined || (dy.rank === v.rank && dy.shape.every((length, axis) => length === v.shape[axis]))) return;
  const message = `dy has shape [${dy.shape.join(', ')}], expected [${v.shape.join(', ')}] (as v)`;
  throw new EvenkeelError('SHAPE', message, { op, argument: 'dy' });
}

/** a phi'(u) / b, by which a gradient of w becomes one of v. */
const slopeOf = (kind: CompanderKind, u: Tensor, a: Tensor, b: Tensor): Tensor => mul(KINDS[kind].slope(u), div(a, b));

const inputs = { v: '...', a: 'one', b: 'one' } as const;
const withDy = { ...inputs, dy: '...' } as const;
const like = (name: 'v' | 'a' | 'b') => (given: Record<'v' | 'a' | 'b', Tensor>) =>
  ({ shape: given[name].shape, dtype: 'float32' }) as const;

/** dv = dy a phi'(v / b) / b: all that is wanted where a and b are fixed. */
export const CompanderSlope = /* @__PURE__ */ defineOp({
  name: 'CompanderSlope',
  owner,
  inputs: withDy,
  attrs,
  check: (given, { kind }) => check('CompanderSlope', given, kind),
  reference: ({ v, a, b, dy }, { kind }) => reshape(mul(dy, slopeOf(kind, div(v, b), a, b)), v.shape),
  kernels: () => [companderSlopeWgsl(), companderSlopeWasm()],
});

/** With u = v / b: dv = dy a phi'(u) / b, da = sum dy phi(u), db = -sum dy u a phi'(u) / b. */
export const CompanderGrad = /* @__PURE__ */ defineOp({
  name: 'CompanderGrad',
  owner,
  inputs: withDy,
  attrs,
  outputs: { dv: like('v'), da: like('a'), db: like('b') },
  check: (given, { kind }) => check('CompanderGrad', given, kind),
  reference: ({ v, a, b, dy }, { kind }) => {
    const u = div(v, b);
    const dv = mul(dy, slopeOf(kind, u, a, b));
    return { dv: reshape(dv, v.shape), da: reshape(sum(mul(dy, KINDS[kind].phi(u))), [1]), db: reshape(neg(sum(mul(dv, u))), [1]) };
  },
  kernels: () => [companderGradWgsl(), companderGradWasm()],
});

/** w = a phi(v / b), of any shape; a and b are one number each. */
export const Compander = /* @__PURE__ */ defineOp({
  name: 'Compander',
  owner,
  inputs,
  attrs: learnableAttrs,
  check: (given, { kind }) => check('Compander', given, kind),
  reference: ({ v, a, b }, { kind }) => reshape(mul(a, KINDS[kind].phi(div(v, b))), v.shape),
  gradient: (dy, { v, a, b }, { kind, learnable }) => {
    if (!learnable) return { v: () => CompanderSlope({ v, a, b, dy }, { kind }) };
    const { dv, da, db } = CompanderGrad({ v, a, b, dy }, { kind });
    return { v: dv, a: da, b: db };
  },
  kernels: () => [companderWgsl(), companderWasm()],
});
