import { tensor, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError, expect, show } from '../errors.ts';
import type { SafetensorsTensor } from './dtypes.ts';
import { narrowToBfloat, narrowToHalf, widenBfloat, widenHalf } from './half.ts';

interface Values {
  readonly dtype: 'float32' | 'int32' | 'bool';
  readonly values: Float32Array | Int32Array | Uint8Array;
}

function refuse(op: string, name: string, message: string): never {
  throw new EvenkeelError('SAFETENSORS', `tensor ${show(name)} ${message}`, { op, argument: 'tensors' });
}

function narrowIntegers(name: string, data: BigInt64Array): Int32Array {
  const values = new Int32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]!);
    if (value < -(2 ** 31) || value >= 2 ** 31) refuse('toTensors', name, `has ${data[i]} at ${i}, which int32 cannot hold`);
    values[i] = value;
  }
  return values;
}

/** Values that are the tensor's own: tfjs' cpu backend keeps the array that it gets. */
function valuesOf(name: string, { dtype, data }: SafetensorsTensor): Values {
  switch (dtype) {
    case 'F32':
      return { dtype: 'float32', values: data.slice() };
    case 'F16':
      return { dtype: 'float32', values: widenHalf(data) };
    case 'BF16':
      return { dtype: 'float32', values: widenBfloat(data) };
    case 'I64':
      return { dtype: 'int32', values: narrowIntegers(name, data) };
    case 'BOOL': {
      const odd = data.findIndex((value) => value > 1);
      if (odd >= 0) refuse('toTensors', name, `has ${data[odd]} at ${odd}, expected 0 or 1 for BOOL`);
      return { dtype: 'bool', values: data.slice() };
    }
    default:
      return { dtype: 'int32', values: Int32Array.from(data) };
  }
}

/**
 * Tensors of tfjs, on the running backend, of those of a safetensors file: F32, F16 and BF16 become float32, I64, I32, I8 and U8 int32,
 * BOOL bool.
 *
 * @returns tensors by name, in an object without prototype; they are yours to dispose
 * @throws EvenkeelError SAFETENSORS where an I64 does not fit into int32 or a BOOL is neither 0 nor 1, before any tensor is made
 *
 * @example
 * const { gamma } = toTensors(readSafetensors(bytes).tensors);
 */
export function toTensors(tensors: Readonly<Record<string, SafetensorsTensor>>): Record<string, Tensor> {
  const all = Object.entries(tensors).map(([name, each]) => ({ name, shape: each.shape, ...valuesOf(name, each) }));
  const made = Object.create(null) as Record<string, Tensor>;
  for (const { name, shape, values, dtype } of all) made[name] = tensor(values, [...shape], dtype);
  return made;
}

export interface FromTensorsOptions {
  /** How float32 tensors are stored. F16 and BF16 are rounded to nearest, ties to even. Default F32. */
  readonly float?: 'F32' | 'F16' | 'BF16';
}

/** Throws where a number became infinite by rounding. */
function checkOverflow(name: string, float: string, values: Float32Array, bits: Uint16Array, infinity: number): void {
  const lost = bits.findIndex((each, i) => (each & 0x7fff) === infinity && Number.isFinite(values[i]));
  if (lost >= 0) refuse('fromTensors', name, `has ${values[lost]} at ${lost}, which ${float} cannot hold`);
}

function store(
  name: string,
  found: Tensor,
  values: Float32Array | Int32Array | Uint8Array,
  float: 'F32' | 'F16' | 'BF16',
): SafetensorsTensor {
  const shape = [...found.shape];
  if (found.dtype === 'int32') return { dtype: 'I32', shape, data: Int32Array.from(values) };
  if (found.dtype === 'bool') return { dtype: 'BOOL', shape, data: Uint8Array.from(values) };
  const data = Float32Array.from(values);
  if (float === 'F32') return { dtype: 'F32', shape, data };
  const bits = float === 'F16' ? narrowToHalf(data) : narrowToBfloat(data);
  checkOverflow(name, float, data, bits, float === 'F16' ? 0x7c00 : 0x7f80);
  return { dtype: float, shape, data: bits };
}

/**
 * What {@link writeSafetensors} writes, of tensors of tfjs: float32 becomes F32 (or what `float` says), int32 I32, bool BOOL. The tensors
 * stay as they are.
 *
 * @throws EvenkeelError DTYPE for string and complex64, SAFETENSORS where a number is too large for F16 or BF16
 *
 * @example
 * const bytes = writeSafetensors(await fromTensors({ gamma: tf.ones([2]) }));
 */
export async function fromTensors(
  tensors: Readonly<Record<string, Tensor>>,
  { float = 'F32' }: FromTensorsOptions = {},
): Promise<Record<string, SafetensorsTensor>> {
  expect(['F32', 'F16', 'BF16'].includes(float), 'fromTensors', 'float', 'F32, F16 or BF16', float);
  for (const [name, { dtype }] of Object.entries(tensors)) {
    if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') continue;
    throw new EvenkeelError('DTYPE', `tensor ${show(name)} has dtype ${dtype}, expected float32, int32 or bool`, {
      op: 'fromTensors',
      argument: 'tensors',
    });
  }
  const stored = Object.create(null) as Record<string, SafetensorsTensor>;
  const values = await Promise.all(Object.entries(tensors).map(async ([name, each]) => ({ name, each, data: await each.data() })));
  for (const { name, each, data } of values) stored[name] = store(name, each, data as Float32Array, float);
  return stored;
}
