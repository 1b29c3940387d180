import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EvenkeelError, inspect, unregister, use, type AnyOp, type InputSpec, type Plugin } from '@evenkeel/core';
import { checkPlugin, type CheckPluginOptions, type CheckReport, type TfjsLayers } from '@evenkeel/core/testing';
import { useBackends } from '../doctor/doctor.ts';

/** An op as a reader of its package wants to see it. */
export interface InspectedOp {
  readonly id: string;
  /** `HelloNorm(x: [...,n], gamma: [n], { epsilon = 0.000001 })` */
  readonly signature: string;
  readonly gradient: 'its own' | 'defined by the method' | 'of the reference';
  /** What serves it, by backend: a kernel, or the reference. */
  readonly backends: Readonly<Record<'cpu' | 'wasm' | 'webgpu', 'kernel' | 'reference'>>;
}

/** What `evenkeel inspect` tells of a plugin; with `--json`, as it stands. */
export interface InspectReport {
  readonly name: string;
  readonly version: string;
  readonly ops: readonly InspectedOp[];
  /** Class names of layers, optimizers and what else TensorFlow.js loads by name. */
  readonly classes: readonly string[];
  /** Kernels for ops of other packages. */
  readonly kernels: readonly { readonly op: string; readonly backend: 'wasm' | 'webgpu' }[];
  readonly providers: readonly string[];
  /** The report of `checkPlugin`, where the package says by its entry point `./checks` what to call the plugin with. */
  readonly checks?: CheckReport;
}

export type PluginChecks = Pick<CheckPluginOptions, 'cases' | 'layers'>;

const BACKEND = { wasm: 'wasm', wgsl: 'webgpu' } as const;

function signature({ definition: { name, inputs, attrs = {} } }: AnyOp): string {
  const tensors = Object.entries(inputs as Record<string, InputSpec>).map(([input, spec]) => {
    const { shape, dtype = 'float32', optional = false } = typeof spec === 'string' ? { shape: spec } : spec;
    const types = typeof dtype === 'string' ? dtype : dtype.join(' or ');
    return `${input}${optional ? '?' : ''}: [${shape}]${types === 'float32' ? '' : ` ${types}`}`;
  });
  const options = Object.entries(attrs as object).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  return `${name}(${[...tensors, ...(options.length > 0 ? [`{ ${options.join(', ')} }`] : [])].join(', ')})`;
}

function inspectOp(op: AnyOp): InspectedOp {
  const { gradient, gradientKind, kernels } = op.definition;
  const kinds = new Set((kernels?.() ?? []).map(({ kind }) => BACKEND[kind]));
  const served = (backend: 'wasm' | 'webgpu'): 'kernel' | 'reference' => (kinds.has(backend) ? 'kernel' : 'reference');
  return {
    id: op.id,
    signature: signature(op),
    gradient: gradient === undefined ? 'of the reference' : gradientKind === 'defined' ? 'defined by the method' : 'its own',
    backends: { cpu: 'reference', wasm: served('wasm'), webgpu: served('webgpu') },
  };
}

/** What a plugin registers; with `checks`, also what `checkPlugin` finds on the backends of this machine. Changes no registry. */
export async function inspectPlugin(plugin: Plugin, checks?: PluginChecks, tfjsLayers?: TfjsLayers): Promise<InspectReport> {
  const { name, version, ops = [], layers = [], kernels = [], backends = [] } = plugin;
  let report: CheckReport | undefined;
  if (checks !== undefined) {
    await useBackends();
    // Which tfjs-core alone lacks.
    await import('@evenkeel/core/register-gradients');
    report = await checkPlugin(plugin, { ...checks, ...(tfjsLayers && { tfjsLayers }), failures: 'return', print: false });
  }
  return {
    name,
    version,
    ops: ops.map(inspectOp),
    classes: layers.map(({ className }) => className),
    kernels: kernels.map(({ op, kernel }) => ({ op: typeof op === 'string' ? op : op.id, backend: BACKEND[kernel.kind] })),
    providers: backends.map((provider) => provider.name),
    ...(report && { checks: report }),
  };
}

/** An entry point of a package as a project finds it, or undefined where the package has none of that name. */
async function load(specifier: string, folder: string): Promise<Record<string, unknown> | undefined> {
  let file: string;
  try {
    file = createRequire(join(folder, 'package.json')).resolve(specifier);
  } catch {
    return undefined;
  }
  return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
}

function isPlugin(value: unknown): value is Plugin {
  if (typeof value !== 'object' || value === null) return false;
  const { name, version } = value as Partial<Plugin>;
  return (
    typeof name === 'string' && typeof version === 'string' && ['ops', 'layers', 'kernels', 'backends'].some((field) => field in value)
  );
}

/** The plugin that a package exports, from its entry point `./plugin` or from its main one; and whether there is such a package at all. */
async function findPlugin(name: string, folder: string): Promise<{ installed: boolean; plugin: Plugin | undefined }> {
  const modules = [await load(`${name}/plugin`, folder), await load(name, folder)].filter((found) => found !== undefined);
  return { installed: modules.length > 0, plugin: modules.flatMap((exported) => Object.values(exported)).find(isPlugin) };
}

/** The plugins of those packages for whose ops a plugin brings kernels: it names the ops by their ids, and these are known once their plugin is in use. */
async function ownersOf({ kernels = [] }: Plugin, folder: string): Promise<Plugin[]> {
  const ids = kernels.flatMap(({ op }) => (typeof op === 'string' ? [op] : []));
  const names = [...new Set(ids.map((id) => id.slice(0, id.lastIndexOf('/'))))];
  const inUse = new Set(inspect().plugins.map(({ name }) => name));
  const found = await Promise.all(names.filter((name) => !inUse.has(name)).map((name) => findPlugin(name, folder)));
  return found.map(({ plugin }) => plugin).filter((plugin) => plugin !== undefined);
}

/**
 * Finds the plugin of an installed package, in what `<package>/plugin` or the package itself exports, and tells what it registers.
 *
 * @param folder - the project that has the package installed
 * @throws EvenkeelError NOT_FOUND where the package is not installed, or exports no plugin
 *
 * @example
 * const { ops } = await inspectPackage('@evenkeel/norms');
 */
export async function inspectPackage(name: string, { folder = process.cwd(), check = true } = {}): Promise<InspectReport> {
  const { installed, plugin } = await findPlugin(name, folder);
  if (!installed) throw new EvenkeelError('NOT_FOUND', `${name} is not installed in ${folder}; npm install ${name}`);
  if (plugin === undefined) {
    throw new EvenkeelError('NOT_FOUND', `neither ${name}/plugin nor ${name} exports a plugin: an object with name, version and ops`);
  }
  const checks = check ? (await load(`${name}/checks`, folder))?.['checks'] : undefined;
  if (checks === undefined) return inspectPlugin(plugin);
  const owners = await ownersOf(plugin, folder);
  use(owners);
  try {
    const layers = await load('@tensorflow/tfjs-layers', folder);
    return await inspectPlugin(plugin, checks as PluginChecks, layers as TfjsLayers | undefined);
  } finally {
    unregister(owners);
  }
}
