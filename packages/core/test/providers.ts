import { findBackendFactory, registerBackend, removeBackend } from '@tensorflow/tfjs-core';
import type { BackendProbe, BackendProvider, KernelRunner, Plugin } from '../src/index.ts';

const refuses: KernelRunner = { backend: 'none', kind: 'wasm', refuses: () => 'it is only for show', run: () => [] };

/** A provider for tests: what its probe says, and how it starts. */
export function providerOf(
  name: string,
  priority: number,
  probe: Partial<BackendProbe> = {},
  more: Partial<BackendProvider> = {},
): BackendProvider {
  return {
    name,
    priority,
    runner: { ...refuses, backend: name },
    probe: () => Promise.resolve({ available: true, preferred: true, detail: `${name} is there`, ...probe }),
    register: () => Promise.resolve(),
    ...more,
  };
}

export function pluginOf(...backends: BackendProvider[]): Plugin {
  return { name: '@test/providers', version: '1.0.0', backends };
}

/** Registers tfjs' cpu backend under another name; the function returned removes it. */
export function aliasCpu(name: string): () => void {
  registerBackend(name, findBackendFactory('cpu')!);
  return () => removeBackend(name);
}
