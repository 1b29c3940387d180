import { serialization } from '@tensorflow/tfjs-core';
import type { BackendProvider } from './backend.ts';
import { registered, unregisterOp } from './dispatch.ts';
import { EvenkeelError, show } from './errors.ts';
import type { Kernel } from './kernel.ts';
import type { AnyOp } from './op.ts';
import { registry, sharesName, type Owner } from './registry.ts';

/** A class that tfjs can serialize: a layer, an optimizer, a constraint. */
export type SerializableClass = serialization.SerializableConstructor<serialization.Serializable> & { className: string };

/** A faster (or other) kernel for an op of another package. */
export interface KernelReplacement {
  /** The op, or its id. */
  readonly op: AnyOp | string;
  readonly kernel: Kernel;
}

/** A package's contribution, as a plain object. */
export interface Plugin extends Owner {
  readonly ops?: readonly AnyOp[];
  /** Layers and other classes, which `use` registers under their class names: models that name them load. */
  readonly layers?: readonly SerializableClass[];
  readonly kernels?: readonly KernelReplacement[];
  readonly backends?: readonly BackendProvider[];
}

/** Nested lists; falsy entries are passed over, so that `condition && plugin()` works. */
export type PluginList = Plugin | false | null | undefined | readonly PluginList[];

/** Checks a plugin's form. */
export function definePlugin(plugin: Plugin): Plugin {
  for (const field of ['name', 'version'] as const) {
    if (typeof plugin[field] !== 'string' || plugin[field] === '') {
      throw new EvenkeelError('INVALID_ARGUMENT', `${field} is ${show(plugin[field])}, expected a non-empty string`, {
        op: 'definePlugin',
        argument: field,
      });
    }
  }
  return plugin;
}

/**
 * Registers plugins: ops, layers (under their Keras class names, in place of tfjs' own), kernels, backends.
 * A second copy of the same version is taken for the same. A name of another owner is an error before anything is registered,
 * unless `override` says to replace it.
 *
 * @example
 * use([wasm(), webgpu(), norms]);
 */
export function use(plugins: PluginList, { override = false }: { override?: boolean } = {}): void {
  for (const plugin of flatten(plugins)) register(definePlugin(plugin), override);
}

/** The inverse of `use`: takes out all that the plugins registered, and puts back what they replaced. Also takes a single op. */
export function unregister(plugins: PluginList | AnyOp): void {
  if (typeof plugins === 'function') return unregisterOp(plugins);
  for (const { name } of flatten(plugins)) {
    const plugin = registry.plugins.get(name);
    if (plugin === undefined) continue;
    // Its other ops as well, gradients above all, which register themselves.
    for (const { op, owner } of registry.ops.values()) if (owner.name === name) unregisterOp(op);
    for (const { op, kernel } of plugin.kernels ?? []) {
      const slot = kernelSlot(op, kernel);
      if (registry.replacements.get(slot)?.owner.name === name) registry.replacements.delete(slot);
    }
    for (const layer of plugin.layers ?? []) unregisterClass(layer.className, name);
    for (const provider of plugin.backends ?? []) {
      provider.unregister?.();
      registry.providers.delete(provider.name);
      registry.runners.delete(provider.name);
    }
    registry.plugins.delete(name);
  }
}

function flatten(list: PluginList): Plugin[] {
  if (!list) return [];
  return Array.isArray(list) ? list.flatMap(flatten) : [list as Plugin];
}

function kernelSlot(op: AnyOp | string, kernel: Kernel): string {
  return `${typeof op === 'string' ? op : op.id}|${kernel.kind}`;
}

function register(plugin: Plugin, override: boolean): void {
  const { name, ops = [], layers = [], kernels = [], backends = [] } = plugin;
  const known = registry.plugins.get(name);
  if (known && known.version !== plugin.version) {
    if (!override) sharesName(`plugin ${name}`, known, plugin);
    unregister(known);
  }
  // First all claims, then all registrations: an error leaves everything as it was.
  if (!override) {
    for (const op of ops) claim(`op ${op.id}`, registry.ops.get(op.id)?.owner, op.definition.owner);
    for (const layer of layers) claim(`layer ${layer.className}`, registry.layers.get(layer.className)?.owner, plugin);
    for (const { op, kernel } of kernels)
      claim(
        `${kernel.kind} kernel for ${typeof op === 'string' ? op : op.id}`,
        registry.replacements.get(kernelSlot(op, kernel))?.owner,
        plugin,
      );
  }
  for (const op of ops) {
    const holder = registry.ops.get(op.id);
    if (holder && holder.owner.name !== op.definition.owner.name) unregisterOp(holder.op);
    registered(op);
  }
  for (const layer of layers) registerClass(layer, plugin);
  for (const { op, kernel } of kernels) registry.replacements.set(kernelSlot(op, kernel), { kernel, owner: plugin });
  for (const provider of backends) {
    registry.providers.set(provider.name, provider);
    registry.runners.set(provider.name, provider.runner);
  }
  registry.plugins.set(name, plugin);
}

function claim(what: string, holder: Owner | undefined, owner: Owner): void {
  if (holder) sharesName(what, holder, owner);
}

type ClassMap = Record<string, [unknown, unknown]>;

function classMap(): ClassMap {
  return serialization.SerializationMap.getMap().classNameMap as unknown as ClassMap;
}

function registerClass(layer: SerializableClass, owner: Owner): void {
  const holder = registry.layers.get(layer.className);
  if (holder?.owner.name === owner.name) return;
  // Of two that replace one another, neither is put back: what was there before both is.
  registry.layers.set(layer.className, { owner, previous: holder ? holder.previous : classMap()[layer.className] });
  serialization.registerClass(layer, owner.name);
}

function unregisterClass(className: string, owner: string): void {
  const entry = registry.layers.get(className);
  if (entry?.owner.name !== owner) return;
  if (entry.previous === undefined) delete classMap()[className];
  else classMap()[className] = entry.previous as [unknown, unknown];
  registry.layers.delete(className);
}
