import { engine, findBackendFactory, getBackend, ready, setBackend, type Tensor, type TensorInfo } from '@tensorflow/tfjs-core';
import { EvenkeelError, show } from './errors.ts';
import type { Kernel, KernelCall } from './kernel.ts';
import { registry } from './registry.ts';

/** Runs kernels of one kind on one tfjs backend. */
export interface KernelRunner {
  /** The tfjs backend's name. */
  readonly backend: string;
  readonly kind: Kernel['kind'];
  /** Why the kernel cannot run this call on this backend instance, or undefined if it can. */
  refuses(kernel: Kernel, call: KernelCall, backend: object): string | undefined;
  /** Runs the kernel and returns the outputs in their declared order. `op` is for error messages. */
  run(op: string, kernel: Kernel, inputs: Record<string, Tensor>, call: KernelCall, backend: object): TensorInfo[];
  /** Compiles the kernel for the running backend; rejects with the compiler's message. */
  compile?(op: string, kernel: Kernel): Promise<void>;
  /** Makes the backend's next read wait for `check` and throw what it resolves to. Backends that read at once have none. */
  defer?(check: Promise<EvenkeelError | undefined>): void;
}

/** What a look at the machine says of a backend. */
export interface BackendProbe {
  readonly available: boolean;
  /** Real hardware or a fair engine: `backend('auto')` passes over what only emulates (a software GPU). */
  readonly preferred: boolean;
  /** One line: what is there, or what is missing. */
  readonly detail: string;
  /** What to do where it is not available. */
  readonly remedy?: string;
  readonly features?: readonly string[];
}

/** A backend that an app hands to core: `use(wasm())`. */
export interface BackendProvider {
  /** The tfjs backend's name. */
  readonly name: string;
  /** Among available and preferred backends, 'auto' takes the highest. */
  readonly priority: number;
  readonly runner: KernelRunner;
  probe(): Promise<BackendProbe>;
  /** Makes sure that tfjs knows the backend, anew where the old one is lost. */
  register(): Promise<void>;
  /** Takes back what the provider changed in tfjs. */
  unregister?(): void;
}

/** Which backend runs, and why. */
export interface BackendChoice {
  readonly name: string;
  readonly detail: string;
  /** The backends that 'auto' looked at first and passed over. */
  readonly passedOver: readonly { readonly name: string; readonly reason: string }[];
}

const PLAIN_CPU: Pick<BackendProvider, 'name' | 'priority' | 'probe' | 'register'> = {
  name: 'cpu',
  priority: 0,
  probe: () =>
    Promise.resolve(
      findBackendFactory('cpu')
        ? { available: true, preferred: true, detail: 'plain JavaScript' }
        : { available: false, preferred: false, detail: 'not imported', remedy: "import '@tensorflow/tfjs-backend-cpu'" },
    ),
  register: () => Promise.resolve(),
};

function providers() {
  const known = new Map<string, typeof PLAIN_CPU>(registry.providers);
  if (!known.has('cpu')) known.set('cpu', PLAIN_CPU);
  return [...known.values()].sort((a, b) => b.priority - a.priority);
}

/** Looks at every backend that the app handed over, best first, without starting one. */
export async function probeBackends(): Promise<(BackendProbe & { name: string })[]> {
  return Promise.all(providers().map(async (provider) => ({ name: provider.name, ...(await provider.probe()) })));
}

async function start(name: string): Promise<void> {
  await registry.providers.get(name)?.register();
  let cause: unknown;
  const started = await setBackend(name).catch((error: unknown) => {
    cause = error;
    return false;
  });
  if (started) await ready();
  if (!started || getBackend() !== name) {
    throw new EvenkeelError('BACKEND_UNAVAILABLE', `tfjs could not start '${name}'`, {
      op: 'backend',
      ...(cause !== undefined && { cause }),
    });
  }
}

/**
 * Starts a tfjs backend and waits until it is ready.
 *
 * 'auto' takes WebGPU where there is a real adapter, else WASM, else plain CPU, of those that the app handed over with
 * `use()`. A name takes that one or throws: UNKNOWN_BACKEND, or BACKEND_UNAVAILABLE with what is missing and how to get it.
 *
 * @example
 * use([wasm(), webgpu()]);
 * const { name } = await backend('auto');
 */
export async function backend(name: 'auto' | (string & {}) = 'auto'): Promise<BackendChoice> {
  if (name !== 'auto') return named(name);
  const passedOver: { name: string; reason: string }[] = [];
  for (const provider of providers()) {
    const { available, preferred, detail, remedy } = await provider.probe();
    if (available && preferred) {
      try {
        await start(provider.name);
        return { name: provider.name, detail, passedOver };
      } catch (error) {
        passedOver.push({ name: provider.name, reason: (error as Error).message });
      }
    } else passedOver.push({ name: provider.name, reason: remedy === undefined ? detail : `${detail} (${remedy})` });
  }
  const reasons = passedOver.map((other) => `${other.name}: ${other.reason}`).join('; ');
  throw new EvenkeelError('BACKEND_UNAVAILABLE', `no backend can be started. ${reasons}`, { op: 'backend' });
}

async function named(name: string): Promise<BackendChoice> {
  const provider = providers().find((known) => known.name === name);
  if (provider === undefined && !findBackendFactory(name)) {
    const known = new Set([...providers().map((each) => each.name), ...Object.keys(engine().registryFactory)]);
    throw new EvenkeelError(
      'UNKNOWN_BACKEND',
      `name is ${show(name)}, expected 'auto' or one of ${[...known].join(', ')}; other backends must be handed over with use() first`,
      { op: 'backend', argument: 'name' },
    );
  }
  const probe = await provider?.probe();
  if (probe && !probe.available) {
    const remedy = probe.remedy === undefined ? '' : `. ${probe.remedy}`;
    throw new EvenkeelError('BACKEND_UNAVAILABLE', `'${name}' is not available: ${probe.detail}${remedy}`, {
      op: 'backend',
      argument: 'name',
    });
  }
  await start(name);
  return { name, detail: probe?.detail ?? 'registered with tfjs by the app', passedOver: [] };
}
