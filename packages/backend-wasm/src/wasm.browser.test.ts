/// <reference types="vite/client" />
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import threaded from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url';
import { expect, test } from 'vitest';
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
