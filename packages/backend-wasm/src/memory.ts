import type { DataType, TensorInfo } from '@tensorflow/tfjs-core';
import { EvenkeelError, isEvenkeelError, sizeOf } from '@evenkeel/core';
import { addressOf, type Heap } from './tfjs.ts';

const BYTES: Partial<Record<DataType, number>> = { float32: 4, int32: 4, bool: 1, complex64: 8 };

/** An input's address. tfjs moves the tensor here first where it lives on another backend. */
export function locate(op: string, heap: Heap, name: string, { dataId, shape, dtype }: TensorInfo): number {
  const address = addressOf(heap, dataId);
  if (address === 0) throw full(op, name, shape, dtype);
  return address;
}

/** An output or scratch of this shape, uninitialised; it is added to `held` even where this throws. */
export function allocate(op: string, heap: Heap, name: string, shape: readonly number[], dtype: DataType, held: TensorInfo[]): number {
  try {
    const info = heap.makeOutput(shape, dtype);
    held.push(info);
    return addressOf(heap, info.dataId);
  } catch (error) {
    if (isEvenkeelError(error, 'OUT_OF_MEMORY')) throw full(op, name, shape, dtype);
    throw error;
  }
}

/** Frees what a call holds. */
export function release(heap: Heap, held: readonly TensorInfo[]): void {
  for (const { dataId } of held) heap.disposeData(dataId);
}

function bytesOf(shape: readonly number[], dtype: DataType): number {
  return sizeOf(shape) * (BYTES[dtype] ?? 4);
}

function full(op: string, name: string, shape: readonly number[], dtype: DataType): EvenkeelError {
  return new EvenkeelError(
    'OUT_OF_MEMORY',
    `no room on the WASM heap for ${name} [${shape.join(', ')}], ${bytesOf(shape, dtype)} bytes; dispose tensors (tf.tidy) or use smaller batches`,
    { op, argument: name },
  );
}
