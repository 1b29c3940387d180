// The projection of AdamP and SGDP (Heo et al. 2021): a weight that a normalization follows is orthogonal to its gradient, and the part of a
// step along the weight only makes it longer. Where the angle tells such a weight, that part is taken out of the step.
import {
  abs,
  add,
  cast,
  div,
  less,
  max,
  maximum,
  min,
  mul,
  reshape,
  scalar,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { expect } from '@evenkeel/core';
import type { ChannelLayout } from './layout.ts';

/** Options of the projection. */
export interface ProjectionOptions {
  epsilon: number;
  /** A weight counts as scale-invariant where the cosine of weight and gradient is below delta / sqrt(elements of a row). */
  delta: number;
  /** What is left of the weight decay of such a weight. */
  wdRatio: number;
  /** 'tensor': all rows, or none, as published. 'row': each row of its own. */
  granularity: 'tensor' | 'row';
}

export const projectionDefaults = { epsilon: 1e-8, delta: 0.1, wdRatio: 0.1, granularity: 'tensor' as ProjectionOptions['granularity'] };

export function checkProjection(op: string, { epsilon, delta, wdRatio, granularity }: ProjectionOptions): void {
  expect(Number.isFinite(epsilon) && epsilon > 0, op, 'epsilon', 'a number > 0', epsilon);
  expect(delta >= 0 && delta < Infinity, op, 'delta', 'a number >= 0', delta);
  expect(wdRatio >= 0 && wdRatio <= 1, op, 'wdRatio', 'a number in [0, 1]', wdRatio);
  expect(granularity === 'tensor' || granularity === 'row', op, 'granularity', "'tensor' or 'row'", granularity);
}

interface Projected {
  /** What of the weight is taken out of the step, as a factor of it: [1, channels, 1] or a scalar. */
  readonly along: Tensor;
  /** What of the weight decay is left. */
  readonly ratio: Tensor;
  /** 0 for none, 1 for rows, 2 for the whole tensor. */
  readonly view: Tensor;
}

const rows = (a: Tensor, b: Tensor): Tensor => sum(mul(a, b), [0, 2], true);

/** `value`, `gradient` and `step` are [outer, channels, inner]. */
export function project(value: Tensor, gradient: Tensor, step: Tensor, options: ProjectionOptions): Projected {
  const { epsilon, delta, wdRatio, granularity } = options;
  const [outer, , inner] = value.shape as [number, number, number];
  if (value.size === 0) return { along: scalar(0), ratio: scalar(1), view: scalar(0) };
  const sums = { ww: rows(value, value), gg: rows(gradient, gradient), gw: rows(gradient, value), wu: rows(value, step) };
  const isInvariant = ({ ww, gg, gw }: typeof sums, elements: number): Tensor => {
    const cosine = div(abs(gw), mul(maximum(sqrt(gg), epsilon), maximum(sqrt(ww), epsilon)));
    return cast(less(cosine, delta / Math.sqrt(elements)), 'float32');
  };
  const alongOf = ({ ww, wu }: typeof sums): Tensor => div(wu, square(add(sqrt(ww), epsilon)));
  const ratioOf = (invariant: Tensor): Tensor => sub(1, mul(invariant, 1 - wdRatio));

  const byRow = isInvariant(sums, outer * inner);
  if (granularity === 'row') return { along: mul(byRow, alongOf(sums)), ratio: ratioOf(byRow), view: max(byRow) };
  const whole = { ww: sum(sums.ww), gg: sum(sums.gg), gw: sum(sums.gw), wu: sum(sums.wu) };
  const all = min(byRow);
  const asOne = mul(sub(1, all), isInvariant(whole, value.size));
  return {
    along: add(mul(all, alongOf(sums)), mul(asOne, alongOf(whole))),
    ratio: ratioOf(add(all, asOne)),
    view: add(all, mul(asOne, 2)),
  };
}

/** As [outer, channels, inner]. */
export const asRows = (tensor: Tensor, { outer, channels, inner }: ChannelLayout): Tensor => reshape(tensor, [outer, channels, inner]);
