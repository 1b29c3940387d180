import type { Tensor } from '@tensorflow/tfjs-core';
import { sizeOf } from '@evenkeel/core';
import { exportsOf, moduleOf } from '../../instances.ts';
import { locate } from '../../memory.ts';
import { memoryOf, type Heap } from '../../tfjs.ts';
import type { Functions } from '../frame.ts';
import simd from './optimizer.wasm.ts';

/** Runs one update in place on these tensors, of which all but the second are written. */
export function updateInPlace(heap: Heap, kernel: 'adam' | 'momentum', tensors: readonly Tensor[], ...constants: number[]): void {
  const functions = exportsOf(kernel, moduleOf(simd), memoryOf(kernel, heap)) as Functions<'adam' | 'momentum'>;
  const addresses = tensors.map((tensor) => locate(kernel, heap, 'value', tensor));
  functions[kernel](...addresses, sizeOf(tensors[0]!.shape), ...constants);
}
