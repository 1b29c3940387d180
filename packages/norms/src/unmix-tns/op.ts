import {
  add,
  all,
  cast,
  div,
  expandDims,
  isFinite,
  logicalAnd,
  matMul,
  maximum,
  mean,
  mul,
  reshape,
  softmax,
  sqrt,
  square,
  stack,
  sub,
  sum,
  unstack,
  where,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { defineOp, EvenkeelError, expect, sizeOf } from '@evenkeel/core';
import { asSlabs, leadingAxes } from '../axes.ts';
import { checkEpsilon, checkReduced, checkShape } from '../checks.ts';
import { owner } from '../owner.ts';
import { unMixNormGradWasm, unMixNormWasm } from './wasm.ts';
import { unMixNormGradWgsl, unMixNormWgsl } from './wgsl.ts';

type Spec = { shape: number[]; dtype: 'float32' };
type WithX = { x: Tensor };
type WithMeans = { means: Tensor };
const likeX = ({ x }: WithX): Spec => ({ shape: x.shape, dtype: 'float32' });
const perChannel = ({ x }: WithX): Spec => ({ shape: x.shape.slice(-1), dtype: 'float32' });
const likeMeans = ({ means }: WithMeans): Spec => ({ shape: means.shape, dtype: 'float32' });

/** Vectors shorter than this have no direction. */
const SHORTEST = 1e-12;

/** [batch, channels] with an axis of length 1 for each spatial one. */
function overSpace(values: Tensor, x: Tensor): Tensor {
  return reshape(values, [x.shape[0]!, ...x.shape.slice(1, -1).map(() => 1), x.shape.at(-1)!]);
}

const spatialAxes = (x: Tensor): number[] => leadingAxes(x, 1).slice(1);

/** Rows of length 1. */
function directions(rows: Tensor): Tensor {
  return div(rows, maximum(sqrt(sum(square(rows), -1, true)), SHORTEST));
}

function checkRank(op: string, x: Tensor): void {
  if (x.rank >= 3) return;
  const message = `x has shape [${x.shape.join(', ')}], expected [batch, ...spatial, channels] of rank 3 or more`;
  throw new EvenkeelError('SHAPE', message, { op, argument: 'x' });
}

/**
 * The gradient with the assignment for a constant. With r = 1 / sqrt(variance + epsilon), n positions and K components, by image and channel:
 * dmean = -gamma r sum(dy), dvariance = -gamma r^3 sum(dy (x - mean)) / 2,
 * dx = gamma r dy + (dmean / K + dvariance slope) / n + 2 dvariance (x - instance mean) / (K n).
 */
export const UnMixNormGrad = /* @__PURE__ */ defineOp({
  name: 'UnMixNormGrad',
  owner,
  inputs: { x: 'batch,...,c', dy: 'batch,...,c', statistics: 'batch,four,c', gamma: { shape: 'c', optional: true } },
  attrs: { components: 16, epsilon: 1e-3 },
  check: ({ x, dy, statistics }, { components, epsilon }) => {
    checkRank('UnMixNormGrad', x);
    checkReduced('UnMixNormGrad', x, spatialAxes(x));
    checkShape('UnMixNormGrad', 'dy', dy, x.shape, 'as x');
    checkShape('UnMixNormGrad', 'statistics', statistics, [x.shape[0]!, 4, x.shape.at(-1)!], 'as UnMixNorm gives them');
    checkEpsilon('UnMixNormGrad', epsilon);
    expect(Number.isInteger(components) && components >= 1, 'UnMixNormGrad', 'components', 'an integer >= 1', components);
  },
  outputs: { dx: likeX, dgamma: perChannel, dbeta: perChannel },
  reference: ({ x, dy, statistics, gamma }, { components, epsilon }) => {
    const [mu, center, variance, slope] = unstack(statistics, 1) as [Tensor, Tensor, Tensor, Tensor];
    const { positions } = asSlabs(x.shape);
    const space = spatialAxes(x);
    const r = div(1, sqrt(add(variance, epsilon)));
    const ofDy = sum(dy, space);
    const xhat = mul(sum(mul(dy, sub(x, overSpace(center, x))), space), r);
    const scale = gamma ? mul(r, gamma) : r;
    const dmean = mul(mul(scale, ofDy), -1);
    const dvariance = mul(mul(mul(scale, r), xhat), -0.5);
    const constant = div(add(div(dmean, components), mul(dvariance, slope)), positions);
    const ofCentred = mul(dvariance, 2 / (components * positions));
    return {
      dx: add(add(mul(dy, overSpace(scale, x)), overSpace(constant, x)), mul(sub(x, overSpace(mu, x)), overSpace(ofCentred, x))),
      dgamma: sum(xhat, 0),
      dbeta: sum(ofDy, 0),
    };
  },
  kernels: () => [unMixNormGradWgsl(), unMixNormGradWasm()],
});

/**
 * Assigns each image to the components, normalizes it by the mean of its K mixtures, and tells the step of the components. `statistics` [batch, 4, channels]
 * is what the gradient needs: an image's own mean, the mean and variance that it is normalized by, and d variance / d own mean, of which the
 * latter is (2 / K) sum over k of p (m - mean). `skipped` counts images without finite statistics, which move nothing.
 */
export const UnMixNorm = /* @__PURE__ */ defineOp({
  name: 'UnMixNorm',
  owner,
  inputs: {
    x: 'batch,...,c',
    means: 'k,c',
    variances: 'k,c',
    gamma: { shape: 'c', optional: true },
    beta: { shape: 'c', optional: true },
  },
  attrs: {
    epsilon: 1e-3,
    temperature: 0.07,
    /** The share of the components that a batch keeps. */
    momentum: 0.9,
    /** Whether a mixture's variance has the part p (1 - p) (mean - component)^2, too. */
    exactMixtureVariance: false,
  },
  check: ({ x, means }, { epsilon, temperature, momentum }) => {
    checkRank('UnMixNorm', x);
    checkReduced('UnMixNorm', x, spatialAxes(x));
    checkEpsilon('UnMixNorm', epsilon);
    expect(means.shape[0]! >= 1, 'UnMixNorm', 'means', 'one component or more', means);
    expect(Number.isFinite(temperature) && temperature > 0, 'UnMixNorm', 'temperature', 'a finite number > 0', temperature);
    expect(momentum >= 0 && momentum <= 1, 'UnMixNorm', 'momentum', 'a number in [0, 1]', momentum);
  },
  outputs: {
    y: likeX,
    meansStep: likeMeans,
    variancesStep: likeMeans,
    assignment: ({ x, means }) => ({ shape: [x.shape[0]!, means.shape[0]!], dtype: 'float32' }),
    statistics: ({ x }) => ({ shape: [x.shape[0]!, 4, x.shape.at(-1)!], dtype: 'float32' }),
    skipped: () => ({ shape: [1], dtype: 'float32' }),
  },
  saveOutputs: ['statistics'],
  reference: ({ x, means, variances, gamma, beta }, { epsilon, temperature, momentum, exactMixtureVariance }) => {
    const space = spatialAxes(x);
    const own = mean(x, space);
    const ownVariance = mean(square(sub(x, overSpace(own, x))), space);
    const assignment = softmax(div(matMul(directions(own) as never, directions(means) as never, false, true), temperature)) as Tensor;

    // From here on [batch, components, channels]. Means are relative to the image's own: no difference of large numbers.
    const p = expandDims(assignment, 2);
    const away = sub(expandDims(means, 0), expandDims(own, 1));
    const distance = mul(sub(1, p), away);
    const between = mul(mul(p, distance), away);
    const within = add(expandDims(variances, 0), mul(p, sub(expandDims(ownVariance, 1), expandDims(variances, 0))));
    const offset = mean(distance, 1);
    const spread = sub(distance, expandDims(offset, 1));
    const center = add(own, offset);
    const variance = mean(add(exactMixtureVariance ? add(within, between) : within, square(spread)), 1);
    const pull = mul(p, exactMixtureVariance ? sub(spread, distance) : spread);
    const slope = mul(mean(pull, 1), 2);

    const scale = div(1, sqrt(add(variance, epsilon)));
    const normalized = mul(sub(x, overSpace(center, x)), overSpace(gamma ? mul(scale, gamma) : scale, x));

    const finite = logicalAnd(logicalAnd(all(isFinite(own), 1), all(isFinite(ownVariance), 1)), all(isFinite(assignment), 1));
    const counts = reshape(finite, [-1, 1, 1]);
    const count = sum(cast(finite, 'float32'));
    // Chosen, not multiplied: what stands in the others is NaN.
    const step = (moves: Tensor): Tensor => mul(div(sum(where(counts, moves, 0), 0), maximum(count, 1)), 1 - momentum);
    return {
      y: beta ? add(normalized, beta) : normalized,
      meansStep: step(mul(mul(p, away), -1)),
      variancesStep: step(sub(within, expandDims(variances, 0))),
      assignment,
      statistics: stack([own, center, variance, slope], 1),
      skipped: reshape(sub(sizeOf(x.shape.slice(0, 1)), count), [1]),
    };
  },
  gradientKind: 'defined',
  gradient: (dy, { x, means, gamma }, { epsilon }, { statistics }) => {
    const { dx, dgamma, dbeta } = UnMixNormGrad({ x, dy: dy.y, statistics, gamma }, { components: means.shape[0]!, epsilon });
    return { x: dx, gamma: dgamma, beta: dbeta };
  },
  kernels: () => [unMixNormWgsl(), unMixNormWasm()],
});
