import type { AnyOp } from './op.ts';
import type { BackendProvider, KernelRunner } from './backend.ts';
import type { Kernel } from './kernel.ts';
import type { Plugin } from './plugin.ts';
import { EvenkeelError } from './errors.ts';

/** The package that an op, a layer or a kernel comes from. */
export interface Owner {
  readonly name: string;
  readonly version: string;
}

/** How the calls of one op on one backend were served. */
export interface CallRecord {
  readonly op: string;
  readonly backend: string;
  readonly served: 'kernel' | 'reference' | 'empty';
  /** Whose kernel it was. */
  readonly by?: string;
  /** Why no kernel served it. */
  readonly reason?: string;
  calls: number;
}

export interface OpEntry {
  readonly op: AnyOp;
  readonly owner: Owner;
  /** The op's own kernels, once they were asked for. */
  kernels: readonly Kernel[] | undefined;
  /** What tfjs knows of it: kernel name (one for each set of present inputs) and backend. */
  readonly registrations: [name: string, backend: string][];
}

export interface Replacement {
  readonly kernel: Kernel;
  readonly owner: Owner;
}

/** The class that `use` put in place of another, so that `unregister` can put that one back. */
export interface LayerEntry {
  readonly owner: Owner;
  readonly previous: unknown;
}

interface Registry {
  readonly ops: Map<string, OpEntry>;
  /** Kernels that a plugin brings for somebody else's op, by `op|kind`. */
  readonly replacements: Map<string, Replacement>;
  readonly layers: Map<string, LayerEntry>;
  readonly plugins: Map<string, Plugin>;
  readonly providers: Map<string, BackendProvider>;
  readonly runners: Map<string, KernelRunner>;
  readonly calls: Map<string, CallRecord>;
}

// Two copies of this package on a page share one registry, as two copies of tfjs share one engine.
// The number is that of the registry's layout: raise it when a field changes its meaning.
const key = Symbol.for('@evenkeel/core/1');

export const registry: Registry = ((globalThis as Record<symbol, unknown>)[key] ??= {
  ops: new Map(),
  replacements: new Map(),
  layers: new Map(),
  plugins: new Map(),
  providers: new Map(),
  runners: new Map(),
  calls: new Map(),
}) as Registry;

export function describe(owner: Owner): string {
  return `${owner.name} ${owner.version}`;
}

/**
 * Whether `owner` may share what `holder` has claimed: true for a second copy of the same package and version, an error otherwise.
 * The error names both.
 */
export function sharesName(what: string, holder: Owner, owner: Owner): true {
  if (holder.name !== owner.name) {
    throw new EvenkeelError(
      'DUPLICATE',
      `${what} of ${describe(owner)} is already taken by ${describe(holder)}; use(plugin, { override: true }) replaces it`,
    );
  }
  if (holder.version !== owner.version) {
    throw new EvenkeelError(
      'VERSION_CONFLICT',
      `${what} is registered by ${describe(holder)} and again by ${describe(owner)}; install one version of ${owner.name}`,
    );
  }
  return true;
}

/**
 * The types of registered ops by id. Packages add theirs by declaration merging:
 * `declare module '@evenkeel/core' { interface OpTypes { '@me/double/Double': typeof Double } }`.
 */
// oxlint-disable-next-line typescript/no-empty-object-type -- filled by merging
export interface OpTypes {}

/** The op of this id, if it has been called or handed over by `use`. Typed where its package says so in {@link OpTypes}. */
export function findOp<K extends keyof OpTypes | (string & {})>(id: K): (K extends keyof OpTypes ? OpTypes[K] : AnyOp) | undefined {
  return registry.ops.get(id as string)?.op as (K extends keyof OpTypes ? OpTypes[K] : AnyOp) | undefined;
}
