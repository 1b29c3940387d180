// All backends, for workers of the site.
import '@tensorflow/tfjs-backend-cpu';
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import threaded from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url';
import '@evenkeel/core/register-gradients';
import { wasm } from '@evenkeel/backend-wasm';
import { webgpu } from '@evenkeel/backend-webgpu';
import { use } from '@evenkeel/core';

const url = (path: string): string => new URL(path, location.href).href;

const paths = {
  'tfjs-backend-wasm.wasm': url(plain),
  'tfjs-backend-wasm-simd.wasm': url(simd),
  'tfjs-backend-wasm-threaded-simd.wasm': url(threaded),
};

// Who chooses webgpu on a page gets it, also on a machine that only emulates a GPU.
use([wasm({ paths }), webgpu({ allowSoftware: true })]);
