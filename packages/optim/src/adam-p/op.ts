import { mul, sub, add, reshape } from '@tensorflow/tfjs-core';
import { defineOp } from '@evenkeel/core';
import { adamDefaults, adamFactors, checkAdam } from '../adam-w/attributes.ts';
import { adamInputs, adamOutputs, adamStep } from '../adam-w/op.ts';
import { checkTensors, gated, scalarOutput, scaled } from '../gate.ts';
import { owner } from '../owner.ts';
import { channelLayout } from '../projection/layout.ts';
import { asRows, checkProjection, project, projectionDefaults } from '../projection/projection.ts';
import { adamPWasm } from './wasm.ts';
import { adamPWgsl } from './wgsl.ts';

/**
 * A step of AdamP (Heo et al. 2021): AdamW, whose step loses its part along the weight where the weight counts as scale-invariant, and whose
 * decay is then wdRatio of itself. `view` tells which test passed: 0 none, 1 that of the rows, 2 that of the whole tensor.
 */
export const AdamPStep = /* @__PURE__ */ defineOp({
  name: 'AdamPStep',
  owner,
  inputs: adamInputs,
  // Not spread: bundlers keep an op whose definition spreads something, used or not.
  attrs: /* @__PURE__ */ Object.assign({ channelAxes: [-1] as readonly number[] }, adamDefaults, projectionDefaults),
  check: ({ value, gradient, first, second, scale }, attrs) => {
    checkTensors('AdamPStep', value, { gradient, first, second }, scale);
    checkAdam('AdamPStep', attrs);
    checkProjection('AdamPStep', attrs);
    channelLayout('AdamPStep', value.shape, attrs.channelAxes);
  },
  outputs: /* @__PURE__ */ Object.assign({}, adamOutputs, { view: scalarOutput }),
  reference: ({ value, gradient, first, second, scale }, attrs) => {
    const layout = channelLayout('AdamPStep', value.shape, attrs.channelAxes);
    const g = scaled(gradient, scale);
    const next = adamStep(g, first, second, attrs);
    const { along, ratio, view } = project(asRows(value, layout), asRows(g, layout), asRows(next.step, layout), attrs);
    const { rate } = adamFactors(attrs);
    // (1 - decay) value - rate (step - along value)
    const keep = add(sub(1, mul(ratio, attrs.learningRate * attrs.weightDecay)), mul(along, rate));
    const moved = sub(mul(asRows(value, layout), keep), mul(asRows(next.step, layout), rate));
    return {
      nextValue: gated(scale, reshape(moved, value.shape), value),
      nextFirst: gated(scale, next.first, first),
      nextSecond: gated(scale, next.second, second),
      view: gated(scale, view, mul(view, 0)),
    };
  },
  gradient: () => ({}),
  kernels: () => [adamPWgsl(), adamPWasm()],
});
