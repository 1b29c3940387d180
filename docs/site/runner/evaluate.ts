import { transform } from 'sucrase';
import { modules } from 'virtual:example-modules';

/** An example's exports. */
interface Exports {
  main?: () => unknown;
}

const AsyncFunction = (async () => {}).constructor as new (...parts: string[]) => (...values: unknown[]) => Promise<void>;

/**
 * Runs the text of a module in TypeScript and returns what it exports. Its imports are those of `virtual:example-modules`.
 *
 * @throws SyntaxError for a text that is no module, Error for an import that there is not
 */
export async function evaluate(code: string): Promise<Exports> {
  const { code: script } = transform(code, { transforms: ['typescript', 'imports'] });
  const loaded = new Map<string, unknown>();
  for (const [, name] of script.matchAll(/\brequire\('([^']+)'\)/g)) {
    const load = modules[name!];
    if (load === undefined) throw new Error(`No module '${name}' here, only ${Object.keys(modules).join(', ')}.`);
    loaded.set(name!, await load());
  }
  const exports: Exports = {};
  await new AsyncFunction('require', 'exports', script)((name: string) => loaded.get(name), exports);
  return exports;
}
