import { env, registerBackend } from '@tensorflow/tfjs-core';
import { EvenkeelError, expect, type BackendProbe, type BackendProvider } from '@evenkeel/core';
import { wasmFeatures } from './features.ts';
import { kernelNames, standDown, standIn } from './kernels/index.ts';
import { wasmRunner } from './runner.ts';
import { stopThreads, threadedStandins, withSharedHeap } from './threads/index.ts';
import { isRegistered, startBy, keepFactory, keptFactory, runningHeap } from './tfjs.ts';

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
  /**
   * Threads for large matrix products, the calling one included; 1 to 16. Default 1. More need a heap that workers can share: Node, or a
   * cross-origin isolated page; elsewhere everything runs on one. Ask for it before the backend starts. Results are the same, bit for bit.
   */
  readonly threads?: number;
  /**
   * false for a kernel of tfjs that shall stay as it is, by its name in tfjs' registry: `{ Conv2D: false }`. Default: all that this package
   * replaces or adds; its README lists them.
   */
  readonly replace?: Readonly<Record<string, boolean>>;
}

/** Between plain CPU (0) and WebGPU, as tfjs has it. */
const PRIORITY = 2;

const MOST_THREADS = 16;

const INSTALL = 'npm install @tensorflow/tfjs-backend-wasm';

// Imported only when the backend is wanted: tfjs registers it as soon as the module is loaded.
async function load(): Promise<typeof import('@tensorflow/tfjs-backend-wasm')> {
  try {
    return await import('@tensorflow/tfjs-backend-wasm');
  } catch (cause) {
    throw new EvenkeelError('MISSING_PEER', `@tensorflow/tfjs-backend-wasm cannot be loaded; ${INSTALL}`, { op: 'backend', cause });
  }
}

async function probe({ simd = true, threads: wanted = 1 }: WasmOptions): Promise<BackendProbe> {
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
  const threads =
    wanted > 1 && canShare() ? `${wanted} threads for large products` : found.threads ? 'threads (cross-origin isolated)' : 'one thread';
  return { available: true, preferred: true, detail: `WebAssembly ${vectors}, ${threads}`, features };
}

/** Puts our kernels in place, those on several threads before the others. */
function takeOver(options: WasmOptions): void {
  const { threads = 1 } = options;
  const relaxed = usesRelaxed(options);
  const not = Object.entries(options.replace ?? {}).flatMap(([name, ours]) => (ours ? [] : [name]));
  standIn(relaxed, threads > 1 ? threadedStandins(threads, relaxed) : [], new Set(not));
}

async function register(options: WasmOptions): Promise<void> {
  const { paths, simd, threads = 1 } = options;
  const tfjs = await load();
  keepFactory();
  if (usesKernels(options)) takeOver(options);
  if (threads > 1) startBy(withSharedHeap);
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

/** Whether a heap can be shared with workers here: in Node, and in cross-origin isolated pages. */
function canShare(): boolean {
  return (
    typeof SharedArrayBuffer === 'function' &&
    (wasmFeatures().threads || typeof (globalThis.process as Partial<NodeJS.Process> | undefined)?.getBuiltinModule === 'function')
  );
}

function checkThreads(threads: number): void {
  const whole = Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS;
  expect(whole, 'wasm', 'threads', `an integer from 1 to ${MOST_THREADS}`, threads);
}

function checkReplace(replace: Readonly<Record<string, boolean>>): void {
  for (const [name, ours] of Object.entries(replace)) {
    expect(kernelNames.includes(name), 'wasm', 'replace', `names of kernels among ${kernelNames.join(', ')}`, name);
    expect(typeof ours === 'boolean', 'wasm', `replace.${name}`, 'true or false', ours);
  }
}

/** tfjs' 'wasm' backend as core's `backend()` finds and starts it. */
export function wasmProvider(options: WasmOptions): BackendProvider {
  checkThreads(options.threads ?? 1);
  checkReplace(options.replace ?? {});
  // A program that imported tfjs' backend first may start it without us.
  keepFactory();
  if (isRegistered() && usesKernels(options)) takeOver(options);
  return {
    name: 'wasm',
    priority: PRIORITY,
    runner: wasmRunner(options.simd === false ? 'off' : wasmFeatures().simd ? 'present' : 'absent'),
    probe: () => probe(options),
    register: () => register(options),
    unregister: () => {
      standDown();
      stopThreads();
      startBy((start) => start());
    },
  };
}
