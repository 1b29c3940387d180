// The same tfjs program on several engines in one process: each is a tfjs backend under a name of its own, with a heap of its own.
import '@tensorflow/tfjs-backend-cpu';
import {
  copyRegisteredKernels,
  findBackendFactory,
  getBackend,
  ready,
  registerBackend,
  removeBackend,
  setBackend,
} from '@tensorflow/tfjs-core';
import { backend, unregister, use } from '@evenkeel/core';
import { wasm, type WasmOptions } from '@evenkeel/backend-wasm';

/** Ours, ours with fused multiply-add, ours on two threads, and tfjs' own. */
export type Engine = 'evenkeel' | 'evenkeel-fma' | 'evenkeel-threads' | 'tfjs-wasm' | 'tfjs-cpu';

/** What tfjs calls the backend of each engine. */
const NAMES: Readonly<Record<Engine, string>> = {
  evenkeel: 'evenkeel',
  'evenkeel-fma': 'evenkeel-fma',
  // Its heap is made so that threads can share it, which a copy of the backend would not be.
  'evenkeel-threads': 'wasm',
  'tfjs-wasm': 'tfjs-wasm',
  'tfjs-cpu': 'cpu',
};

/** Starts another instance of tfjs' backend under `name`, with the kernels that 'wasm' has now. */
async function copyBackend(name: string): Promise<void> {
  copyRegisteredKernels('wasm', name);
  registerBackend(name, findBackendFactory('wasm'), 1);
  await setBackend(name);
}

async function ours(name: string, options: WasmOptions): Promise<void> {
  const plugin = wasm(options);
  use(plugin);
  await backend('wasm');
  await copyBackend(name);
  unregister(plugin);
}

/** Makes the engines; in a page with the URLs of tfjs' .wasm files. Returns those that this machine has. */
export async function engines(paths?: WasmOptions['paths']): Promise<Engine[]> {
  await ours(NAMES.evenkeel, { relaxedSimd: false, ...(paths !== undefined && { paths }) });
  await copyBackend(NAMES['tfjs-wasm']);
  await ours(NAMES['evenkeel-fma'], { relaxedSimd: true });
  removeBackend('wasm');
  use(wasm({ relaxedSimd: false, threads: 2 }));
  await backend('wasm');
  return ['evenkeel', 'evenkeel-fma', 'evenkeel-threads', 'tfjs-wasm', 'tfjs-cpu'];
}

/** Runs what follows on this engine. tfjs' kernels bind themselves to the instance that was set last: this must come before each turn. */
export async function switchTo(engine: Engine): Promise<void> {
  if (getBackend() === NAMES[engine]) return;
  await setBackend(NAMES[engine]);
  await ready();
}
