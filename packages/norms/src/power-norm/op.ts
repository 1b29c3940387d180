import {
  add,
  cast,
  div,
  expandDims,
  greater,
  maximum,
  mean,
  mul,
  sqrt,
  square,
  sub,
  sum,
  where,
  zeros,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { defineOp, EvenkeelError, expect } from '@evenkeel/core';
import { leadingAxes } from '../axes.ts';
import { checkEpsilon, checkShape } from '../checks.ts';
import { owner } from '../owner.ts';
import { scaleGroups, scaleGroupsGrad } from './groups.ts';
import { powerNormGradWasm, powerNormInferenceWasm, powerNormVanillaWasm, powerNormWasm } from './wasm.ts';
import { powerNormGradWgsl, powerNormInferenceWgsl, powerNormVanillaWgsl, powerNormWgsl } from './wgsl.ts';

const perChannel = ({ x }: { x: Tensor }): { shape: number[]; dtype: 'float32' } => ({ shape: x.shape.slice(-1), dtype: 'float32' });
const likeX = ({ x }: { x: Tensor }): { shape: number[]; dtype: 'float32' } => ({ shape: x.shape, dtype: 'float32' });

function affine(z: Tensor, gamma: Tensor | undefined, beta: Tensor | undefined): Tensor {
  const scaled = gamma ? mul(z, gamma) : z;
  return beta ? add(scaled, beta) : scaled;
}

/** a / sqrt(meanSquare + epsilon) */
const overRoot = (a: Tensor, meanSquare: Tensor, epsilon: number): Tensor => mul(a, div(1, sqrt(add(meanSquare, epsilon))));

/** Mean over tokens, of those that the mask keeps; `none` where it keeps none. */
function meanOverTokens(values: Tensor, mask: Tensor | undefined, none: Tensor): Tensor {
  const tokens = leadingAxes(values, 1);
  if (mask === undefined) return mean(values, tokens);
  const kept = greater(mask, 0);
  const count = sum(cast(kept, 'float32'));
  // Chosen, not multiplied: what stands in padding may be NaN.
  const total = sum(where(expandDims(kept, -1), values, 0), tokens);
  return where(greater(count, 0), div(total, maximum(count, 1)), none);
}

/** x with its groups scaled, if there are any. */
const scaledX = (x: Tensor, groups: number, epsilon: number): Tensor => (groups === 0 ? x : scaleGroups(x, groups, epsilon));

export function checkGroups(op: string, channels: number, groups: number): void {
  const fits = Number.isInteger(groups) && groups >= 0 && (groups === 0 || (channels > 0 && channels % groups === 0));
  expect(fits, op, 'groups', `0, or a divisor of the ${channels} channels`, groups);
}

function check(op: string, x: Tensor, mask: Tensor | undefined, { epsilon, groups }: { epsilon: number; groups: number }): void {
  checkEpsilon(op, epsilon);
  if (x.rank < 2) {
    const message = `x has shape [${x.shape.join(', ')}], expected [batch, ..., channels] of rank 2 or more`;
    throw new EvenkeelError('SHAPE', message, { op, argument: 'x' });
  }
  checkGroups(op, x.shape.at(-1)!, groups);
  checkShape(op, 'mask', mask, x.shape.slice(0, -1), 'as x without its channels');
}

/**
 * The backward pass that the paper defines. With z = xs / sqrt(forwardPhi + epsilon), g = dy gamma, a = g - (1 - alphaBackward) emaGz z:
 * the gradient of xs is a / sqrt(backwardPhi + epsilon), and emaGz moves by mean(a z), over the tokens of the mask or over all.
 */
export const PowerNormGrad = /* @__PURE__ */ defineOp({
  name: 'PowerNormGrad',
  owner,
  inputs: {
    x: '...,c',
    dy: '...,c',
    forwardPhi: 'c',
    backwardPhi: 'c',
    emaGz: 'c',
    gamma: { shape: 'c', optional: true },
    mask: { shape: '...', dtype: 'int32', optional: true },
  },
  attrs: { epsilon: 1e-5, alphaBackward: 0.9, groups: 1 },
  check: ({ x, dy, mask }, attrs) => {
    check('PowerNormGrad', x, mask, attrs);
    checkShape('PowerNormGrad', 'dy', dy, x.shape, 'as x');
  },
  outputs: { dx: likeX, dgamma: perChannel, dbeta: perChannel, emaGzStep: perChannel },
  reference: ({ x, dy, forwardPhi, backwardPhi, emaGz, gamma, mask }, { epsilon, alphaBackward, groups }) => {
    const tokens = leadingAxes(x, 1);
    const z = overRoot(scaledX(x, groups, epsilon), forwardPhi, epsilon);
    const a = sub(gamma ? mul(dy, gamma) : dy, mul(mul(emaGz, 1 - alphaBackward), z));
    const dxs = overRoot(a, backwardPhi, epsilon);
    return {
      dx: groups === 0 ? dxs : scaleGroupsGrad(x, dxs, groups, epsilon),
      dgamma: sum(mul(dy, z), tokens),
      dbeta: sum(dy, tokens),
      emaGzStep: meanOverTokens(mul(a, z), mask, zeros(emaGz.shape)),
    };
  },
  kernels: () => [powerNormGradWgsl(), powerNormGradWasm()],
});

/** What PowerNorm's gradient is told. */
export interface BackwardOptions {
  epsilon: number;
  groups: number;
  /** Whether the forward pass divided by the batch's own statistic, as in warm-up. */
  batchStatistic: boolean;
  alphaBackward: number;
  gradientScale: 'batch' | 'running';
  /** Whether the mask counts for the mean that moves emaGz, too. */
  maskGradient: boolean;
}

export interface ForwardTensors {
  x: Tensor;
  runningPhi: Tensor;
  emaGz: Tensor;
  gamma?: Tensor | undefined;
  mask?: Tensor | undefined;
}

/** Gradients, and by how much emaGz moves. `phi` is the batch's statistic. */
export function backward(dy: Tensor, { x, runningPhi, emaGz, gamma, mask }: ForwardTensors, phi: Tensor, options: BackwardOptions) {
  const { epsilon, groups, batchStatistic, alphaBackward, gradientScale, maskGradient } = options;
  const forwardPhi = batchStatistic ? phi : runningPhi;
  const backwardPhi = gradientScale === 'batch' ? phi : forwardPhi;
  const counted = maskGradient ? mask : undefined;
  return PowerNormGrad({ x, dy, forwardPhi, backwardPhi, emaGz, gamma, mask: counted }, { epsilon, alphaBackward, groups });
}

/**
 * PowerNorm in training: y = gamma xs / sqrt(phi + epsilon) + beta, where xs is x with its groups scaled, and phi the running mean square as
 * it was, or the batch's own (`batchStatistic`), which comes out. What the gradient gives for emaGz is no slope: it is what is added to it.
 */
export const PowerNorm = /* @__PURE__ */ defineOp({
  name: 'PowerNorm',
  owner,
  inputs: {
    x: '...,c',
    runningPhi: 'c',
    emaGz: 'c',
    gamma: { shape: 'c', optional: true },
    beta: { shape: 'c', optional: true },
    mask: { shape: '...', dtype: 'int32', optional: true },
  },
  attrs: {
    epsilon: 1e-5,
    groups: 1,
    batchStatistic: false,
    alphaBackward: 0.9,
    gradientScale: 'batch' as BackwardOptions['gradientScale'],
    maskGradient: false,
  },
  check: ({ x, mask }, attrs) => check('PowerNorm', x, mask, attrs),
  outputs: { y: likeX, phi: perChannel },
  saveOutputs: ['phi'],
  reference: ({ x, runningPhi, gamma, beta, mask }, { epsilon, groups, batchStatistic }) => {
    const xs = scaledX(x, groups, epsilon);
    const phi = meanOverTokens(square(xs), mask, runningPhi);
    return { y: affine(overRoot(xs, batchStatistic ? phi : runningPhi, epsilon), gamma, beta), phi };
  },
  gradientKind: 'defined',
  gradient: (dy, inputs, attrs, { phi }) => {
    const { dx, dgamma, dbeta, emaGzStep } = backward(dy.y, inputs, phi, attrs);
    return { x: dx, gamma: dgamma, beta: dbeta, emaGz: emaGzStep };
  },
  kernels: () => [powerNormWgsl(), powerNormWasm()],
});

/** PN-V, the paper's step between batch norm and PowerNorm: the batch's mean square, with its exact gradient. */
export const PowerNormVanilla = /* @__PURE__ */ defineOp({
  name: 'PowerNormVanilla',
  owner,
  inputs: {
    x: '...,c',
    runningPhi: 'c',
    gamma: { shape: 'c', optional: true },
    beta: { shape: 'c', optional: true },
    mask: { shape: '...', dtype: 'int32', optional: true },
  },
  attrs: { epsilon: 1e-5, groups: 1 },
  check: ({ x, mask }, attrs) => check('PowerNormVanilla', x, mask, attrs),
  outputs: { y: likeX, phi: perChannel },
  reference: ({ x, runningPhi, gamma, beta, mask }, { epsilon, groups }) => {
    const xs = scaledX(x, groups, epsilon);
    const phi = meanOverTokens(square(xs), mask, runningPhi);
    return { y: affine(overRoot(xs, phi, epsilon), gamma, beta), phi };
  },
  kernels: () => [powerNormVanillaWgsl(), powerNormVanillaWasm()],
});

/** PowerNorm in inference: the running mean square is a constant. */
export const PowerNormInference = /* @__PURE__ */ defineOp({
  name: 'PowerNormInference',
  owner,
  inputs: { x: '...,c', runningPhi: 'c', gamma: { shape: 'c', optional: true }, beta: { shape: 'c', optional: true } },
  attrs: { epsilon: 1e-5, groups: 1 },
  check: ({ x }, attrs) => check('PowerNormInference', x, undefined, attrs),
  reference: ({ x, runningPhi, gamma, beta }, { epsilon, groups }) =>
    affine(overRoot(scaledX(x, groups, epsilon), runningPhi, epsilon), gamma, beta),
  gradient: (dy, { x, runningPhi, gamma }, attrs) => {
    const phis = { forwardPhi: runningPhi, backwardPhi: runningPhi };
    const { dx, dgamma, dbeta } = PowerNormGrad({ x, dy, ...phis, emaGz: zeros(runningPhi.shape), gamma }, attrs);
    return {
      x: dx,
      gamma: dgamma,
      beta: dbeta,
      runningPhi: () => mul(div(gamma ? mul(dgamma, gamma) : dgamma, add(runningPhi, attrs.epsilon)), -0.5),
    };
  },
  kernels: () => [powerNormInferenceWgsl(), powerNormInferenceWasm()],
});
