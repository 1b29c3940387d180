import { EvenkeelError, sizeOf } from '@evenkeel/core';

/** A weight as [outer, channels, inner], in row-major order. */
export interface ChannelLayout {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
}

/** Where the output channels of a weight lie: neighbouring axes, counted from the front, or from the back where negative. */
export function channelLayout(op: string, shape: readonly number[], channelAxes: readonly number[]): ChannelLayout {
  const axes = channelAxes.map((axis) => (axis < 0 ? axis + shape.length : axis));
  const [from = 0] = axes;
  const fits = axes.length > 0 && axes.every((axis, i) => Number.isInteger(axis) && axis === from + i && axis >= 0 && axis < shape.length);
  if (!fits) {
    const message = `channelAxes is [${channelAxes.join(', ')}], expected neighbouring axes of a tensor of shape [${shape.join(', ')}], such as [-1]`;
    throw new EvenkeelError('INVALID_ARGUMENT', message, { op, argument: 'channelAxes' });
  }
  const to = from + axes.length;
  return { outer: sizeOf(shape.slice(0, from)), channels: sizeOf(shape.slice(from, to)), inner: sizeOf(shape.slice(to)) };
}
