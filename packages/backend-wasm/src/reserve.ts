import type { TensorInfo } from '@tensorflow/tfjs-core';
import { EvenkeelError } from '@evenkeel/core';
import { allocate, release } from './memory.ts';
import { memoryOf, runningHeap } from './tfjs.ts';

/**
 * Grows the heap of the 'wasm' backend by so many bytes and touches them, so that the first steps of a training do not pay for
 * fresh pages (some 2 microseconds each, ten times what a kernel needs to fill one). The memory is free for tensors afterwards.
 *
 * @param bytes - how much the program will need at its peak
 * @throws EvenkeelError BACKEND_UNAVAILABLE before the backend runs, OUT_OF_MEMORY where there is not so much,
 * INVALID_ARGUMENT for other than a number >= 0
 *
 * @example
 * await backend('wasm');
 * reserve(64 * 2 ** 20);
 */
export function reserve(bytes: number): void {
  if (!Number.isFinite(bytes) || bytes < 0) {
    throw new EvenkeelError('INVALID_ARGUMENT', `bytes is ${bytes}, expected a number >= 0`, { op: 'reserve', argument: 'bytes' });
  }
  const heap = runningHeap();
  if (!heap?.wasm) {
    throw new EvenkeelError('BACKEND_UNAVAILABLE', "the 'wasm' backend is not running; await backend('wasm') first", { op: 'reserve' });
  }
  memoryOf('reserve', heap);
  const held: TensorInfo[] = [];
  const address = allocate('reserve', heap, 'bytes', [Math.ceil(bytes / 4)], 'int32', held);
  heap.wasm.HEAPU8.fill(0, address, address + bytes);
  release(heap, held);
}
