import { broadcast_util, util, type TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from '@evenkeel/core';
import type { Frame, Module, Standin } from '../frame.ts';
import simd from './binary.wasm.ts';

const module: Module = { simd };

/** tfjs' kernels by the number that `run` knows them by. */
const KERNELS = [
  'Add',
  'Sub',
  'Multiply',
  'RealDiv',
  'SquaredDifference',
  'Maximum',
  'Minimum',
  'Equal',
  'NotEqual',
  'Greater',
  'GreaterEqual',
  'Less',
  'LessEqual',
] as const;

/** From here on they compare. */
const FIRST_COMPARISON = KERNELS.indexOf('Equal');

/** One axis of the result: its length, and whether a and b go along or stay. */
interface Axis {
  length: number;
  readonly a: boolean;
  readonly b: boolean;
}

/** Axes of the result; neighbours along which the same operands go are one. */
function axesOf(a: readonly number[], b: readonly number[], out: readonly number[]): Axis[] {
  const axes: Axis[] = [];
  out.forEach((length, i) => {
    if (length === 1) return;
    const along = (shape: readonly number[]): boolean => (shape[i - out.length + shape.length] ?? 1) !== 1;
    const axis = { length, a: along(a), b: along(b) };
    const last = axes.at(-1);
    if (last?.a === axis.a && last.b === axis.b) last.length *= length;
    else axes.push(axis);
  });
  return axes.length > 0 ? axes : [{ length: 1, a: true, b: true }];
}

function run(kind: number, a: TensorInfo, b: TensorInfo, frame: Frame): TensorInfo {
  const dtype = kind < FIRST_COMPARISON ? 'float32' : 'bool';
  if (util.arraysEqual(a.shape, b.shape)) {
    const y = frame.output(a.shape, dtype);
    const size = sizeOf(a.shape);
    if (size > 0) frame.functions<'run'>(module).run(kind, frame.address(a), 4, frame.address(b), 4, frame.address(y), size, 0, 0);
    return y;
  }
  const shape = broadcast_util.assertAndGetBroadcastShape([...a.shape], [...b.shape]);
  const y = frame.output(shape, dtype);
  if (sizeOf(shape) === 0) return y;
  const axes = axesOf(a.shape, b.shape, shape);
  const inner = axes.pop()!;
  let [stepA, stepB] = [inner.a ? inner.length * 4 : 4, inner.b ? inner.length * 4 : 4];
  const entries = axes.toReversed().map((axis) => {
    const entry = [axis.length, axis.a ? stepA : 0, axis.b ? stepB : 0, 0];
    if (axis.a) stepA *= axis.length;
    if (axis.b) stepB *= axis.length;
    return entry;
  });
  const table = entries.length === 0 ? 0 : frame.scratch(entries.length * 16);
  if (table !== 0) frame.write(table, Int32Array.from(entries.toReversed().flat()));
  frame
    .functions<'run'>(module)
    .run(kind, frame.address(a), inner.a ? 4 : 0, frame.address(b), inner.b ? 4 : 0, frame.address(y), inner.length, entries.length, table);
  return y;
}

const isFloat = ({ dtype }: TensorInfo): boolean => dtype === 'float32';

/** Arithmetic, comparisons, and maximum and minimum, through which tfjs lets no NaN. */
export const binary: readonly Standin[] = KERNELS.map((name, kind) => ({
  name,
  serves: ({ a, b }) => isFloat(a!) && isFloat(b!),
  run: ({ a, b }, _, frame) => run(kind, a!, b!, frame),
}));

export const select: Standin = {
  name: 'Select',
  serves: ({ condition, t, e }) =>
    t!.dtype === e!.dtype && (isFloat(t!) || t!.dtype === 'int32') && sizeOf(condition!.shape) === sizeOf(t!.shape),
  run: ({ condition, t, e }, _, frame) => {
    const y = frame.output(t!.shape, t!.dtype);
    const { select: choose } = frame.functions<'select'>(module);
    choose(frame.address(condition), frame.address(t), frame.address(e), frame.address(y), sizeOf(t!.shape));
    return y;
  },
};
