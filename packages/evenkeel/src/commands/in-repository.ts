// Commands that run programs of the repository: they need a clone of it.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { UsageError, type Command } from './command.ts';

const WORKSPACE = 'evenkeel-workspace';

/** The repository's root at or above a folder. */
export function repositoryAbove(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const manifest = join(at, 'package.json');
    if (existsSync(manifest) && (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string }).name === WORKSPACE) return at;
    if (at === dirname(at)) return undefined;
  }
}

/** The repository's root at or above one of these folders. Throws a UsageError where there is none. */
export function repository(command: string, folders: readonly string[] = [process.cwd(), import.meta.dirname]): string {
  const root = folders.map(repositoryAbove).find((found) => found !== undefined);
  if (root === undefined) {
    throw new UsageError(
      `${command}: runs programs of Evenkeel's repository, which are not published; run it within a clone of the repository`,
    );
  }
  return root;
}

/** Runs a program of the repository with this terminal. Its exit code is ours; a signal to us is handed on, and we wait for its end. */
async function runInRepository(command: string, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, args, { cwd: repository(command), stdio: 'inherit' });
  // A terminal's Ctrl-C reaches the child by itself; `kill` reaches only us.
  const handOn = (signal: NodeJS.Signals): boolean => child.kill(signal);
  process.on('SIGTERM', handOn);
  try {
    return await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
    });
  } finally {
    process.off('SIGTERM', handOn);
  }
}

export const recipeCommand: Command = {
  name: 'recipe',
  summary: "Reproduces a paper's headline claim in miniature. Within a clone of the repository only.",
  usage: 'NAME [OPTIONS OF THE RECIPE]',
  options: {},
  examples: [
    ['evenkeel recipe layer-norm', 'a progress bar, then a table; results are written to recipes/results/'],
    ['evenkeel recipe', 'lists the recipes'],
  ],
  passesOn: true,
  run: (_, args) => runInRepository('recipe', ['tools/run.mjs', 'recipes/run.ts', ...args]),
};

export const benchCommand: Command = {
  name: 'bench',
  summary:
    'Measures Evenkeel and its peers side by side. Within a clone of the repository only; installs the peers (hundreds of megabytes).',
  usage: 'NAME [OPTIONS OF THE BENCH]',
  options: {},
  examples: [
    ['evenkeel bench norms', 'norms of this repository, of TensorFlow.js and of others, interleaved'],
    ['evenkeel bench', 'lists the benches'],
  ],
  passesOn: true,
  run: (_, args) => runInRepository('bench', ['tools/bench.mjs', ...args]),
};
