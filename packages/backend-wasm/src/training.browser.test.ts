/// <reference types="vite/client" />
// The same training in a page as in Node, with fused multiply-add where the browser has it.
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import threaded from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url';
import { backend, unregister, use } from '@evenkeel/core';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { compare, models, train, trainAttention } from '../test/training.ts';
import { wasmFeatures } from './features.ts';
import { wasm } from './index.ts';

const paths = {
  'tfjs-backend-wasm.wasm': plain,
  'tfjs-backend-wasm-simd.wasm': simd,
  'tfjs-backend-wasm-threaded-simd.wasm': threaded,
};

// Chromium has relaxed SIMD; a browser without it trains on the plain kernels.
describe.each(wasmFeatures().relaxedSimd ? [false, true] : [false])('with relaxed SIMD: %s', (relaxedSimd) => {
  const plugin = wasm({ paths, relaxedSimd });
  beforeAll(async () => {
    use(plugin);
    await backend('wasm');
  });
  afterAll(() => unregister(plugin));

  test.each(models)('$name', (model) => compare(model.name, (name) => train(model, name)));
  test('attention by einsum over an embedding', () => compare('attention', trainAttention));
});
