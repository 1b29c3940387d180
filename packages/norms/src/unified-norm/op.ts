// Unified normalization in parts: what goes over the tokens, and what is only about the window of the last steps. The parts are ordinary
// functions with ordinary gradients; unified-norm.ts puts them together and defines the backward pass.
import {
  add,
  any,
  cast,
  clipByValue,
  concat,
  div,
  exp,
  expandDims,
  fill,
  greater,
  log,
  logicalOr,
  maximum,
  mean,
  minimum,
  mul,
  reshape,
  slice,
  sqrt,
  square,
  sub,
  sum,
  where,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { defineOp, expect } from '@evenkeel/core';
import { leadingAxes } from '../axes.ts';
import { checkEpsilon, checkShape } from '../checks.ts';
import { owner } from '../owner.ts';
import { blendWasm, meanSquareWasm, tokenSumsWasm, unifiedGradWindowWasm, unifiedWindowWasm } from './wasm.ts';
import { blendWgsl, meanSquareWgsl, tokenSumsWgsl, unifiedGradWindowWgsl, unifiedWindowWgsl } from './wgsl.ts';

type Spec = { shape: number[]; dtype: 'float32' };
const perChannel = ({ x }: { x: Tensor }): Spec => ({ shape: x.shape.slice(-1), dtype: 'float32' });
const specOf = ({ shape }: Tensor): Spec => ({ shape, dtype: 'float32' });
const likeMeanSquare = ({ meanSquare }: { meanSquare: Tensor }): Spec => specOf(meanSquare);
const likeSquares = ({ squares }: { squares: Tensor }): Spec => specOf(squares);
const likeProducts = ({ products }: { products: Tensor }): Spec => specOf(products);
const likeGradients = ({ gradients }: { gradients: Tensor }): Spec => specOf(gradients);
const flag = (): Spec => ({ shape: [1], dtype: 'float32' });

/** The logarithm of a dead channel's 0 would be undefined on some GPUs. */
const LEAST = 1e-30;

/** Mean square of each channel over the tokens that count; `fallback` where none does. */
export const MeanSquare = /* @__PURE__ */ defineOp({
  name: 'MeanSquare',
  owner,
  inputs: { x: '...,c', fallback: 'c', mask: { shape: '...', dtype: 'int32', optional: true } },
  check: ({ x, mask }) => checkShape('MeanSquare', 'mask', mask, x.shape.slice(0, -1), 'as x without its channels'),
  output: perChannel,
  reference: ({ x, fallback, mask }) => {
    const tokens = leadingAxes(x, 1);
    if (mask === undefined) return mean(square(x), tokens);
    const counts = greater(mask, 0);
    const count = sum(cast(counts, 'float32'));
    // Chosen, not multiplied: what stands in padding may be NaN.
    const total = sum(where(expandDims(counts, -1), square(x), 0), tokens);
    return where(greater(count, 0), div(total, maximum(count, 1)), fallback);
  },
  kernels: () => [meanSquareWgsl(), meanSquareWasm()],
});

/** Sums over tokens, by channel: of dy x, and of dy. */
export const TokenSums = /* @__PURE__ */ defineOp({
  name: 'TokenSums',
  owner,
  inputs: { x: '...,c', dy: '...,c' },
  check: ({ x, dy }) => checkShape('TokenSums', 'dy', dy, x.shape, 'as x'),
  outputs: { products: perChannel, sums: perChannel },
  reference: ({ x, dy }) => {
    const tokens = leadingAxes(x, 1);
    return { products: sum(mul(dy, x), tokens), sums: sum(dy, tokens) };
  },
  kernels: () => [tokenSumsWgsl(), tokenSumsWasm()],
});

/** dx = dy scale + x slope, by channel. */
export const Blend = /* @__PURE__ */ defineOp({
  name: 'Blend',
  owner,
  inputs: { x: '...,c', dy: '...,c', scale: 'c', slope: 'c' },
  check: ({ x, dy }) => checkShape('Blend', 'dy', dy, x.shape, 'as x'),
  reference: ({ x, dy, scale, slope }) => add(mul(dy, scale), mul(x, slope)),
  kernels: () => [blendWgsl(), blendWasm()],
});

/** The buffer with `row` in its slot. */
function replaceRow(buffer: Tensor, slot: number, row: Tensor): Tensor {
  const [window, channels] = buffer.shape as [number, number];
  const parts = [slice(buffer, [0, 0], [slot, channels]), reshape(row, [1, channels]), slice(buffer, [slot + 1, 0])];
  return concat(
    parts.filter((part, i) => i === 1 || (i === 0 ? slot > 0 : slot < window - 1)),
    0,
  );
}

function checkSlot(op: string, buffer: Tensor, slot: number): void {
  const window = buffer.shape[0]!;
  expect(Number.isInteger(slot) && slot >= 0 && slot < window, op, 'slot', `an integer from 0 to ${window - 1}`, slot);
}

/** Unbiased variance of all numbers, or of each column. */
function spread(values: Tensor, byColumn: boolean): Tensor {
  const axis = byColumn ? [0] : [0, 1];
  const count = byColumn ? values.shape[0]! : values.size;
  return div(sum(square(sub(values, mean(values, axis, true))), axis), count - 1);
}

/**
 * The window of a forward pass: from the batch's mean square, the running one and those of the last steps, what to divide by (`square`), how
 * the gradient is rescaled (`factor`), and the next state. `skip` is 1 where the window holds an outlier: then the batch stands for itself.
 */
export const UnifiedWindow = /* @__PURE__ */ defineOp({
  name: 'UnifiedWindow',
  owner,
  inputs: { meanSquare: 'c', runningVar: 'c', squares: 'w,c' },
  attrs: {
    epsilon: 1e-5,
    momentum: 0.9,
    /** Where in the window this step goes. */
    slot: 0,
    /** Whether the window's geometric mean counts, not the batch alone. */
    smooth: false,
    /** Whether outliers are looked for. */
    filter: false,
    /** Whether the deviation that an outlier must exceed is each channel's own. */
    byChannel: false,
    /** Whether the gradient is rescaled by the root of what is divided by over the running one. */
    rescale: false,
    /** Whether an outlier enters the running mean square clipped. */
    protect: false,
  },
  check: ({ squares }, { epsilon, slot }) => {
    checkEpsilon('UnifiedWindow', epsilon);
    checkSlot('UnifiedWindow', squares, slot);
  },
  outputs: {
    square: likeMeanSquare,
    factor: likeMeanSquare,
    nextRunningVar: likeMeanSquare,
    nextSquares: likeSquares,
    skip: flag,
  },
  reference: ({ meanSquare, runningVar, squares }, { epsilon, momentum, slot, smooth, filter, byChannel, rescale, protect }) => {
    const window = squares.shape[0]!;
    const filled = replaceRow(squares, slot, meanSquare);
    const geometric = exp(mean(log(maximum(filled, LEAST)), 0));
    // A window of one is always the batch itself, without being counted.
    let outlier: Tensor = fill([1], 0, 'bool');
    if (filter && window > 1) {
      const tau = spread(sqrt(squares), byChannel);
      outlier = reshape(any(greater(sub(mean(filled, 0), geometric), mul(tau, window))), [1]);
    }
    const alone = logicalOr(outlier, fill([1], window <= 1 ? 1 : 0, 'bool'));
    const chosen = smooth ? where(alone, meanSquare, geometric) : meanSquare;
    const ratio = sqrt(div(add(chosen, epsilon), add(runningVar, epsilon)));
    const ones = fill(meanSquare.shape, 1);
    const clipped = minimum(maximum(meanSquare, mul(runningVar, 0.25)), mul(runningVar, 4));
    const entering = protect ? where(outlier, clipped, chosen) : chosen;
    return {
      square: chosen,
      factor: rescale ? where(alone, ones, clipByValue(ratio, 0.2, 5)) : ones,
      nextRunningVar: add(mul(runningVar, momentum), mul(entering, 1 - momentum)),
      nextSquares: replaceRow(squares, slot, where(outlier, runningVar, meanSquare)),
      skip: cast(outlier, 'float32'),
    };
  },
  kernels: () => [unifiedWindowWgsl(), unifiedWindowWasm()],
});

/**
 * The window of a backward pass: from the sums of dy x, the coefficients of dx = dy scale + x slope, dgamma, and the next state. With
 * z = x / sqrt(square + epsilon) and g = dy gamma factor: gz = mean(g z), of which the window and the running emaGz make what is subtracted.
 */
export const UnifiedGradWindow = /* @__PURE__ */ defineOp({
  name: 'UnifiedGradWindow',
  owner,
  inputs: {
    products: 'c',
    square: 'c',
    factor: 'c',
    skip: 'one',
    emaGz: 'c',
    gradients: 'w,c',
    gamma: { shape: 'c', optional: true },
  },
  attrs: {
    epsilon: 1e-5,
    momentum: 0.9,
    slot: 0,
    smooth: false,
    /** Whether the batch stands for itself whatever `skip` says. */
    alone: false,
    /** How many tokens the sums are over. */
    count: 1,
  },
  check: ({ skip, gradients }, { epsilon, slot }) => {
    checkEpsilon('UnifiedGradWindow', epsilon);
    checkShape('UnifiedGradWindow', 'skip', skip, [1], 'a flag');
    checkSlot('UnifiedGradWindow', gradients, slot);
  },
  outputs: {
    scale: likeProducts,
    slope: likeProducts,
    dgamma: likeProducts,
    nextEmaGz: likeProducts,
    nextGradients: likeGradients,
  },
  reference: ({ products, square: divisor, factor, skip, emaGz, gradients, gamma }, { epsilon, momentum, slot, smooth, alone, count }) => {
    const r = div(1, sqrt(add(divisor, epsilon)));
    const dgamma = mul(mul(products, r), factor);
    const gz = div(gamma ? mul(dgamma, gamma) : dgamma, count);
    const skipped = logicalOr(greater(skip, 0), fill([1], alone ? 1 : 0, 'bool'));
    const nextGradients = replaceRow(gradients, slot, where(skipped, emaGz, gz));
    const smoothed = smooth ? where(skipped, gz, mean(nextGradients, 0)) : gz;
    const nextEmaGz = add(mul(emaGz, momentum), mul(smoothed, 1 - momentum));
    const upstream = mul(r, factor);
    return {
      scale: gamma ? mul(upstream, gamma) : upstream,
      slope: mul(mul(where(skipped, smoothed, nextEmaGz), square(r)), -1),
      dgamma,
      nextEmaGz,
      nextGradients,
    };
  },
  kernels: () => [unifiedGradWindowWgsl(), unifiedGradWindowWasm()],
});
