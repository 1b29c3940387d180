// Tensors as plain data on the host, where they outlive backends and can be compared in double precision.
import { mul, cast, tensor, type DataType, type Tensor, type TypedArray } from '@tensorflow/tfjs-core';
import type { OpResult } from '../op.ts';

export interface HostTensor {
  readonly shape: number[];
  readonly dtype: DataType;
  readonly values: TypedArray;
}

export type HostTensors = Record<string, HostTensor>;

export function arrayOf(dtype: DataType, size: number, value: (index: number) => number): TypedArray {
  const array = dtype === 'int32' ? new Int32Array(size) : dtype === 'bool' ? new Uint8Array(size) : new Float32Array(size);
  for (let i = 0; i < size; i++) array[i] = value(i);
  return array;
}

/** Copies: on cpu a tensor made of an array is that array, and reading gives the storage itself. */
export async function read(from: Tensor): Promise<HostTensor> {
  return { shape: [...from.shape], dtype: from.dtype, values: (await from.data()).slice() };
}

/** Reads tensors by name and disposes them, also when reading fails. */
export async function readAll(tensors: Record<string, Tensor | undefined>): Promise<HostTensors> {
  const found: HostTensors = {};
  try {
    for (const [name, each] of Object.entries(tensors)) if (each !== undefined) found[name] = await read(each);
  } finally {
    for (const each of Object.values(tensors)) each?.dispose();
  }
  return found;
}

/**
 * What a tensor holds on its device. Webgpu keeps a copy of what it was given or has once read, so that `data()` would not see what a
 * kernel wrote there.
 */
export async function readDevice(from: Tensor): Promise<HostTensor> {
  const copy = from.dtype === 'bool' ? cast(from, 'int32') : mul(from, 1);
  const { values } = await read(copy);
  copy.dispose();
  return { shape: [...from.shape], dtype: from.dtype, values };
}

export function upload({ values, shape, dtype }: HostTensor): Tensor {
  return tensor(values.slice(), shape, dtype);
}

export function uploadAll(tensors: HostTensors): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, each]) => [name, upload(each)]));
}

/** The tensors of an op's result by name; a single one is `y`. */
export function byName(result: OpResult): Record<string, Tensor> {
  return 'dataId' in result ? { y: result as Tensor } : (result as Record<string, Tensor>);
}

export function isFiniteTensor({ values }: HostTensor): boolean {
  return values.every((value) => Number.isFinite(value));
}

export function isEmpty({ values }: HostTensor): boolean {
  return values.length === 0;
}
