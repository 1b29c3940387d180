// pnpm oracles [DIR] [--backend B] [--only slug[/op]] [--allow-unclaimed]
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Adapters } from './adapter.ts';
import { readOracles, type BrokenCase, type OracleCase } from './read.ts';
import { line, total } from './report.ts';
import { runCases, type CaseResult } from './run.ts';

export const usage = `pnpm oracles [DIR] [--backend B] [--only slug[/op]] [--allow-unclaimed]

  DIR                a folder of files <slug>.json; default: packages/*/test/data/oracles
  --backend B        cpu, wasm or webgpu; may be given several times; default: each that is there
  --only slug[/op]   one file, or one operation (params.op) of it; may be given several times
  --allow-unclaimed  a case that no adapter claims is not a failure`;

/** Something about the call itself is wrong. */
export class UsageError extends Error {}

/** What the command needs of the world, so that tests can hand it another. */
export interface World {
  /** The repository. */
  readonly root: string;
  readonly adapters: Adapters;
  /** Backends by name, with what is missing where one cannot be started. */
  readonly backends: readonly { readonly name: string; readonly missing?: string }[];
  start(backend: string): Promise<unknown>;
  print(text: string): void;
}

/** Runs the command; the result is the exit code: 0 where everything passed. */
export async function main(args: readonly string[], world: World): Promise<number> {
  const { print } = world;
  const options = parse(args);
  if (options.help) {
    print(usage);
    return 0;
  }
  const backends = chooseBackends(options.backend, world);
  const results: CaseResult[] = [];
  const tell = (result: CaseResult): void => {
    results.push(result);
    print(line(result));
  };

  const cases: (OracleCase | BrokenCase)[] = [];
  for (const file of listFiles(options.folder, world.root)) {
    try {
      cases.push(...readOracles(file).cases);
    } catch (error) {
      tell({ slug: slugOf(file), name: 'the file', status: 'failed', problem: (error as Error).message });
    }
  }
  const selectors = options.only.map(select);
  const chosen = selectors.length === 0 ? cases : cases.filter((oracle) => selectors.some((matches) => matches(oracle)));
  if (selectors.length > 0 && chosen.length === 0) throw new UsageError(`--only ${options.only.join(' --only ')} matches no case`);

  await runCases(chosen, world.adapters, backends, (name) => world.start(name), tell);
  print(total(results));
  const bad = results.some(({ status }) => status === 'failed' || (status === 'unclaimed' && !options.allowUnclaimed));
  return bad ? 1 : 0;
}

interface Options {
  folder: string | undefined;
  backend: string[];
  only: string[];
  allowUnclaimed: boolean;
  help: boolean;
}

function parse(args: readonly string[]): Options {
  let parsed;
  try {
    parsed = parseArgs({
      // pnpm hands on a `--` that separates its own arguments.
      args: args.filter((arg, i) => arg !== '--' || i > 0),
      allowPositionals: true,
      options: {
        backend: { type: 'string', multiple: true, default: [] },
        only: { type: 'string', multiple: true, default: [] },
        'allow-unclaimed': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
  const { values, positionals } = parsed;
  if (positionals.length > 1) throw new UsageError(`${positionals.length} folders, expected one`);
  return {
    folder: positionals[0],
    backend: values.backend,
    only: values.only,
    allowUnclaimed: values['allow-unclaimed'],
    help: values.help,
  };
}

function chooseBackends(wanted: readonly string[], { backends, print }: World): string[] {
  for (const name of wanted) {
    const backend = backends.find((each) => each.name === name);
    if (backend === undefined) {
      throw new UsageError(`--backend is '${name}', expected one of ${backends.map((each) => each.name).join(', ')}`);
    }
    if (backend.missing !== undefined) throw new UsageError(`--backend ${name} is not available: ${backend.missing}`);
  }
  if (wanted.length > 0) return [...new Set(wanted)];
  for (const { name, missing } of backends) if (missing !== undefined) print(`left out: ${name}, ${missing}`);
  return backends.filter(({ missing }) => missing === undefined).map(({ name }) => name);
}

function slugOf(file: string): string {
  return file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1).replace(/\.json$/, '');
}

/** The files of a folder, or of all packages' own folders, in order. */
function listFiles(folder: string | undefined, root: string): string[] {
  if (folder !== undefined) {
    const files = jsonFiles(resolve(folder));
    if (files.length === 0) throw new UsageError(`no .json file in ${folder}`);
    return files;
  }
  const packages = readdirSync(join(root, 'packages')).sort();
  return packages
    .map((name) => join(root, 'packages', name, 'test/data/oracles'))
    .filter((path) => existsSync(path))
    .flatMap(jsonFiles);
}

function jsonFiles(folder: string): string[] {
  let names;
  try {
    names = readdirSync(folder);
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
  return names
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(folder, name));
}

/** Whether a case is one of `slug` or `slug/op`. */
function select(only: string): (oracle: OracleCase | BrokenCase) => boolean {
  const slash = only.indexOf('/');
  if (slash < 0) return ({ slug }) => slug === only;
  const [slug, op] = [only.slice(0, slash), only.slice(slash + 1)];
  return (oracle) => oracle.slug === slug && 'params' in oracle && oracle.params['op'] === op;
}
