import { env, findBackendFactory, getBackend, setBackend } from '@tensorflow/tfjs-core';
import { backend, probeBackends } from '../backend.ts';
import { EvenkeelError } from '../errors.ts';

export interface BackendsFound {
  readonly found: readonly string[];
  readonly leftOut: readonly { readonly backend: string; readonly reason: string }[];
}

/** The backends to check on: those that are listed, which must be there, or all that the app handed over and the machine has. */
export async function findBackends(listed: readonly string[] | undefined): Promise<BackendsFound> {
  if (!findBackendFactory('cpu')) {
    throw new EvenkeelError('BACKEND_UNAVAILABLE', "expected values come from the cpu backend: import '@tensorflow/tfjs-backend-cpu'", {
      op: 'opcheck',
    });
  }
  if (listed !== undefined) return { found: listed, leftOut: [] };
  const probes = await probeBackends();
  return {
    found: probes.filter(({ available }) => available).map(({ name }) => name),
    leftOut: probes.filter(({ available }) => !available).map(({ name, detail }) => ({ backend: name, reason: detail })),
  };
}

/** Starts a backend for checks. On webgpu small tensors would else be computed on the CPU; the flag stays as tests need it. */
export async function startForCheck(name: string): Promise<void> {
  await backend(name);
  if (name === 'webgpu') env().set('WEBGPU_CPU_FORWARD', false);
}

// Checks switch backends and count tensors: two at a time would see each other.
let queue: Promise<unknown> = Promise.resolve();

/** Runs `work` when no other check runs, and brings back the backend that ran before. */
export async function alone<T>(work: () => Promise<T>): Promise<T> {
  const run = async (): Promise<T> => {
    const before = getBackend();
    try {
      return await work();
    } finally {
      if (before && before !== getBackend()) await setBackend(before);
    }
  };
  const mine = queue.then(run, run);
  queue = mine.catch(() => undefined);
  return mine;
}
