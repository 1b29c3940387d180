// EvoNorm-S0, S1 and S2: x sigmoid(v x), divided by the deviation (S2: the root mean square) of x over a sample's group of channels.
// S0 has v; without it, v is 1, which makes S1 and S2.
import { add, div, mean, mul, reshape, sigmoid, sqrt, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp, expect } from '@evenkeel/core';
import { asSlabs, leadingAxes } from '../axes.ts';
import { checkEpsilon, checkReduced, checkShape } from '../checks.ts';
import { owner } from '../owner.ts';
import { evoNormSGradWasm, evoNormSWasm } from './s-wasm.ts';
import { evoNormSGradWgsl, evoNormSWgsl } from './s-wgsl.ts';
import { affine, likeX, perChannel, refuseDegenerate } from './shared.ts';

interface Attributes {
  numGroups: number;
  epsilon: number;
  centred: boolean;
}

/** [N, ...spatial, C] as [N, positions, G, C / G], whose axes 1 and 3 share a statistic. */
function grouped(x: Tensor, numGroups: number): Tensor {
  const { samples, positions, channels } = asSlabs(x.shape);
  return reshape(x, [samples, positions, numGroups, channels / numGroups]);
}

/** x by group, less the group's mean if the statistic is centred, and the root of its mean square. */
function statistics(x: Tensor, { numGroups, epsilon, centred }: Attributes): { from: Tensor; root: Tensor } {
  const byGroup = grouped(x, numGroups);
  const from = centred ? sub(byGroup, mean(byGroup, [1, 3], true)) : byGroup;
  return { from, root: sqrt(add(mean(square(from), [1, 3], true), epsilon)) };
}

const gate = (x: Tensor, v: Tensor | undefined): Tensor => sigmoid(v ? mul(v, x) : x);

function check(op: string, x: Tensor, { numGroups, epsilon }: Attributes): void {
  checkEpsilon(op, epsilon);
  checkReduced(op, x, leadingAxes(x, 0).slice(1));
  const { positions, channels } = asSlabs(x.shape);
  const divides = Number.isInteger(numGroups) && numGroups > 0 && channels % numGroups === 0;
  expect(divides, op, 'numGroups', `a divisor of the ${channels} channels of x`, numGroups);
  if (positions * channels === numGroups) refuseDegenerate(op, x, `more than one value in each of the ${numGroups} groups of a sample`);
}

/**
 * With s = sigmoid(v x), z = x s / root and g = dy gamma: dx = g (s + v x s (1 - s)) / root - from mean(g z) / root^2, the mean over the group;
 * dgamma = sum of dy z, dbeta = sum of dy, dv = sum of g x^2 s (1 - s) / root.
 */
export const EvoNormSGrad = /* @__PURE__ */ defineOp({
  name: 'EvoNormSGrad',
  owner,
  inputs: { x: 'batch,...,c', dy: 'batch,...,c', gamma: { shape: 'c', optional: true }, v: { shape: 'c', optional: true } },
  attrs: { numGroups: 32, epsilon: 1e-5, centred: true },
  check: ({ x, dy }, attrs) => {
    checkShape('EvoNormSGrad', 'dy', dy, x.shape, 'as x');
    check('EvoNormSGrad', x, attrs);
  },
  outputs: { dx: likeX, dgamma: perChannel, dbeta: perChannel, dv: perChannel },
  reference: ({ x, dy, gamma, v }, attrs) => {
    const { from, root } = statistics(x, attrs);
    const byGroup = (a: Tensor): Tensor => grouped(a, attrs.numGroups);
    const overRoot = (a: Tensor): Tensor => reshape(div(byGroup(a), root), x.shape);
    const s = gate(x, v);
    const slope = mul(x, mul(s, sub(1, s)));
    const z = overRoot(mul(x, s));
    const g = gamma ? mul(dy, gamma) : dy;
    const direct = overRoot(mul(g, add(s, v ? mul(v, slope) : slope)));
    const through = div(mul(from, mean(byGroup(mul(g, z)), [1, 3], true)), square(root));
    const rows = leadingAxes(x, 1);
    return {
      dx: sub(direct, reshape(through, x.shape)),
      dgamma: sum(mul(dy, z), rows),
      dbeta: sum(dy, rows),
      dv: sum(overRoot(mul(g, mul(x, slope))), rows),
    };
  },
  kernels: () => [evoNormSGradWgsl(), evoNormSGradWasm()],
});

export const EvoNormS = /* @__PURE__ */ defineOp({
  name: 'EvoNormS',
  owner,
  inputs: {
    x: 'batch,...,c',
    gamma: { shape: 'c', optional: true },
    beta: { shape: 'c', optional: true },
    v: { shape: 'c', optional: true },
  },
  attrs: { numGroups: 32, epsilon: 1e-5, centred: true },
  check: ({ x }, attrs) => check('EvoNormS', x, attrs),
  reference: ({ x, gamma, beta, v }, attrs) => {
    const z = div(grouped(mul(x, gate(x, v)), attrs.numGroups), statistics(x, attrs).root);
    return affine(reshape(z, x.shape), gamma, beta);
  },
  gradient: (dy, { x, gamma, v }, attrs) => {
    const { dx, dgamma, dbeta, dv } = EvoNormSGrad({ x, dy, gamma, v }, attrs);
    return { x: dx, gamma: dgamma, beta: dbeta, v: dv };
  },
  kernels: () => [evoNormSWgsl(), evoNormSWasm()],
});
