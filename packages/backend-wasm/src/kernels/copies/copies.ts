// Joining and parting of tensors, which tfjs does on the host, row by row.
import { backend_util, util, type TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from '@evenkeel/core';
import type { Frame, Module, Standin } from '../frame.ts';
import simd from './copies.wasm.ts';

const module: Module = { simd };

/** Bytes of a number; undefined for types that ours do not move. */
const unitOf = ({ dtype }: TensorInfo): number | undefined => ({ float32: 4, int32: 4, bool: 1 })[dtype as string];

const alike = (inputs: readonly TensorInfo[]): boolean =>
  unitOf(inputs[0]!) !== undefined && inputs.every(({ dtype }) => dtype === inputs[0]!.dtype);

/** tfjs hands over several inputs as an array. */
const listOf = (inputs: Record<string, TensorInfo>): readonly TensorInfo[] => Object.values(inputs);

const axisOf = (axis: unknown, rank: number): number =>
  util.parseAxisParam(
    axis as number,
    Array.from({ length: rank }, () => 1),
  )[0]!;

/** Writes each of `inputs` beside the one before it, along `axis` of `shape`. */
function join(inputs: readonly TensorInfo[], axis: number, shape: readonly number[], frame: Frame): TensorInfo {
  const y = frame.output(shape, inputs[0]!.dtype);
  if (sizeOf(shape) === 0) return y;
  const unit = unitOf(y)!;
  const rows = sizeOf(shape.slice(0, axis));
  const pitch = (sizeOf(shape) / rows) * unit;
  const { copyRows } = frame.functions<'copyRows'>(module);
  let to = frame.address(y);
  for (const input of inputs) {
    const bytes = (sizeOf(input.shape) / rows) * unit;
    if (bytes > 0) copyRows(frame.address(input), bytes, to, pitch, rows, bytes);
    to += bytes;
  }
  return y;
}

/** The reverse: parts of these shapes, along `axis` of x. */
function part(x: TensorInfo, axis: number, shapes: readonly (readonly number[])[], frame: Frame): TensorInfo[] {
  const unit = unitOf(x)!;
  const rows = sizeOf(x.shape.slice(0, axis));
  const pitch = (sizeOf(x.shape) / rows) * unit;
  const { copyRows } = frame.functions<'copyRows'>(module);
  let from = frame.address(x);
  return shapes.map((shape) => {
    const y = frame.output(shape, x.dtype);
    const bytes = (sizeOf(shape) / rows) * unit;
    if (bytes > 0) copyRows(from, pitch, frame.address(y), bytes, rows, bytes);
    from += bytes;
    return y;
  });
}

/** Joins along an axis that is there, or is new; parts along one that stays, or goes. */
export const copies: readonly Standin[] = [
  {
    name: 'Concat',
    serves: (inputs) => alike(listOf(inputs)),
    run: (inputs, attrs, frame) => {
      const list = listOf(inputs);
      const axis = axisOf(attrs['axis'], list[0]!.shape.length);
      const shapes = list.map(({ shape }) => [...shape]);
      backend_util.assertParamsConsistent(shapes, axis);
      return join(list, axis, backend_util.computeOutShape(shapes, axis), frame);
    },
  },
  {
    name: 'Pack',
    serves: (inputs) => {
      const list = listOf(inputs);
      return alike(list) && list.every(({ shape }) => util.arraysEqual([...shape], [...list[0]!.shape]));
    },
    run: (inputs, attrs, frame) => {
      const list = listOf(inputs);
      const { shape } = list[0]!;
      const axis = axisOf(attrs['axis'], shape.length + 1);
      return join(list, axis, [...shape.slice(0, axis), list.length, ...shape.slice(axis)], frame);
    },
  },
  {
    name: 'SplitV',
    serves: ({ x }) => unitOf(x!) !== undefined && sizeOf(x!.shape) > 0,
    run: ({ x }, attrs, frame) => {
      const axis = axisOf(attrs['axis'], x!.shape.length);
      const sizes = backend_util.prepareSplitSize(x as never, attrs['numOrSizeSplits'] as unknown as number[], axis);
      return part(
        x!,
        axis,
        sizes.map((length) => x!.shape.map((whole, i) => (i === axis ? length : whole))),
        frame,
      );
    },
  },
  {
    name: 'Unpack',
    serves: ({ value }) => unitOf(value!) !== undefined && sizeOf(value!.shape) > 0,
    run: ({ value }, attrs, frame) => {
      const axis = axisOf(attrs['axis'], value!.shape.length);
      const shape = value!.shape.toSpliced(axis, 1);
      return part(
        value!,
        axis,
        Array.from({ length: value!.shape[axis]! }, () => shape),
        frame,
      );
    },
  },
];
