import { getBackend } from '@tensorflow/tfjs-core';
import { registry, type CallRecord, type Owner } from './registry.ts';

/** What is registered, and what served the calls so far. */
export interface Inspection {
  /** The running backend; empty before one is set. */
  readonly backend: string;
  readonly plugins: readonly Owner[];
  readonly ops: readonly { readonly op: string; readonly owner: string }[];
  readonly backends: readonly string[];
  /** One entry for each op, backend and way of serving; `reason` says why no kernel served. */
  readonly calls: readonly CallRecord[];
}

/**
 * Tells which kernel served which call on which backend, and why another did not.
 *
 * @example
 * console.table(inspect().calls);
 */
export function inspect(): Inspection {
  return {
    backend: getBackend() ?? '',
    plugins: [...registry.plugins.values()].map(({ name, version }) => ({ name, version })),
    ops: [...registry.ops].map(([op, { owner }]) => ({ op, owner: owner.name })),
    backends: [...registry.providers.keys()],
    calls: [...registry.calls.values()].map((record) => ({ ...record })),
  };
}

/** Forgets the calls so far. */
export function resetInspection(): void {
  registry.calls.clear();
}
