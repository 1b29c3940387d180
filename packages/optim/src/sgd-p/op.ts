import { mul, reshape, sub } from '@tensorflow/tfjs-core';
import { defineOp } from '@evenkeel/core';
import { checkTensors, gated, scalarOutput, scaled } from '../gate.ts';
import { owner } from '../owner.ts';
import { channelLayout } from '../projection/layout.ts';
import { asRows, checkProjection, project, projectionDefaults } from '../projection/projection.ts';
import { checkSGD, sgdDefaults } from '../sgd-w/attributes.ts';
import { sgdInputs, sgdOutputs, sgdStep } from '../sgd-w/op.ts';
import { sgdPDecay } from './attributes.ts';
import { sgdPWasm } from './wasm.ts';
import { sgdPWgsl } from './wgsl.ts';

/**
 * A step of SGDP (Heo et al. 2021): SGD with momentum, whose step loses its part along the weight where the weight counts as scale-invariant,
 * and whose decay, learningRate weightDecay / (1 - momentum), is then wdRatio of itself. `view` tells which test passed: 0 none, 1 that of the
 * rows, 2 that of the whole tensor.
 */
export const SGDPStep = /* @__PURE__ */ defineOp({
  name: 'SGDPStep',
  owner,
  inputs: sgdInputs,
  // Not spread: bundlers keep an op whose definition spreads something, used or not.
  attrs: /* @__PURE__ */ Object.assign(
    { channelAxes: [-1] as readonly number[], projectMomentumBuffer: true },
    sgdDefaults,
    projectionDefaults,
  ),
  check: ({ value, gradient, velocity, scale }, attrs) => {
    checkTensors('SGDPStep', value, { gradient, velocity }, scale);
    checkSGD('SGDPStep', attrs);
    checkProjection('SGDPStep', attrs);
    channelLayout('SGDPStep', value.shape, attrs.channelAxes);
  },
  outputs: /* @__PURE__ */ Object.assign({}, sgdOutputs, { view: scalarOutput }),
  reference: ({ value, gradient, velocity, scale }, attrs) => {
    const layout = channelLayout('SGDPStep', value.shape, attrs.channelAxes);
    const g = scaled(gradient, scale);
    const next = sgdStep(g, velocity, attrs);
    const rows = asRows(value, layout);
    const step = asRows(next.step, layout);
    const { along, ratio, view } = project(rows, asRows(g, layout), step, attrs);
    const projected = sub(step, mul(rows, along));
    const moved = sub(mul(rows, sub(1, mul(ratio, sgdPDecay(attrs)))), mul(projected, attrs.learningRate));
    const keepsVelocity = attrs.nesterov || !attrs.projectMomentumBuffer;
    return {
      nextValue: gated(scale, reshape(moved, value.shape), value),
      nextVelocity: gated(scale, keepsVelocity ? next.velocity : reshape(projected, value.shape), velocity),
      view: gated(scale, view, mul(view, 0)),
    };
  },
  gradient: () => ({}),
  kernels: () => [sgdPWgsl(), sgdPWasm()],
});
