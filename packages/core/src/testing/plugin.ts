import { getKernelsForBackend, serialization } from '@tensorflow/tfjs-core';
import { compile } from '../compile.ts';
import type { AnyOp } from '../op.ts';
import { unregister, use, type Plugin } from '../plugin.ts';
import { findOp, registry } from '../registry.ts';
import { alone, findBackends, startForCheck } from './backends.ts';
import type { OpCase } from './case.ts';
import { checkConfig, checkInModel, type LayerCase, type TfjsLayers } from './layers.ts';
import { checkOp, type OpcheckOptions } from './opcheck.ts';
import { newRecord, type CheckRecord } from './record.ts';
import { finish, type CheckReport, type FinishOptions } from './report.ts';

/** Cases of an op, with its own options where it needs some. */
export type PluginOpCases =
  | Iterable<OpCase>
  | ({ readonly cases: Iterable<OpCase> } & Omit<OpcheckOptions, 'backends' | keyof FinishOptions>);

export interface CheckPluginOptions extends FinishOptions, Pick<OpcheckOptions, 'backends' | 'expectKernel'> {
  /** Cases by op id, or by the op's name: for every op of the plugin, and every op of others that it brings kernels for. */
  readonly cases: Readonly<Record<string, PluginOpCases>>;
  /** Cases by class name: for every class in `layers`. */
  readonly layers?: Readonly<Record<string, Iterable<LayerCase>>>;
  /** The module `@tensorflow/tfjs-layers`, where the plugin has layers. */
  readonly tfjsLayers?: TfjsLayers;
}

/** All that a plugin may add to the registries, by name. Ops of others register themselves when the plugin calls them. */
function snapshot({ name: plugin }: Plugin, backends: readonly string[]): Map<string, unknown> {
  const foreign = (id: string): boolean => id.includes('/') && !id.startsWith(`${plugin}/`);
  const all = new Map<string, unknown>();
  for (const [id, { op }] of registry.ops) if (!foreign(id)) all.set(`op ${id}`, op);
  for (const [name, { kernel }] of registry.replacements) all.set(`kernel for ${name}`, kernel);
  for (const [name, { owner }] of registry.layers) all.set(`layer ${name}`, owner.name);
  for (const name of registry.plugins.keys()) all.set(`plugin ${name}`, true);
  for (const name of registry.providers.keys()) all.set(`backend ${name}`, true);
  for (const backend of backends) {
    for (const { kernelName } of getKernelsForBackend(backend)) {
      if (!foreign(kernelName)) all.set(`${backend} kernel ${kernelName} of TensorFlow.js`, true);
    }
  }
  for (const [name, [cls]] of Object.entries(serialization.SerializationMap.getMap().classNameMap)) all.set(`class ${name}`, cls);
  return all;
}

function compareSnapshots(before: Map<string, unknown>, after: Map<string, unknown>): string | undefined {
  const left = [...after.keys()].filter((key) => !before.has(key));
  const gone = [...before.keys()].filter((key) => !after.has(key));
  const changed = [...before].filter(([key, value]) => after.has(key) && after.get(key) !== value).map(([key]) => key);
  const parts = [
    left.length > 0 && `leaves ${left.join(', ')}`,
    gone.length > 0 && `takes ${gone.join(', ')}`,
    changed.length > 0 && `changes ${changed.join(', ')}`,
  ].filter(Boolean);
  return parts.length === 0 ? undefined : `use() and unregister() together: ${parts.join('; ')}`;
}

function checkNames({ name, ops = [] }: Plugin): string | undefined {
  const wrong = ops.flatMap(({ id, definition: { owner } }) => [
    ...(id.includes('/') && id.startsWith(`${owner.name}/`) ? [] : [`${id} is not in the namespace of its owner, ${owner.name}/`]),
    ...(owner.name === name ? [] : [`${id} belongs to ${owner.name}`]),
  ]);
  const twice = ops.filter(({ id }, i) => ops.some((other, j) => j < i && other.id === id)).map(({ id }) => `${id} is there twice`);
  return [...wrong, ...twice].join('; ') || undefined;
}

/** The ops to check: the plugin's own, and those that it brings kernels for. */
function opsOf({ ops = [], kernels = [] }: Plugin): { ops: AnyOp[]; unknown: string[] } {
  const found = new Map(ops.map((op) => [op.id, op]));
  const unknown: string[] = [];
  for (const { op } of kernels) {
    const known = typeof op === 'string' ? findOp(op) : op;
    if (known) found.set(known.id, known);
    else unknown.push(String(op));
  }
  return { ops: [...found.values()], unknown };
}

async function checkOps(
  plugin: Plugin,
  options: CheckPluginOptions,
  backends: readonly string[],
  record: CheckRecord,
): Promise<{ cases: number; notCovered: string[] }> {
  const { ops, unknown } = opsOf(plugin);
  const notCovered: string[] = [];
  let count = 0;
  const taken = new Set<string>();
  for (const op of ops) {
    const key = [op.id, op.definition.name].find((each) => each in options.cases);
    await record.check('cases', '', op.id, () => (key === undefined ? 'there are no cases for it' : undefined));
    if (key === undefined) continue;
    taken.add(key);
    const given = options.cases[key]!;
    const { cases, ...own } = Symbol.iterator in given ? { cases: given } : given;
    const each = newRecord();
    const covered = await checkOp(
      op,
      cases,
      { ...(options.expectKernel !== undefined && { expectKernel: options.expectKernel }), ...own },
      backends,
      each,
    );
    count += covered.cases;
    notCovered.push(...covered.notCovered.map((open) => `${op.definition.name}: ${open}`));
    for (const failure of each.failures) record.failures.push({ ...failure, case: `${op.definition.name}: ${failure.case}` });
    for (const [name, times] of each.passed) record.passed.set(name, (record.passed.get(name) ?? 0) + times);
  }
  const strangers = [...unknown, ...Object.keys(options.cases).filter((key) => !taken.has(key) && !ops.some(({ id }) => id === key))];
  await record.check('cases', '', '', () => (strangers.length > 0 ? `no op is called ${strangers.join(', ')}` : undefined));
  return { cases: count, notCovered };
}

async function checkLayers(
  plugin: Plugin,
  { layers: cases = {}, tfjsLayers }: CheckPluginOptions,
  backends: readonly string[],
  record: CheckRecord,
): Promise<void> {
  for (const layer of plugin.layers ?? []) {
    const given = [...(cases[layer.className] ?? [])];
    await record.check('cases', '', layer.className, () => (given.length === 0 ? 'there are no cases for it' : undefined));
    for (const each of given) {
      const name = `${layer.className} ${each.name ?? JSON.stringify(each.config ?? {})}`;
      const kept = await record.check('layers', '', name, () => checkConfig(layer, each));
      if (!kept || each.inputShape === undefined) continue;
      for (const backend of backends) {
        await startForCheck(backend);
        await record.check('layers', backend, name, () =>
          tfjsLayers === undefined
            ? 'to call it, pass the module @tensorflow/tfjs-layers as tfjsLayers'
            : checkInModel(tfjsLayers, layer, each),
        );
      }
    }
  }
}

/** Compiles all kernels of its ops, those of gradients too: by now they have registered themselves. */
async function compileAll({ name }: Plugin, backends: readonly string[], record: CheckRecord): Promise<void> {
  const ops = [...registry.ops.values()].filter(({ owner }) => owner.name === name).map(({ op }) => op);
  for (const backend of backends) {
    if (registry.runners.get(backend)?.compile === undefined) continue;
    await startForCheck(backend);
    await record.check('compile', backend, '', async () => void (await compile(ops)));
  }
}

/**
 * Checks a whole plugin: all its ops by {@link opcheck}; its names; that `use` and `unregister` leave the registries as they were; that every
 * shader compiles; that layers keep their configuration, predict bit for bit the same after being saved and loaded, train, and leave nothing
 * behind. What has no cases is a failure.
 *
 * @returns what was covered
 * @throws EvenkeelError CHECK_FAILED with all that failed, or what keeps it from checking
 *
 * @example
 * await checkPlugin(norms, {
 *   cases: { LayerNorm: [{ inputs: { x: { shape: [3, 5] } } }] },
 *   layers: { LayerNormalization: [{ config: { epsilon: 0.01 }, inputShape: [5] }] },
 *   tfjsLayers: await import('@tensorflow/tfjs-layers'),
 * });
 */
export async function checkPlugin(plugin: Plugin, options: CheckPluginOptions): Promise<CheckReport> {
  return alone(async () => {
    const record = newRecord();
    const { found, leftOut } = await findBackends(options.backends);
    await record.check('names', '', '', () => checkNames(plugin));
    const inUse = registry.plugins.get(plugin.name);
    if (inUse) unregister(inUse);
    // Backends bring kernels of their own when they start.
    for (const backend of found) await startForCheck(backend);
    let covered = { cases: 0, notCovered: [] as string[] };
    try {
      // Once in vain, so that what its ops have left by registering themselves is gone.
      const registers = await record.check('registration', '', '', () => void use(plugin));
      unregister(plugin);
      const before = snapshot(plugin, found);
      if (registers) {
        use(plugin);
        covered = await checkOps(plugin, options, found, record);
        await compileAll(plugin, found, record);
        await checkLayers(plugin, options, found, record);
        unregister(plugin);
        await record.check('registration', '', '', () => compareSnapshots(before, snapshot(plugin, found)));
      }
    } finally {
      unregister(plugin);
      if (inUse) use(inUse);
    }
    return finish('checkPlugin', { subject: plugin.name, backends: found, leftOut, ...covered }, record, options);
  });
}
