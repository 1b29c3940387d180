import { mul, reshape, sub } from '@tensorflow/tfjs-core';
import { defineOp } from '@evenkeel/core';
import { checkTensors, gated, scaled } from '../gate.ts';
import { owner } from '../owner.ts';
import { channelLayout } from '../projection/layout.ts';
import { asRows, checkProjection, project, projectionDefaults, type ProjectionOptions } from '../projection/projection.ts';
import { checkSGD, sgdDefaults, sgdInputs, sgdOutputs, sgdStep, type SGDAttributes } from '../sgd-w/op.ts';
import { sgdPWasm } from './wasm.ts';
import { sgdPWgsl } from './wgsl.ts';

/** Attributes of a step of SGDP. */
export interface SGDPAttributes extends SGDAttributes, ProjectionOptions {
  /** Where the output channels lie: neighbouring axes. */
  channelAxes: readonly number[];
  /** Whether what is taken out of the step is taken out of the velocity, too (not with nesterov): as published code does, not the paper. */
  projectMomentumBuffer: boolean;
}

/** The decay of a step: what makes it comparable with a decay that is part of the gradient, and so goes through the velocity. */
export const sgdPDecay = ({ learningRate, momentum, weightDecay }: SGDAttributes): number => (learningRate * weightDecay) / (1 - momentum);

/**
 * A step of SGDP (Heo et al. 2021): SGD with momentum, whose step loses its part along the weight where the weight counts as scale-invariant,
 * and whose decay, learningRate weightDecay / (1 - momentum), is then wdRatio of itself. `view` tells which test passed: 0 none, 1 that of the
 * rows, 2 that of the whole tensor.
 */
export const SGDPStep = /* @__PURE__ */ defineOp({
  name: 'SGDPStep',
  owner,
  inputs: sgdInputs,
  attrs: { ...sgdDefaults, ...projectionDefaults, channelAxes: [-1] as readonly number[], projectMomentumBuffer: true },
  check: ({ value, gradient, velocity, scale }, attrs) => {
    checkTensors('SGDPStep', value, { gradient, velocity }, scale);
    checkSGD('SGDPStep', attrs);
    checkProjection('SGDPStep', attrs);
    channelLayout('SGDPStep', value.shape, attrs.channelAxes);
  },
  outputs: { ...sgdOutputs, view: () => ({ shape: [], dtype: 'float32' }) },
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
