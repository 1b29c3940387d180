import type { Tensor } from '@tensorflow/tfjs-core';
import { expect, sizeOf } from '@evenkeel/core';

/** All axes before the last `count`: what gamma does not have, and what its gradient sums over. */
export function leadingAxes(x: Tensor, count: number): number[] {
  return Array.from({ length: x.rank - count }, (_, axis) => axis);
}

/** The last `count` axes. */
export function trailingAxes(x: Tensor, count: number): number[] {
  return Array.from({ length: count }, (_, axis) => x.rank - count + axis);
}

/** How many trailing axes `axes` names; they must be trailing and contiguous, in any order, negative ones counted from the end. */
export function countTrailing(op: string, { rank }: Tensor, axes: readonly number[]): number {
  const expected = `distinct trailing axes of a tensor of rank ${rank}, such as [-1] or [-2, -1]`;
  const sorted = axes.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
  expect(sorted.length > 0 && sorted.every((axis, i) => axis === rank - sorted.length + i), op, 'axes', expected, axes);
  return sorted.length;
}

/** x as a matrix: `rows` statistics over `width` elements each. */
export function asRows(shape: readonly number[], trailing: number): { rows: number; width: number } {
  return { rows: sizeOf(shape.slice(0, shape.length - trailing)), width: sizeOf(shape.slice(shape.length - trailing)) };
}

/** Sample, spatial positions and channels of x's shape. */
export function asSlabs(shape: readonly number[]): { samples: number; positions: number; channels: number } {
  return { samples: shape[0]!, positions: sizeOf(shape.slice(1, -1)), channels: shape.at(-1)! };
}

/** x as a matrix: `rows` of channels. */
export function asChannels(shape: readonly number[]): { rows: number; channels: number } {
  return { rows: sizeOf(shape.slice(0, -1)), channels: shape.at(-1)! };
}
