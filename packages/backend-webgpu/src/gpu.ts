import { EvenkeelError } from '@evenkeel/core';

interface Dawn {
  create(options: string[]): GPU;
  readonly globals: Record<string, unknown>;
}

/** Where adapters come from, and what must be global before tfjs can use them. */
export interface GPUSource {
  readonly gpu: GPU;
  readonly globals: Readonly<Record<string, unknown>>;
}

export const INSTALL_DAWN = 'npm install webgpu';

let dawn: Promise<GPUSource> | undefined;

// By a variable: bundlers for the browser would look for the package otherwise, which only Node needs.
function load(name: string): Promise<unknown> {
  return import(/* @vite-ignore */ /* webpackIgnore: true */ name);
}

async function loadDawn(): Promise<GPUSource> {
  const { create, globals } = (await load('webgpu').catch((cause: unknown) => {
    const absent = (cause as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND';
    const reason = absent ? 'it is not installed' : cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new EvenkeelError('MISSING_PEER', `WebGPU in Node needs the package 'webgpu', which cannot be loaded (${reason})`, { cause });
  })) as Dawn;
  return { gpu: create([]), globals };
}

function inNode(): boolean {
  return typeof process === 'object' && typeof process.versions?.node === 'string';
}

/** `navigator.gpu`, or Dawn's in Node. Throws MISSING_PEER or BACKEND_UNAVAILABLE. */
export async function findGPU(given: GPU | undefined): Promise<GPUSource> {
  const own = given ?? (globalThis.navigator as Navigator | undefined)?.gpu;
  if (own) return { gpu: own, globals: {} };
  if (!inNode()) throw new EvenkeelError('BACKEND_UNAVAILABLE', 'this browser has no navigator.gpu', { op: 'webgpu' });
  dawn ??= loadDawn();
  try {
    return await dawn;
  } catch (error) {
    // It may be installed before the next look.
    dawn = undefined;
    throw error;
  }
}

/** Puts what tfjs looks for where it looks: `navigator.gpu`, `GPUBuffer` and so on. */
export function installGlobals({ gpu, globals }: GPUSource): void {
  for (const [name, value] of Object.entries(globals)) {
    if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  // Node has no navigator before version 21.
  if (!('navigator' in globalThis)) Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true, writable: true });
  if (!navigator.gpu) Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
}

/** The features that kernels and tfjs make use of. */
const FEATURES = ['subgroups', 'shader-f16', 'timestamp-query', 'bgra8unorm-storage'] as const;

/** Those of the features we use that the adapter has. */
export function usefulFeatures({ features }: GPUAdapter): GPUFeatureName[] {
  return FEATURES.filter((feature) => features.has(feature));
}

/** A device with all the adapter can do. (tfjs' own request has neither subgroups nor more than eight storage buffers.) */
export function requestFullDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const requiredLimits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const limit: unknown = adapter.limits[name as keyof GPUSupportedLimits];
    if (typeof limit === 'number') requiredLimits[name] = limit;
  }
  return adapter.requestDevice({ requiredFeatures: usefulFeatures(adapter), requiredLimits });
}

/** Name and kind of an adapter. */
export function describeAdapter({ info }: GPUAdapter): { name: string; software: boolean } {
  const { vendor, architecture, device, description } = info;
  const said = [description || device, [vendor, architecture].filter(Boolean).join(' ')].filter(Boolean);
  const name = said.length === 2 ? `${said[0]} (${said[1]})` : (said[0] ?? 'an adapter that does not say its name');
  const software = info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render|software/i.test(said.join(' '));
  return { name, software };
}
