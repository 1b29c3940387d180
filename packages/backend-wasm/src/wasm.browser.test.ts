/// <reference types="vite/client" />
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import threaded from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url';
import { matMul, randomNormal } from '@tensorflow/tfjs-core';
import { backend, unregister, use } from '@evenkeel/core';
import { expect, test } from 'vitest';
import { wasm } from './index.ts';
import { expected, scenario, type Observations } from '../test/scenario.ts';

// Workers have another base: URLs must be absolute.
const url = (path: string): string => new URL(path, location.href).href;
const paths = {
  'tfjs-backend-wasm.wasm': url(plain),
  'tfjs-backend-wasm-simd.wasm': url(simd),
  'tfjs-backend-wasm-threaded-simd.wasm': url(threaded),
};

// The test page is cross-origin isolated: tfjs loads its threaded build, whose memory is shared.
const here = { ...expected, shared: true, detail: 'WebAssembly with SIMD kernels, threads (cross-origin isolated)' };

test('runs kernels on the threaded build in a page', async () => {
  expect(await scenario({ paths })).toEqual(here);
});

test('and in a Worker', async () => {
  const worker = new Worker(new URL('../test/worker.ts', import.meta.url), { type: 'module' });
  try {
    const answer = await new Promise<Observations>((resolve, reject) => {
      worker.addEventListener('message', ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data)));
      worker.addEventListener('error', (event) => reject(new Error(event.message)));
      worker.postMessage(paths, []);
    });
    expect(answer).toEqual(here);
  } finally {
    worker.terminate();
  }
});

test('multiplies on several threads in a page, with the bits of one', async () => {
  const one = wasm({ paths });
  use(one);
  await backend('wasm');
  const [a, b] = [randomNormal([400, 300]), randomNormal([300, 350])];
  const wanted = await matMul(a, b).data();
  unregister(one);
  const three = wasm({ paths, threads: 3 });
  use(three);
  const { detail } = await backend('wasm');
  expect(detail).toBe('WebAssembly with SIMD kernels, 3 threads for large products');
  for (let i = 0; i < 10; i++) {
    const y = matMul(a, b);
    // Not toEqual, which takes a second for so many values.
    expect((await y.data()).every((value, at) => value === wanted[at])).toBe(true);
    y.dispose();
  }
  unregister(three);
});
