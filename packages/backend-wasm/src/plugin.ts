import type { Plugin } from '@evenkeel/core';
import { wasmProvider, type WasmOptions } from './provider.ts';
import { version } from './version.ts';

/**
 * The 'wasm' backend of TensorFlow.js as a plugin: `backend('auto')` and `backend('wasm')` find it, and the WASM kernels of every
 * registered op run on it, in place on its heap.
 *
 * @example
 * use(wasm());
 * await backend('wasm');
 * const y = layerNorm(tf.randomNormal([256, 768])); // one SIMD kernel
 *
 * @example
 * use(wasm({ paths: 'https://example.org/tfjs/' })); // in a browser: where tfjs' .wasm files are
 */
export function wasm(options: WasmOptions = {}): Plugin {
  return { name: '@evenkeel/backend-wasm', version, backends: [wasmProvider(options)] };
}
