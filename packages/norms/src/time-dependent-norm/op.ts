import { add, div, mean, mul, reshape, sigmoid, sqrt, square, step, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp, EvenkeelError, expect } from '@evenkeel/core';
import { checkEpsilon, checkReduced, checkShape } from '../checks.ts';
import { owner } from '../owner.ts';
import { standardize } from '../layer-norm/op.ts';
import { conditionalNormGradWasm, conditionalNormWasm } from './wasm.ts';
import { conditionalNormGradWgsl, conditionalNormWgsl } from './wgsl.ts';

/** s = sigmoid(tau w + b), [samples, n]. */
function blend(tau: Tensor, w: Tensor, b: Tensor): Tensor {
  return sigmoid(add(mul(reshape(tau, [tau.size, 1]), w), b));
}

/**
 * dp0 = sum of s dy, dp1 = sum of (1 - s) dy, dw = sum of a tau, db = sum of a, over samples, and dtau = sum of a w over n, with
 * a = dy (p0 - p1) s (1 - s). In tfjs sigmoid itself has no second derivative; here it comes of the first.
 */
export const TimeDependentParameterGrad = /* @__PURE__ */ defineOp({
  name: 'TimeDependentParameterGrad',
  owner,
  inputs: { p0: 'n', p1: 'n', w: 'n', b: 'n', tau: 'samples', dy: 'samples,n' },
  outputs: {
    dp0: ({ p0 }) => ({ shape: p0.shape, dtype: 'float32' }),
    dp1: ({ p0 }) => ({ shape: p0.shape, dtype: 'float32' }),
    dw: ({ p0 }) => ({ shape: p0.shape, dtype: 'float32' }),
    db: ({ p0 }) => ({ shape: p0.shape, dtype: 'float32' }),
    dtau: ({ tau }) => ({ shape: tau.shape, dtype: 'float32' }),
  },
  reference: ({ p0, p1, w, b, tau, dy }) => {
    const s = blend(tau, w, b);
    const towards = mul(s, dy);
    const a = mul(mul(towards, sub(1, s)), sub(p0, p1));
    return {
      dp0: sum(towards, 0),
      dp1: sum(sub(dy, towards), 0),
      dw: sum(mul(a, reshape(tau, [tau.size, 1])), 0),
      db: sum(a, 0),
      dtau: sum(mul(a, w), 1),
    };
  },
});

/** s p0 + (1 - s) p1 with s = sigmoid(tau w + b), a row for each tau. A few numbers for each sample: no kernel would show. */
export const TimeDependentParameter = /* @__PURE__ */ defineOp({
  name: 'TimeDependentParameter',
  owner,
  inputs: { p0: 'n', p1: 'n', w: 'n', b: 'n', tau: 'samples' },
  output: ({ p0, tau }) => ({ shape: [tau.size, p0.size], dtype: 'float32' }),
  reference: ({ p0, p1, w, b, tau }) => add(p1, mul(blend(tau, w, b), sub(p0, p1))),
  gradient: (dy, inputs) => {
    const { dp0, dp1, dw, db, dtau } = TimeDependentParameterGrad({ ...inputs, dy });
    return { p0: dp0, p1: dp1, w: dw, b: db, tau: dtau };
  },
});

/** [samples, n] for x [batch, ..., n]: one row each, or one for all. */
function checkRows(op: string, argument: string, rows: Tensor | undefined, x: Tensor): void {
  if (rows === undefined) return;
  const samples = rows.shape[0]!;
  if (samples === 1 || (x.rank > 1 && samples === x.shape[0])) return;
  throw new EvenkeelError(
    'SHAPE',
    `${argument} has shape [${rows.shape.join(', ')}], expected [1, n], or [batch, n] for x [batch, ..., n], which has shape [${x.shape.join(', ')}]`,
    { op, argument },
  );
}

/** [samples, n] as it broadcasts against x. */
function alongside(rows: Tensor, x: Tensor): Tensor {
  const [samples, width] = rows.shape as [number, number];
  return reshape(rows, x.rank === 1 ? [width] : [samples, ...Array<number>(x.rank - 2).fill(1), width]);
}

/** x normalized along its last axis, and what it was multiplied by. The root of RMS normalization has epsilon beside it. */
function normalize(x: Tensor, kind: string, epsilon: number): { xhat: Tensor; r: Tensor; root?: Tensor } {
  const last = [x.rank - 1];
  if (kind === 'layer') return standardize(x, last, epsilon);
  const root = sqrt(mean(square(x), last, true));
  const r = div(1, add(root, epsilon));
  return { xhat: mul(x, r), r, root };
}

/** Sums over all positions that share a row. */
function sumRows(values: Tensor, samples: number): Tensor {
  const width = values.shape.at(-1)!;
  return sum(reshape(values, [samples, values.size / (samples * width), width]), 1);
}

/**
 * kind 'layer': dx = r (g - mean(g) - xhat mean(g xhat)); 'rms': dx = r g - xhat mean(g xhat) / root, and 0 for a row of zeros; with
 * g = dy gamma. dgamma = sum of dy xhat and dbeta = sum of dy over the positions of each of the `samples` rows.
 */
export const ConditionalNormGrad = /* @__PURE__ */ defineOp({
  name: 'ConditionalNormGrad',
  owner,
  inputs: { x: '...,n', dy: '...,n', gamma: { shape: 'samples,n', optional: true } },
  attrs: { kind: 'layer', epsilon: 1e-5, samples: 1 },
  check: ({ x, dy, gamma }, { samples }) => {
    const op = 'ConditionalNormGrad';
    checkShape(op, 'dy', dy, x.shape, 'as x');
    checkRows(op, 'gamma', gamma, x);
    const least = gamma?.shape[0] ?? 1;
    const expected = least === 1 ? `1, or the batch's ${x.shape[0]}` : `${least}, as gamma has`;
    expect(samples === least || (least === 1 && x.rank > 1 && samples === x.shape[0]), op, 'samples', expected, samples);
  },
  outputs: {
    dx: ({ x }) => ({ shape: x.shape, dtype: 'float32' }),
    dgamma: ({ x }, { samples }) => ({ shape: [samples, x.shape.at(-1)!], dtype: 'float32' }),
    dbeta: ({ x }, { samples }) => ({ shape: [samples, x.shape.at(-1)!], dtype: 'float32' }),
  },
  reference: ({ x, dy, gamma }, { kind, epsilon, samples }) => {
    const last = [x.rank - 1];
    const { xhat, r, root } = normalize(x, kind, epsilon);
    const g = gamma ? mul(dy, alongside(gamma, x)) : dy;
    const along = mean(mul(g, xhat), last, true);
    let dx: Tensor;
    if (root === undefined) dx = mul(r, sub(sub(g, mean(g, last, true)), mul(xhat, along)));
    else {
      // 1 for a row that is not all zeros. The sum keeps the quotient finite where it is not used.
      const some = step(root);
      dx = mul(sub(mul(r, g), div(mul(xhat, along), add(root, sub(1, some)))), some);
    }
    return { dx, dgamma: sumRows(mul(dy, xhat), samples), dbeta: sumRows(dy, samples) };
  },
  kernels: () => [conditionalNormGradWgsl(), conditionalNormGradWasm()],
});

export const ConditionalNorm = /* @__PURE__ */ defineOp({
  name: 'ConditionalNorm',
  owner,
  inputs: { x: '...,n', gamma: { shape: 'samples,n', optional: true }, beta: { shape: 'shifts,n', optional: true } },
  attrs: { kind: 'layer', epsilon: 1e-5 },
  check: ({ x, gamma, beta }, { kind, epsilon }) => {
    const op = 'ConditionalNorm';
    expect(kind === 'layer' || kind === 'rms', op, 'kind', "'layer' or 'rms'", kind);
    checkEpsilon(op, epsilon);
    checkReduced(op, x, [x.rank - 1]);
    checkRows(op, 'gamma', gamma, x);
    checkRows(op, 'beta', beta, x);
  },
  reference: ({ x, gamma, beta }, { kind, epsilon }) => {
    const { xhat } = normalize(x, kind, epsilon);
    const scaled = gamma ? mul(xhat, alongside(gamma, x)) : xhat;
    return beta ? add(scaled, alongside(beta, x)) : scaled;
  },
  gradient: (dy, { x, gamma, beta }, attrs) => {
    const samples = Math.max(gamma?.shape[0] ?? 1, beta?.shape[0] ?? 1);
    const { dx, dgamma, dbeta } = ConditionalNormGrad({ x, dy, gamma }, { ...attrs, samples });
    const like = (rows: Tensor | undefined, gradient: Tensor): Tensor | (() => Tensor) =>
      rows !== undefined && rows.shape[0]! < samples ? () => sum(gradient, 0, true) : gradient;
    return { x: dx, gamma: like(gamma, dgamma), beta: like(beta, dbeta) };
  },
  kernels: () => [conditionalNormWgsl(), conditionalNormWasm()],
});
