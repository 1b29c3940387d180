// EvoNorm-B0, B1 and B2: x divided by the larger of the deviation over the batch (L) and a term of the sample's own (R):
// B0: R = v x + si, B1: R = (x + 1) qi, B2: R = qi - x, with si the deviation and qi the root mean square of a sample's channel over space.
import { add, cast, div, greaterEqual, mean, mul, reshape, sqrt, square, sub, sum, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp, expect, EvenkeelError, sizeOf } from '@evenkeel/core';
import { asSlabs, leadingAxes } from '../axes.ts';
import { checkEpsilon, checkReduced, checkShape } from '../checks.ts';
import { owner } from '../owner.ts';
import type { EvoNormBAttributes } from './b-attributes.ts';
import { evoNormBGradWasm, evoNormBInferenceGradWasm, evoNormBInferenceWasm, evoNormBWasm } from './b-wasm.ts';
import { evoNormBGradWgsl, evoNormBInferenceGradWgsl, evoNormBInferenceWgsl, evoNormBWgsl } from './b-wgsl.ts';
import { affine, likeX, perChannel, refuseDegenerate, slabs } from './shared.ts';

/** R, and what its gradient needs: how R changes with x, the root within it, and what that is a root of the mean square of. */
interface Own {
  right: Tensor;
  slope: Tensor | number;
  root: Tensor;
  from: Tensor;
}

/** Of x [N, positions, C]. */
function own(x: Tensor, v: Tensor | undefined, { variant, epsilon }: EvoNormBAttributes): Own {
  const from = variant === 'B0' ? sub(x, mean(x, 1, true)) : x;
  const root = sqrt(add(mean(square(from), 1, true), epsilon));
  if (variant === 'B0') return { right: add(v ? mul(v, x) : x, root), slope: v ?? 1, root, from };
  if (variant === 'B1') return { right: mul(add(x, 1), root), slope: root, root, from };
  return { right: sub(root, x), slope: -1, root, from };
}

/** max(L, R), and 1 where that is L. Not by maximum(): tfjs' gradient of that can be differentiated no further. */
function larger(left: Tensor, right: Tensor): { denominator: Tensor; isLeft: Tensor } {
  const isLeft = cast(greaterEqual(left, right), 'float32');
  return { denominator: add(mul(left, isLeft), mul(right, sub(1, isLeft))), isLeft };
}

function normalize(
  x: Tensor,
  variance: Tensor,
  gamma: Tensor | undefined,
  beta: Tensor | undefined,
  v: Tensor | undefined,
  attrs: EvoNormBAttributes,
): Tensor {
  const slab = slabs(x);
  const z = div(slab, larger(sqrt(add(variance, attrs.epsilon)), own(slab, v, attrs).right).denominator);
  return affine(reshape(z, x.shape), gamma, beta);
}

interface GradientInputs {
  x: Tensor;
  dy: Tensor;
  variance: Tensor;
  gamma?: Tensor | undefined;
  v?: Tensor | undefined;
}

/** All gradients, that of x without what comes through the variance. E, the gradient of the denominator, belongs to L in a tie. */
function gradients({ x, dy, variance, gamma, v }: GradientInputs, attrs: EvoNormBAttributes) {
  const [slab, dySlab] = [slabs(x), slabs(dy)];
  const { right, slope, root, from } = own(slab, v, attrs);
  const left = sqrt(add(variance, attrs.epsilon));
  const { denominator, isLeft } = larger(left, right);
  const z = div(slab, denominator);
  const direct = div(gamma ? mul(dySlab, gamma) : dySlab, denominator);
  const e = mul(mul(direct, z), -1);
  const ofLeft = mul(e, isLeft);
  const ofRight = sub(e, ofLeft);
  // B1: R is root times (x + 1); else root is added.
  const ofRoot = sum(attrs.variant === 'B1' ? mul(ofRight, add(slab, 1)) : ofRight, 1, true);
  const throughRoot = mul(from, div(ofRoot, mul(root, slab.shape[1]!)));
  return {
    dx: reshape(add(add(direct, mul(ofRight, slope)), throughRoot), x.shape),
    dgamma: sum(mul(dySlab, z), [0, 1]),
    dbeta: sum(dySlab, [0, 1]),
    dv: attrs.variant === 'B0' ? sum(mul(ofRight, slab), [0, 1]) : zeros(variance.shape),
    dvariance: div(sum(ofLeft, [0, 1]), mul(left, 2)),
  };
}

function check(op: string, x: Tensor, v: Tensor | undefined, { variant, epsilon }: EvoNormBAttributes): void {
  checkEpsilon(op, epsilon);
  checkReduced(op, x, leadingAxes(x, 0).slice(1));
  expect(['B0', 'B1', 'B2'].includes(variant), op, 'variant', "'B0', 'B1' or 'B2'", variant);
  if (v === undefined || variant === 'B0') return;
  throw new EvenkeelError('INVALID_ARGUMENT', `v is given, but ${variant} has none`, { op, argument: 'v' });
}

// Named rather than spread: what is spread into an op's description stays in bundles that do not use the op.
const perChannelInput = { shape: 'c', optional: true } as const;
const attrs: EvoNormBAttributes = { variant: 'B0', epsilon: 1e-5 };

/** The gradients of {@link EvoNormB}. `dvariance` is what reaches the variance where somebody uses it: zeros in ordinary training. */
export const EvoNormBGrad = /* @__PURE__ */ defineOp({
  name: 'EvoNormBGrad',
  owner,
  inputs: { x: 'batch,...,c', dy: 'batch,...,c', variance: 'c', dvariance: 'c', gamma: perChannelInput, v: perChannelInput },
  attrs,
  check: ({ x, dy, v }, given) => {
    checkShape('EvoNormBGrad', 'dy', dy, x.shape, 'as x');
    check('EvoNormBGrad', x, v, given);
  },
  outputs: { dx: likeX, dgamma: perChannel, dbeta: perChannel, dv: perChannel },
  reference: (inputs, given) => {
    const { x, dvariance: outer } = inputs;
    const { dx, dgamma, dbeta, dv, dvariance } = gradients(inputs, given);
    const rows = leadingAxes(x, 1);
    const throughVariance = mul(sub(x, mean(x, rows)), mul(add(outer, dvariance), 2 / sizeOf(x.shape.slice(0, -1))));
    return { dx: add(dx, throughVariance), dgamma, dbeta, dv };
  },
  kernels: () => [evoNormBGradWgsl(), evoNormBGradWasm()],
});

/** In training: L is of the batch's own variance, which comes out, biased. */
export const EvoNormB = /* @__PURE__ */ defineOp({
  name: 'EvoNormB',
  owner,
  inputs: { x: 'batch,...,c', beta: { shape: 'c', optional: true }, gamma: perChannelInput, v: perChannelInput },
  attrs,
  check: ({ x, v }, given) => {
    check('EvoNormB', x, v, given);
    const { samples, positions } = asSlabs(x.shape);
    if (samples * positions === 1) refuseDegenerate('EvoNormB', x, 'more than one value per channel');
  },
  outputs: { y: likeX, variance: perChannel },
  saveOutputs: ['variance'],
  reference: ({ x, gamma, beta, v }, given) => {
    const rows = leadingAxes(x, 1);
    const variance = mean(square(sub(x, mean(x, rows))), rows);
    return { y: normalize(x, variance, gamma, beta, v, given), variance };
  },
  gradient: (dy, { x, gamma, v }, given, { variance }) => {
    const { dx, dgamma, dbeta, dv } = EvoNormBGrad({ x, dy: dy.y, variance, dvariance: dy.variance, gamma, v }, given);
    return { x: dx, gamma: dgamma, beta: dbeta, v: dv };
  },
  kernels: () => [evoNormBWgsl(), evoNormBWasm()],
});

/** The gradients of {@link EvoNormBInference}. */
export const EvoNormBInferenceGrad = /* @__PURE__ */ defineOp({
  name: 'EvoNormBInferenceGrad',
  owner,
  inputs: { x: 'batch,...,c', dy: 'batch,...,c', variance: 'c', gamma: perChannelInput, v: perChannelInput },
  attrs,
  check: ({ x, dy, v }, given) => {
    checkShape('EvoNormBInferenceGrad', 'dy', dy, x.shape, 'as x');
    check('EvoNormBInferenceGrad', x, v, given);
  },
  outputs: { dx: likeX, dgamma: perChannel, dbeta: perChannel, dv: perChannel, dvariance: perChannel },
  reference: (inputs, given) => gradients(inputs, given),
  kernels: () => [evoNormBInferenceGradWgsl(), evoNormBInferenceGradWasm()],
});

/** L is of a given (moving) variance; the sample's own term is still computed from it. */
export const EvoNormBInference = /* @__PURE__ */ defineOp({
  name: 'EvoNormBInference',
  owner,
  inputs: { x: 'batch,...,c', variance: 'c', beta: { shape: 'c', optional: true }, gamma: perChannelInput, v: perChannelInput },
  attrs,
  check: ({ x, v }, given) => check('EvoNormBInference', x, v, given),
  reference: ({ x, variance, gamma, beta, v }, given) => normalize(x, variance, gamma, beta, v, given),
  gradient: (dy, { x, variance, gamma, v }, given) => {
    const { dx, dgamma, dbeta, dv, dvariance } = EvoNormBInferenceGrad({ x, dy, variance, gamma, v }, given);
    return { x: dx, variance: dvariance, gamma: dgamma, beta: dbeta, v: dv };
  },
  kernels: () => [evoNormBInferenceWgsl(), evoNormBInferenceWasm()],
});
