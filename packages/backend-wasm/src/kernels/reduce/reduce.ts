import { backend_util, util, type NamedAttrMap, type TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from '@evenkeel/core';
import type { Frame, Module, Standin } from '../frame.ts';
import simd from './reduce.wasm.ts';

const module: Module = { simd };

type Reduction = 'sum' | 'max' | 'minimum';

/** Lengths of runs of axes: kept, reduced, kept, ... Neighbouring axes of one kind are one; axes of length 1 belong to their neighbours. */
function runs(shape: readonly number[], axes: readonly number[]): { length: number; reduced: boolean }[] {
  const found: { length: number; reduced: boolean }[] = [];
  shape.forEach((length, axis) => {
    if (length === 1) return;
    const reduced = axes.includes(axis);
    const last = found.at(-1);
    if (last?.reduced === reduced) last.length *= length;
    else found.push({ length, reduced });
  });
  return found;
}

/**
 * Reduces `x` over `axes`, the innermost run of them first: tfjs would move the axes to the end beforehand, which costs more than the sum.
 * The first pass reads all of x, those after it what is left.
 */
function reduce(kind: Reduction, x: TensorInfo, axes: number[], keepDims: boolean, scale: number, frame: Frame): TensorInfo {
  const [kept] = backend_util.computeOutAndReduceShapes(x.shape, axes);
  const y = frame.output(keepDims ? backend_util.expandShapeToKeepDim(kept, axes) : kept);
  const functions = frame.functions<Reduction>(module);
  const groups = runs(x.shape, axes);
  let from = frame.address(x);
  const target = frame.address(y);
  // Nothing to reduce is a reduction over one.
  if (!groups.some(({ reduced }) => reduced)) groups.push({ length: 1, reduced: true });
  while (groups.some(({ reduced }) => reduced)) {
    const at = groups.findLastIndex(({ reduced }) => reduced);
    const count = groups[at]!.length;
    const outer = sizeOf(groups.slice(0, at).map(({ length }) => length));
    const inner = sizeOf(groups.slice(at + 1).map(({ length }) => length));
    groups.splice(at, 1);
    const last = !groups.some(({ reduced }) => reduced);
    const to = last ? target : frame.scratch(outer * inner * 4);
    const totals = kind === 'sum' && inner > 1 ? frame.scratch(inner * 8) : 0;
    functions[kind](from, to, outer, count, inner, last ? scale : 1, totals);
    from = to;
  }
  return y;
}

const axesOf = (x: TensorInfo, attrs: NamedAttrMap): number[] =>
  util.parseAxisParam((attrs['axis'] ?? attrs['reductionIndices']) as unknown as number[], x.shape);

function standin(name: string, kind: Reduction, mean: boolean): Standin {
  return {
    name,
    // tfjs reads uninitialised memory where it sums nothing; ours knows what nothing sums to, but not its maximum.
    serves: ({ x }) => x!.dtype === 'float32' && (kind === 'sum' || sizeOf(x!.shape) > 0),
    run: ({ x }, attrs, frame) => {
      const axes = axesOf(x!, attrs);
      const count = sizeOf(axes.map((axis) => x!.shape[axis]!));
      return reduce(kind, x!, axes, attrs['keepDims'] === true, mean ? 1 / count : 1, frame);
    },
  };
}

export const reductions: readonly Standin[] = [
  standin('Sum', 'sum', false),
  standin('Mean', 'sum', true),
  standin('Max', 'max', false),
  standin('Min', 'minimum', false),
];
