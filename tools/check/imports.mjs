// Installed packages in plain Node: they can be imported, and required, and importing them does nothing else.
import { Failure, run } from '../steps.mjs';
import { registers } from './packages.mjs';

/** Imports (or requires) entry points one after the other, and prints what each added or replaced in the registries of tfjs and in ours. */
const program = (load, peers, entries) => `
  const load = ${load};
  (async () => {
    for (const peer of ${JSON.stringify(peers)}) await load(peer);
    const tf = ${JSON.stringify(peers)}.includes('@tensorflow/tfjs-core') ? await load('@tensorflow/tfjs-core') : undefined;
    const state = () => {
      const found = new Map(Object.keys(globalThis).map((name) => ['globalThis.' + name, true]));
      const keep = (registry, entries) => [...entries].forEach(([name, value]) => found.set(registry + ' ' + name, value));
      const maps = [...Object.entries(globalThis[Symbol.for('@evenkeel/core/1')] ?? {}), ...(globalThis._tfGlobals ?? [])];
      for (const [name, map] of maps) if (map instanceof Map) keep(name, map);
      if (tf !== undefined) {
        keep('backend', Object.entries(tf.engine().registryFactory));
        keep('class', Object.entries(tf.serialization.SerializationMap.getMap().classNameMap));
      }
      return found;
    };
    const changed = {};
    for (const entry of ${JSON.stringify(entries)}) {
      const before = state();
      await load(entry);
      changed[entry] = [...state()].filter(([name, value]) => before.get(name) !== value).map(([name]) => name);
    }
    console.log(JSON.stringify(changed));
  })();`;

/**
 * Throws a Failure where an entry point cannot be loaded in a project, writes to stderr, or has a side effect without being a `register`,
 * or none though it is one.
 * peers: packages that have side effects of their own, loaded before
 * how: 'import' or 'require'
 */
export async function checkLoads(folder, entries, { peers, how, node = process.execPath }) {
  const load = how === 'import' ? '(name) => import(name)' : 'require';
  const type = how === 'import' ? 'module' : 'commonjs';
  // Those that register come last: what they did, the others could not be blamed for any more.
  const sorted = entries.toSorted((a, b) => Number(registers(a)) - Number(registers(b)));
  const args = [`--input-type=${type}`, '-e', program(load, peers, sorted)];
  const { status, stdout, stderr } = await run(node, args, { cwd: folder, allowFailure: true, env: { NODE_OPTIONS: '' } });
  if (status !== 0 || stderr !== '') throw new Failure(`${how} of ${entries.join(', ')}: exit code ${status}\n${stderr}`);
  const problems = Object.entries(JSON.parse(stdout)).flatMap(([entry, changed]) => {
    if (!registers(entry) && changed.length > 0) return [`importing ${entry} has side effects: ${changed.join(', ')}`];
    if (registers(entry) && changed.length === 0) return [`importing ${entry} registers nothing`];
    return [];
  });
  if (problems.length > 0) throw new Failure(problems.join('\n'));
}
