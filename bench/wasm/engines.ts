// The same tfjs program on several engines in one process: each is a tfjs backend under a name of its own, with a heap of its own.
import '@tensorflow/tfjs-backend-cpu';
import { copyRegisteredKernels, findBackendFactory, getBackend, ready, registerBackend, setBackend } from '@tensorflow/tfjs-core';
import { backend, unregister, use } from '@evenkeel/core';
import { wasm, type WasmOptions } from '@evenkeel/backend-wasm';

/** Ours, ours with fused multiply-add, and tfjs' own. */
export type Engine = 'evenkeel' | 'evenkeel-fma' | 'tfjs-wasm' | 'tfjs-cpu';

/** What tfjs calls the backend of each engine. */
const NAMES: Readonly<Record<Engine, string>> = {
  evenkeel: 'evenkeel',
  'evenkeel-fma': 'evenkeel-fma',
  'tfjs-wasm': 'tfjs-wasm',
  'tfjs-cpu': 'cpu',
};

/** Registers another instance of tfjs' backend under `name`, with the kernels that 'wasm' has now. */
function copyBackend(name: string): void {
  copyRegisteredKernels('wasm', name);
  registerBackend(name, findBackendFactory('wasm'), 1);
}

async function ours(name: string, options: WasmOptions): Promise<void> {
  const plugin = wasm(options);
  use(plugin);
  await backend('wasm');
  copyBackend(name);
  unregister(plugin);
}

/** Makes the engines. Returns those that this machine has. */
export async function engines(): Promise<Engine[]> {
  await ours(NAMES.evenkeel, { relaxedSimd: false });
  copyBackend(NAMES['tfjs-wasm']);
  await ours(NAMES['evenkeel-fma'], { relaxedSimd: true });
  return ['evenkeel', 'evenkeel-fma', 'tfjs-wasm', 'tfjs-cpu'];
}

/** Runs what follows on this engine. tfjs' kernels bind themselves to the instance that was set last: this must come before each turn. */
export async function switchTo(engine: Engine): Promise<void> {
  if (getBackend() === NAMES[engine]) return;
  await setBackend(NAMES[engine]);
  await ready();
}
