// tfjs as it is and tfjs with our engine, in one process: two backends with a heap each.
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { copyRegisteredKernels, env, findBackendFactory, getBackend, ready, registerBackend, setBackend } from '@tensorflow/tfjs-core';
import { backend, use } from '@evenkeel/core';
import { wasm } from '@evenkeel/backend-wasm';
import { webgpu } from '@evenkeel/backend-webgpu';
import type { BackendName } from './cases.ts';

/** tfjs' own 'wasm' backend: ours puts faster kernels in the place of some, which peers shall not profit from. */
const STOCK = 'tfjs-wasm';

/** Registers all backends; tfjs' own kernels are copied before ours take their places. */
export function registerBackends(): void {
  copyRegisteredKernels('wasm', STOCK);
  registerBackend(STOCK, findBackendFactory('wasm'), 1);
  use([wasm(), webgpu({ allowSoftware: true })]);
}

/** Starts the backend that a case is measured on. Resolves to what it says of itself. */
export async function start(name: BackendName): Promise<string> {
  const { detail } = await backend(name);
  // tfjs would run small ops on the CPU, and "webgpu" would measure JavaScript.
  if (name === 'webgpu') env().set('WEBGPU_CPU_FORWARD', false);
  return detail;
}

/** The backend that stands for tfjs without us. On webgpu we replace nothing. */
export function stock(name: BackendName): string {
  return name === 'wasm' ? STOCK : name;
}

/** Runs what follows on this backend. tfjs' kernels bind themselves to the one that was set last: this must come before each turn. */
export async function switchTo(name: string): Promise<void> {
  if (getBackend() === name) return;
  await setBackend(name);
  await ready();
}
