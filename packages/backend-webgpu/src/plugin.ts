import type { Plugin } from '@evenkeel/core';
import { webgpuProvider, type WebGPUOptions } from './provider.ts';
import { version } from './version.ts';

/**
 * The 'webgpu' backend of TensorFlow.js as a plugin: `backend('auto')` and `backend('webgpu')` find it, and the WGSL kernels of every
 * registered op run on it, in order with tfjs' own ops. In Node it needs the optional peer `webgpu`.
 *
 * @example
 * use(webgpu());
 * await backend('webgpu');
 * const y = layerNorm(tf.randomNormal([256, 768])); // one dispatch
 * console.log(await y.data());
 */
export function webgpu(options: WebGPUOptions = {}): Plugin {
  return { name: '@evenkeel/backend-webgpu', version, backends: [webgpuProvider(options)] };
}
