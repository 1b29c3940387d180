import { add, cast, div, greaterEqual, mean, mul, sqrt, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp, EvenkeelError, expect, sizeOf } from '@evenkeel/core';
import { leadingAxes } from '../axes.ts';
import { checkEpsilon, checkShape } from '../checks.ts';
import { owner } from '../owner.ts';
import { deviationOf, VARIANTS, type WeightStandardizationAttributes } from './variants.ts';
import { weightStandardizationGradWasm, weightStandardizationWasm } from './wasm.ts';
import { weightStandardizationGradWgsl, weightStandardizationWgsl } from './wgsl.ts';

const attrs: WeightStandardizationAttributes = { variant: 'sqrt(var_unbiased+eps)', epsilon: 1e-5 };

export function checkVariant(op: string, variant: string): void {
  expect((VARIANTS as readonly string[]).includes(variant), op, 'variant', `one of ${VARIANTS.join(', ')}`, variant);
}

function check(op: string, kernel: Tensor, { variant, epsilon }: WeightStandardizationAttributes): void {
  checkEpsilon(op, epsilon);
  checkVariant(op, variant);
  if (kernel.size === 0 || sizeOf(kernel.shape.slice(0, -1)) > 1) return;
  const message = `kernel has shape [${kernel.shape.join(', ')}], expected more than one weight per filter (standardized, one weight is 0)`;
  throw new EvenkeelError('SHAPE', message, { op, argument: 'kernel' });
}

/** 1 where a variance or deviation is 0. Not by greater() or where(): tfjs cannot differentiate the one, nor the gradient of the other. */
const isConstant = (spread: Tensor): Tensor => cast(greaterEqual(0, spread), 'float32');

/** How far each weight is from its filter's mean, the filter's standard deviation, and what it is divided by. */
function parts(kernel: Tensor, { variant, epsilon }: WeightStandardizationAttributes) {
  const rows = leadingAxes(kernel, 1);
  const { less, insideRoot } = deviationOf(variant);
  const count = sizeOf(kernel.shape.slice(0, -1)) - less;
  const centred = sub(kernel, mean(kernel, rows));
  const variance = div(sum(square(centred), rows), count);
  if (insideRoot) {
    const s = sqrt(add(variance, epsilon));
    return { rows, count, centred, s, sigma: s };
  }
  // The root has no slope at 0: a constant filter counts as one whose deviation does not change.
  const constant = isConstant(variance);
  const sigma = sub(sqrt(add(variance, constant)), constant);
  return { rows, count, centred, s: add(sigma, epsilon), sigma };
}

/**
 * With D = dy, What = Wc / s: dW = (D - mean(D)) / s - Wc sum(D Wc) / (s^2 sigma q), where q is n - 1 or n, and sigma is s where epsilon is
 * inside the root, else the standard deviation; where that is 0, so is the second term.
 */
export const WeightStandardizationGrad = /* @__PURE__ */ defineOp({
  name: 'WeightStandardizationGrad',
  owner,
  inputs: { kernel: '...,f', dy: '...,f' },
  attrs,
  check: ({ kernel, dy }, given) => {
    check('WeightStandardizationGrad', kernel, given);
    checkShape('WeightStandardizationGrad', 'dy', dy, kernel.shape, 'as kernel');
  },
  reference: ({ kernel, dy }, given) => {
    const { rows, count, centred, s, sigma } = parts(kernel, given);
    const product = sum(mul(dy, centred), rows);
    const slope = div(product, mul(mul(square(s), add(sigma, isConstant(sigma))), count));
    return sub(div(sub(dy, mean(dy, rows)), s), mul(centred, slope));
  },
  kernels: () => [weightStandardizationGradWgsl(), weightStandardizationGradWasm()],
});

/** Standardizes each filter: filters are the last axis, all others are their weights. */
export const WeightStandardization = /* @__PURE__ */ defineOp({
  name: 'WeightStandardization',
  owner,
  inputs: { kernel: '...,f' },
  attrs,
  check: ({ kernel }, given) => check('WeightStandardization', kernel, given),
  reference: ({ kernel }, given) => {
    const { centred, s } = parts(kernel, given);
    return div(centred, s);
  },
  gradient: (dy, { kernel }, given) => ({ kernel: WeightStandardizationGrad({ kernel, dy }, given) }),
  kernels: () => [weightStandardizationWgsl(), weightStandardizationWasm()],
});
