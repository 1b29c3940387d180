import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { backend, isEvenkeelError, unregister, use } from '@evenkeel/core';
import { expect, test } from 'vitest';
import { wasm } from './index.ts';
import { kernelNames } from './kernels/index.ts';
import type { WasmOptions } from './provider.ts';

const theirs = new Map(tf.getKernelsForBackend('wasm').map((config) => [config.kernelName, config]));

test('replaces and adds kernels, and puts all back', async () => {
  use(wasm());
  await backend('wasm');
  for (const name of kernelNames) {
    expect(tf.getKernel(name, 'wasm')).toBeDefined();
    expect(tf.getKernel(name, 'wasm')).not.toBe(theirs.get(name));
  }
  unregister(wasm());
  for (const name of kernelNames) expect(tf.getKernel(name, 'wasm')).toBe(theirs.get(name));
});

test('leaves to tfjs what the app wants left', async () => {
  use(wasm({ replace: { Conv2D: false, Einsum: false, Tanh: true } }));
  await backend('wasm');
  expect(tf.getKernel('Conv2D', 'wasm')).toBe(theirs.get('Conv2D'));
  expect(tf.getKernel('Einsum', 'wasm')).toBeUndefined();
  expect(tf.getKernel('Tanh', 'wasm')).not.toBe(theirs.get('Tanh'));
  const [x, filter] = [tf.ones<tf.Rank.R4>([1, 3, 3, 1]), tf.ones<tf.Rank.R4>([2, 2, 1, 1])];
  expect([...(await tf.conv2d(x, filter, 1, 'valid').data())]).toEqual([4, 4, 4, 4]);
  unregister(wasm());
});

test.each([
  [{ Conv2d: false }, 'wasm: replace is "Conv2d", expected names of kernels among Add, AvgPool, BatchMatMul'],
  [{ Conv2D: 'no' }, 'wasm: replace.Conv2D is "no", expected true or false'],
])('%j is an error', (replace, message) => {
  let error: unknown;
  try {
    wasm({ replace } as unknown as WasmOptions);
  } catch (caught) {
    error = caught;
  }
  expect(isEvenkeelError(error, 'INVALID_ARGUMENT')).toBe(true);
  expect((error as Error).message).toContain(message);
});
