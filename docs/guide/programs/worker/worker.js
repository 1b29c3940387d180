import * as tf from '@tensorflow/tfjs-core';
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import threaded from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url';
import { backend, use } from '@evenkeel/core';
import { wasm } from '@evenkeel/backend-wasm';
import { layerNorm } from '@evenkeel/norms';

const url = (path) => new URL(path, location.href).href;
const paths = {
  'tfjs-backend-wasm.wasm': url(plain),
  'tfjs-backend-wasm-simd.wasm': url(simd),
  'tfjs-backend-wasm-threaded-simd.wasm': url(threaded),
};

addEventListener('message', async ({ data }) => {
  use(wasm({ paths }));
  const { name } = await backend('wasm');
  const y = layerNorm(tf.tensor2d(data));
  postMessage({ backend: name, y: await y.array() });
});
