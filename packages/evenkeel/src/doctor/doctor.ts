import { availableParallelism, cpus } from 'node:os';
import { backend, probeBackends, use, type BackendChoice, type BackendProbe } from '@evenkeel/core';
import { wasm } from '@evenkeel/backend-wasm';
import { webgpu } from '@evenkeel/backend-webgpu';
import { installedVersions } from '../packages.ts';
import { version } from '../version.ts';

/** What is not there, and how to get it. */
export interface Missing {
  readonly what: string;
  readonly remedy: string;
}

/** What `evenkeel doctor` tells; with `--json`, as it stands. */
export interface DoctorReport {
  /** Versions of the installed packages of Evenkeel, by name. */
  readonly evenkeel: Readonly<Record<string, string>>;
  /** Versions of the installed packages of TensorFlow.js, and of `webgpu`, by name. */
  readonly tensorflow: Readonly<Record<string, string>>;
  readonly machine: {
    readonly node: string;
    readonly v8: string;
    readonly platform: string;
    readonly processor: string;
    /** Threads that run at once here; a container may have fewer than the machine. */
    readonly parallelism: number;
  };
  readonly wasm: { readonly simd: boolean; readonly relaxedSimd: boolean; readonly threads: boolean };
  /** Every backend, best first. */
  readonly backends: readonly (BackendProbe & { readonly name: string })[];
  /** Which backend 'auto' takes, and what it passed over. */
  readonly auto: BackendChoice;
  readonly missing: readonly Missing[];
}

const OURS = ['core', 'backend-wasm', 'backend-webgpu', 'norms', 'datasets'].map((name) => `@evenkeel/${name}`);

const THEIRS = [
  ...['core', 'layers', 'backend-cpu', 'backend-wasm', 'backend-webgpu'].map((name) => `@tensorflow/tfjs-${name}`),
  '@tensorflow/tfjs',
  'webgpu',
];

const RELAXED: Missing = {
  what: 'relaxed SIMD (fused multiply-add in matrix products and convolutions)',
  remedy: 'Node 22 or newer has it on; Node 20 behind a flag, which wasm({ relaxedSimd: true }) sets',
};

/** Hands over all backends that there are: providers look at the machine only when they are asked. */
export async function useBackends(): Promise<void> {
  // By its import alone tfjs' cpu backend is registered.
  await import('@tensorflow/tfjs-backend-cpu');
  use([wasm(), webgpu()]);
}

function missingOf(backends: DoctorReport['backends'], { simd, relaxedSimd }: DoctorReport['wasm']): Missing[] {
  const missing: Missing[] = backends
    .filter(({ available }) => !available)
    .map(({ name, detail, remedy }) => ({ what: `${name}: ${detail}`, remedy: remedy ?? 'nothing is known to help' }));
  if (!simd) missing.push({ what: 'WASM SIMD, which all kernels need', remedy: 'use a newer engine: every current one has it' });
  else if (!relaxedSimd) missing.push(RELAXED);
  return missing;
}

/**
 * Looks at the machine: versions, what WebAssembly and WebGPU can do here, and which backend 'auto' takes and why (it starts that one).
 *
 * @throws EvenkeelError BACKEND_UNAVAILABLE when no backend starts at all
 *
 * @example
 * const { auto, missing } = await doctor();
 * console.log(`runs on ${auto.name}`, missing);
 */
export async function doctor(): Promise<DoctorReport> {
  await useBackends();
  const backends = await probeBackends();
  const features = backends.find(({ name }) => name === 'wasm')?.features ?? [];
  const found = {
    simd: features.includes('simd'),
    relaxedSimd: features.includes('relaxed-simd'),
    // Node shares memory with its workers, so whoever asks can have them: wasm({ threads: 2 }).
    threads: features.includes('simd'),
  };
  return {
    evenkeel: { evenkeel: version, ...installedVersions(OURS) },
    tensorflow: installedVersions(THEIRS),
    machine: {
      node: process.versions.node,
      v8: process.versions.v8,
      platform: `${process.platform} ${process.arch}`,
      processor: cpus()[0]?.model.trim() ?? 'unknown',
      parallelism: availableParallelism(),
    },
    wasm: found,
    backends,
    auto: await backend('auto'),
    missing: missingOf(backends, found),
  };
}
