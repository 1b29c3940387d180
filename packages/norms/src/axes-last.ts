import { transpose, type Tensor } from '@tensorflow/tfjs-core';
import { expect } from '@evenkeel/core';
import type { Shape } from './keras.ts';

/**
 * `axis` as a list without negative entries, ascending; every axis must be one of the `rank`, and none may stand twice. Keras saves a
 * single axis as a number or as a list.
 */
export function positiveAxes(layer: string, axis: number | readonly number[], rank: number, most = rank): number[] {
  const given = typeof axis === 'number' ? [axis] : axis;
  const axes = given.map((each) => (each < 0 ? each + rank : each)).sort((a, b) => a - b);
  const valid = axes.length > 0 && axes.every((each, i) => Number.isInteger(each) && each >= 0 && each < rank && each !== axes[i - 1]);
  expect(valid, layer, 'axis', `distinct axes of an input of rank ${rank}`, axis);
  expect(axes.length <= most, layer, 'axis', 'a single axis', axis);
  return axes;
}

/** The lengths of `axes`, which weights take their shape from and which must therefore be known. */
export function knownLengths(layer: string, shape: Shape, axes: readonly number[]): number[] {
  return axes.map((axis) => {
    const length = shape[axis];
    expect(typeof length === 'number', layer, 'axis', `an axis of known length in the input shape [${shape.join(', ')}]`, axis);
    return length;
  });
}

/** x with `axes` behind all others, and the way back. */
export function axesLast(x: Tensor, axes: readonly number[]): { x: Tensor; back: (y: Tensor) => Tensor } {
  const order = Array.from({ length: x.rank }, (_, axis) => axis).filter((axis) => !axes.includes(axis));
  order.push(...axes);
  if (order.every((axis, i) => axis === i)) return { x, back: (y) => y };
  const inverse = order.map((_, axis) => order.indexOf(axis));
  return { x: transpose(x, order), back: (y) => transpose(y, inverse) };
}
