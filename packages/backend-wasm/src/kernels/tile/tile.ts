import type { TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from '@evenkeel/core';
import type { Module, Standin } from '../frame.ts';
import simd from './tile.wasm.ts';

const module: Module = { simd };

/** tfjs copies element by element, at a hundredth of the speed of memory. */
export const tile: Standin = {
  name: 'Tile',
  serves: ({ x }) => x!.dtype !== 'string' && x!.dtype !== 'complex64',
  run: ({ x }, attrs, frame) => {
    const reps = attrs['reps'] as unknown as number[];
    const { shape, dtype } = x as TensorInfo;
    const y = frame.output(
      shape.map((length, axis) => length * reps[axis]!),
      dtype,
    );
    if (sizeOf(y.shape) === 0) return y;
    const { repeat, repeatFloat } = frame.functions<'repeat' | 'repeatFloat'>(module);
    const unit = dtype === 'bool' ? 1 : 4;
    // From the last axis to the first; the last of the passes writes the result.
    const axes = reps
      .map((_, axis) => axis)
      .filter((axis) => reps[axis] !== 1)
      .reverse();
    let from = frame.address(x);
    // Nothing is repeated: a plain copy.
    if (axes.length === 0) repeat(from, frame.address(y), 1, sizeOf(shape) * unit, 1);
    const lengths = [...shape];
    axes.forEach((axis, i) => {
      const run = sizeOf(lengths.slice(axis));
      const outer = sizeOf(lengths.slice(0, axis));
      lengths[axis]! *= reps[axis]!;
      const to = i === axes.length - 1 ? frame.address(y) : frame.scratch(sizeOf(lengths) * unit);
      if (run === 1 && unit === 4) repeatFloat(from, to, outer, reps[axis]!);
      else repeat(from, to, outer, run * unit, reps[axis]!);
      from = to;
    });
    return y;
  },
};
