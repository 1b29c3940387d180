import { env, registerBackend } from '@tensorflow/tfjs-core';
import { EvenkeelError, type BackendProbe, type BackendProvider } from '@evenkeel/core';
import { wasmFeatures } from './features.ts';
import { standDown, standIn } from './kernels/index.ts';
import { wasmRunner } from './runner.ts';
import { isRegistered, keepFactory, keptFactory, runningHeap } from './tfjs.ts';

/** What the app may say about the backend. */
export interface WasmOptions {
  /**
   * Where the .wasm files of tfjs are: the folder's URL (with its last slash), or a URL for each file. Browsers and bundlers need it
   * unless the files lie beside the script; Node finds them by itself. Handed to `setWasmPaths` of tfjs-backend-wasm.
   */
  readonly paths?: string | Readonly<Record<string, string>>;
  /** false: use tfjs' build without SIMD and the reference in place of kernels, as on an engine that lacks it. Default: what is there. */
  readonly simd?: boolean;
  /**
   * Fused multiply-add, a third to a half faster in products and convolutions. Default: used where the engine has it on. true: Node 20, which
   * has it behind a flag, is asked to switch it on for the whole process. false: not used, so that results are the same on all engines.
   */
  readonly relaxedSimd?: boolean;
}

/** Between plain CPU (0) and WebGPU, as tfjs has it. */
const PRIORITY = 2;

const INSTALL = 'npm install @tensorflow/tfjs-backend-wasm';

// Imported only when the backend is wanted: tfjs registers it as soon as the module is loaded.
async function load(): Promise<typeof import('@tensorflow/tfjs-backend-wasm')> {
  try {
    return await import('@tensorflow/tfjs-backend-wasm');
  } catch (cause) {
    throw new EvenkeelError('MISSING_PEER', `@tensorflow/tfjs-backend-wasm cannot be loaded; ${INSTALL}`, { op: 'backend', cause });
  }
}

async function probe({ simd = true }: WasmOptions): Promise<BackendProbe> {
  if (typeof WebAssembly !== 'object') {
    return {
      available: false,
      preferred: false,
      detail: 'this engine has no WebAssembly',
      remedy: 'use a newer browser, or the cpu backend',
    };
  }
  if (!isRegistered()) {
    const missing = await load().then(
      () => undefined,
      (error: Error) => error.message,
    );
    if (missing !== undefined) return { available: false, preferred: false, detail: missing, remedy: INSTALL };
  }
  const found = wasmFeatures();
  const features = [
    ...(found.simd && simd ? ['simd'] : []),
    ...(found.relaxedSimd && simd ? ['relaxed-simd'] : []),
    ...(found.threads ? ['threads'] : []),
  ];
  const vectors = !found.simd
    ? 'without SIMD: no kernels, the reference runs'
    : simd
      ? 'with SIMD kernels'
      : 'SIMD switched off: no kernels, the reference runs';
  const threads = found.threads ? 'threads (cross-origin isolated)' : 'one thread';
  return { available: true, preferred: true, detail: `WebAssembly ${vectors}, ${threads}`, features };
}

async function register(options: WasmOptions): Promise<void> {
  const { paths, simd } = options;
  const tfjs = await load();
  keepFactory();
  if (usesKernels(options)) standIn(usesRelaxed(options));
  if (runningHeap() !== undefined) return;
  if (simd === false) env().set('WASM_HAS_SIMD_SUPPORT', false);
  if (paths !== undefined) {
    try {
      tfjs.setWasmPaths(paths as Parameters<typeof tfjs.setWasmPaths>[0]);
    } catch (cause) {
      throw new EvenkeelError('BACKEND_UNAVAILABLE', `tfjs does not take paths: ${(cause as Error).message}`, {
        op: 'wasm',
        argument: 'paths',
        cause,
      });
    }
  }
  if (isRegistered()) return;
  const factory = keptFactory();
  if (factory === undefined) {
    throw new EvenkeelError(
      'BACKEND_UNAVAILABLE',
      "the 'wasm' backend was removed before Evenkeel saw it, and tfjs registers it only once; call backend('wasm') before removeBackend('wasm')",
      { op: 'backend' },
    );
  }
  registerBackend('wasm', factory, PRIORITY);
}

/** Our kernels are SIMD: without it tfjs' own stay. */
function usesKernels({ simd }: WasmOptions): boolean {
  return simd !== false && wasmFeatures().simd;
}

/** Whether products may use fused multiply-add; switches it on in Node where the app asks for it. */
function usesRelaxed({ relaxedSimd }: WasmOptions): boolean {
  if (relaxedSimd === false) return false;
  if (relaxedSimd === true && !wasmFeatures().relaxedSimd) {
    const { getBuiltinModule } = (globalThis.process ?? {}) as Partial<NodeJS.Process>;
    getBuiltinModule?.('node:v8').setFlagsFromString('--experimental-wasm-relaxed-simd');
  }
  return wasmFeatures().relaxedSimd;
}

/** tfjs' 'wasm' backend as core's `backend()` finds and starts it. */
export function wasmProvider(options: WasmOptions): BackendProvider {
  // A program that imported tfjs' backend first may start it without us.
  keepFactory();
  if (isRegistered() && usesKernels(options)) standIn(usesRelaxed(options));
  return {
    name: 'wasm',
    priority: PRIORITY,
    runner: wasmRunner(options.simd === false ? 'off' : wasmFeatures().simd ? 'present' : 'absent'),
    probe: () => probe(options),
    register: () => register(options),
    unregister: standDown,
  };
}
