import { util, type NamedAttrMap, type TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from '@evenkeel/core';
import type { Frame, Module, Standin } from '../frame.ts';
import simd from './complex.wasm.ts';

const module: Module = { simd };

type Complex = 'join' | 'part' | 'magnitude';

export const isComplex = ({ dtype }: TensorInfo): boolean => dtype === 'complex64';

/** The same memory as floats, with an axis of two at the end. */
const asFloats = ({ dataId, shape }: TensorInfo): TensorInfo => ({ dataId, shape: [...shape, 2], dtype: 'float32' });

/** The reverse, for a tensor that this call made: in place. */
function asComplex(frame: Frame, made: TensorInfo): TensorInfo {
  const view = { shape: made.shape.slice(0, -1), dtype: 'complex64' as const };
  Object.assign(frame.heap.dataIdMap.get(made.dataId), view);
  return Object.assign(made, view);
}

function joined(frame: Frame, real: TensorInfo, imaginary: TensorInfo): TensorInfo {
  const y = frame.output(real.shape, 'complex64');
  frame.functions<Complex>(module).join(frame.address(real), frame.address(imaginary), frame.address(y), sizeOf(y.shape));
  return y;
}

function partOf(frame: Frame, x: TensorInfo, offset: 0 | 4): TensorInfo {
  const y = frame.output(x.shape);
  frame.functions<Complex>(module).part(frame.address(x) + offset, frame.address(y), sizeOf(y.shape));
  return y;
}

function magnitudes(frame: Frame, x: TensorInfo): TensorInfo {
  const y = frame.output(x.shape);
  frame.functions<Complex>(module).magnitude(frame.address(x), frame.address(y), sizeOf(y.shape));
  return y;
}

/** (a + bi)(c + di), with whatever broadcasting. */
function product(frame: Frame, x: TensorInfo, y: TensorInfo): TensorInfo {
  const [a, b, c, d] = [partOf(frame, x, 0), partOf(frame, x, 4), partOf(frame, y, 0), partOf(frame, y, 4)];
  const times = (p: TensorInfo, q: TensorInfo): TensorInfo => frame.call('Multiply', { a: p, b: q });
  const real = frame.call('Sub', { a: times(a, c), b: times(b, d) });
  return joined(frame, real, frame.call('Add', { a: times(a, d), b: times(b, c) }));
}

function cast(frame: Frame, x: TensorInfo, dtype: string): TensorInfo {
  if (isComplex(x))
    return dtype === 'complex64' ? frame.call('Identity', { x }) : frame.call('Cast', { x: partOf(frame, x, 0) }, { dtype });
  const real = x.dtype === 'float32' ? x : frame.call('Cast', { x }, { dtype: 'float32' });
  return joined(frame, real, frame.call('ZerosLike', { x: real }));
}

const normalized = (axis: unknown, { shape }: TensorInfo): number => util.parseAxisParam(axis as number, [...shape])[0]!;

/**
 * Kernels that move elements or add them: on floats with an axis of two at the end they do the same to complex numbers. Attributes that
 * count axes get one more, and those that count from the end count from the beginning.
 */
const ALIKE: Readonly<Record<string, (attrs: NamedAttrMap, first: TensorInfo) => Record<string, unknown>>> = {
  Add: () => ({}),
  Sub: () => ({}),
  ZerosLike: () => ({}),
  Concat: ({ axis }, first) => ({ axis: normalized(axis, first) }),
  Pack: ({ axis }, first) => ({ axis: Number(axis) < 0 ? Number(axis) + first.shape.length + 1 : axis }),
  Slice: ({ begin, size }) => ({ begin: [...(begin as number[]), 0], size: [...(size as number[]), 2] }),
  Transpose: ({ perm }) => ({ perm: [...(perm as number[]), (perm as number[]).length] }),
  Tile: ({ reps }) => ({ reps: [...(reps as number[]), 1] }),
  Reverse: ({ dims }, first) => ({ dims: util.parseAxisParam(dims as number[], [...first.shape]) }),
  GatherV2: ({ axis, batchDims }, first) => ({ axis: normalized(axis, first), batchDims }),
};

/** Asked of every addition and product: without an array. */
function anyComplex(inputs: Record<string, TensorInfo>): boolean {
  for (const name in inputs) if (isComplex(inputs[name]!)) return true;
  return false;
}

const alike: readonly Standin[] = Object.entries(ALIKE).map(([name, attrsOf]) => ({
  name,
  serves: anyComplex,
  run: (inputs, attrs, frame) => {
    const entries = Object.entries(inputs).map(([key, input]): [string, TensorInfo] => [key, isComplex(input) ? asFloats(input) : input]);
    const floats = Array.isArray(inputs) ? entries.map(([, input]) => input) : Object.fromEntries(entries);
    const made = frame.call(name, floats as Record<string, TensorInfo>, attrsOf(attrs, Object.values(inputs)[0]!) as NamedAttrMap);
    return asComplex(frame, made);
  },
}));

/** Complex numbers, which tfjs does not have on 'wasm'. */
export const complex: readonly Standin[] = [
  { name: 'Complex', run: ({ real, imag }, _, frame) => joined(frame, real!, imag!) },
  { name: 'Real', run: ({ input }, _, frame) => partOf(frame, input!, 0) },
  { name: 'Imag', run: ({ input }, _, frame) => partOf(frame, input!, 4) },
  { name: 'ComplexAbs', run: ({ x }, _, frame) => magnitudes(frame, x!) },
  { name: 'Multiply', serves: anyComplex, run: ({ a, b }, _, frame) => product(frame, a!, b!) },
  {
    name: 'Cast',
    serves: ({ x }, { dtype }) => isComplex(x!) || dtype === 'complex64',
    run: ({ x }, { dtype }, frame) => cast(frame, x!, String(dtype)),
  },
  {
    name: 'OnesLike',
    serves: anyComplex,
    run: ({ x }, _, frame) => {
      const ones = frame.call('Fill', {}, { shape: x!.shape, value: 1, dtype: 'float32' });
      return joined(frame, ones, frame.call('ZerosLike', { x: ones }));
    },
  },
  ...alike,
];
