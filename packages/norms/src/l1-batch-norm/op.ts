import { add, div, mean, mul, sign, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp, EvenkeelError, sizeOf } from '@evenkeel/core';
import { leadingAxes } from '../axes.ts';
import { checkShape } from '../checks.ts';
import { aboveFloor, checkL1, denominator, deviate, deviationFactor } from '../l1.ts';
import { owner } from '../owner.ts';
import { l1BatchNormGradWasm, l1BatchNormWasm } from './wasm.ts';
import { l1BatchNormGradWgsl, l1BatchNormWgsl } from './wgsl.ts';

/** One statistic per channel, over everything else. */
const perChannel = ({ x }: { x: Tensor }): { shape: number[]; dtype: 'float32' } => ({ shape: x.shape.slice(-1), dtype: 'float32' });
const likeX = ({ x }: { x: Tensor }): { shape: number[]; dtype: 'float32' } => ({ shape: x.shape, dtype: 'float32' });

/**
 * dx = gamma (dy - mean(dy) - (s - mean(s)) mean(dy xhat)) / denominator + dmean / n + ddeviation (s - mean(s)) / n with
 * s = sign(x - mean), in the first term times sqrt(pi / 2) with `gaussianScale`; dgamma = sum of dy xhat; dbeta = sum of dy. `dmean` and
 * `ddeviation` are what reaches the statistics where somebody uses them: zeros in ordinary training.
 */
export const L1BatchNormGrad = /* @__PURE__ */ defineOp({
  name: 'L1BatchNormGrad',
  owner,
  inputs: { x: '...,c', dy: '...,c', mean: 'c', deviation: 'c', dmean: 'c', ddeviation: 'c', gamma: { shape: 'c', optional: true } },
  attrs: { epsilon: 1e-5, gaussianScale: false, gradFloor: 0 },
  check: ({ x, dy }) => checkShape('L1BatchNormGrad', 'dy', dy, x.shape, 'as x'),
  outputs: { dx: likeX, dgamma: perChannel, dbeta: perChannel },
  reference: ({ x, dy, mean: mu, deviation, dmean, ddeviation, gamma }, attrs) => {
    const rows = leadingAxes(x, 1);
    const n = sizeOf(x.shape.slice(0, -1));
    const centred = sub(x, mu);
    const signs = sign(centred);
    const unevenSigns = sub(signs, mean(signs, rows));
    const divisor = denominator(deviation, attrs);
    const xhat = div(centred, divisor);
    const along = mul(mean(mul(dy, xhat), rows), deviationFactor(attrs.gaussianScale));
    const scale = gamma ? div(gamma, divisor) : div(1, divisor);
    const kept = mul(scale, aboveFloor(deviation, attrs.gradFloor));
    const dx = mul(sub(sub(dy, mean(dy, rows)), mul(unevenSigns, along)), kept);
    return {
      dx: add(add(dx, div(dmean, n)), mul(unevenSigns, div(ddeviation, n))),
      dgamma: sum(mul(dy, xhat), rows),
      dbeta: sum(dy, rows),
    };
  },
  kernels: () => [l1BatchNormGradWgsl(), l1BatchNormGradWasm()],
});

/** Batch normalization by the mean absolute deviation in training: by the batch's own statistics, which it returns. */
export const L1BatchNorm = /* @__PURE__ */ defineOp({
  name: 'L1BatchNorm',
  owner,
  inputs: { x: '...,c', gamma: { shape: 'c', optional: true }, beta: { shape: 'c', optional: true } },
  attrs: { epsilon: 1e-5, gaussianScale: false, gradFloor: 0 },
  check: ({ x }, attrs) => {
    checkL1('L1BatchNorm', attrs);
    const [found, details] = [`x has shape [${x.shape.join(', ')}]`, { op: 'L1BatchNorm', argument: 'x' }];
    if (x.rank < 2) throw new EvenkeelError('SHAPE', `${found}, expected [batch, ..., channels] of rank 2 or more`, details);
    if (sizeOf(x.shape.slice(0, -1)) === 1) {
      const why = '(the deviation of one value is 0); l1LayerNorm works on single samples';
      throw new EvenkeelError('SHAPE', `${found}, expected more than one value per channel ${why}`, details);
    }
  },
  outputs: { y: likeX, mean: perChannel, deviation: perChannel },
  saveOutputs: ['mean', 'deviation'],
  reference: ({ x, gamma, beta }, attrs) => {
    const { mean: mu, centred, deviation } = deviate(x, leadingAxes(x, 1), false);
    const xhat = div(centred, denominator(deviation, attrs));
    const scaled = gamma ? mul(xhat, gamma) : xhat;
    return { y: beta ? add(scaled, beta) : scaled, mean: mu, deviation };
  },
  gradient: (dy, { x, gamma }, attrs, { mean: mu, deviation }) => {
    const inputs = { x, dy: dy.y, mean: mu, deviation, dmean: dy.mean, ddeviation: dy.deviation, gamma };
    const { dx, dgamma, dbeta } = L1BatchNormGrad(inputs, attrs);
    return { x: dx, gamma: dgamma, beta: dbeta };
  },
  kernels: () => [l1BatchNormWgsl(), l1BatchNormWasm()],
});
