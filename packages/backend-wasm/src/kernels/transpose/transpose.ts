import { sizeOf } from '@evenkeel/core';
import type { NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core';
import type { Module, Standin } from '../frame.ts';
import simd from './transpose.wasm.ts';

const module: Module = { simd };

/**
 * [batch, rows, columns] of a permutation that exchanges two neighbouring runs of axes and leaves what is before them: a transposition of
 * matrices. Undefined for any other.
 */
function matrices(shape: readonly number[], perm: readonly number[]): [number, number, number] | undefined {
  // Axes of length 1 are nowhere.
  const axes = perm.filter((axis) => shape[axis] !== 1);
  const inOrder = axes.toSorted((a, b) => a - b);
  const first = axes.findIndex((axis, i) => axis !== inOrder[i]);
  if (first < 0) return undefined;
  const turned = axes.slice(first);
  const start = turned.indexOf(inOrder[first]!);
  const rotated = [...turned.slice(start), ...turned.slice(0, start)];
  if (rotated.some((axis, i) => axis !== inOrder[first + i])) return undefined;
  const lengths = (of: readonly number[]): number => sizeOf(of.map((axis) => shape[axis]!));
  return [lengths(axes.slice(0, first)), lengths(turned.slice(start)), lengths(turned.slice(0, start))];
}

const permOf = ({ perm }: NamedAttrMap): number[] => perm as unknown as number[];

/** tfjs moves one element at a time, across the whole of a large matrix. */
export const transpose: Standin = {
  name: 'Transpose',
  serves: ({ x }, attrs) => (x!.dtype === 'float32' || x!.dtype === 'int32') && matrices(x!.shape, permOf(attrs)) !== undefined,
  run: ({ x }, attrs, frame): TensorInfo => {
    const perm = permOf(attrs);
    const y = frame.output(
      perm.map((axis) => x!.shape[axis]!),
      x!.dtype,
    );
    const [batch, rows, columns] = matrices(x!.shape, perm)!;
    frame.functions<'transpose'>(module).transpose(frame.address(x), frame.address(y), batch, rows, columns);
    return y;
  },
};
