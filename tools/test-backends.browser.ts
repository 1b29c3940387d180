/// <reference types="vite/client" />
// For tests in a page: hands all backends to core, as test-backends.ts does in Node. Import it first.
import '@tensorflow/tfjs-backend-cpu';
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import threaded from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url';
import '../packages/core/src/register-gradients.ts';
import { wasm } from '../packages/backend-wasm/src/index.ts';
import { webgpu } from '../packages/backend-webgpu/src/index.ts';
import { use } from '../packages/core/src/index.ts';

const url = (path: string): string => new URL(path, location.href).href;
const paths = {
  'tfjs-backend-wasm.wasm': url(plain),
  'tfjs-backend-wasm-simd.wasm': url(simd),
  'tfjs-backend-wasm-threaded-simd.wasm': url(threaded),
};

use([wasm({ paths }), webgpu({ allowSoftware: true })]);
