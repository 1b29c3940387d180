// Commands that run programs of the repository: they need a clone of it.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { addExamples, carryOut } from './command.ts';

const WORKSPACE = 'evenkeel-workspace';

/** The repository's root at or above a folder. */
export function repositoryAbove(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const manifest = join(at, 'package.json');
    if (existsSync(manifest) && (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string }).name === WORKSPACE) return at;
    if (at === dirname(at)) return undefined;
  }
}

/** The repository's root at or above one of these folders. Where there is none, the command ends with an error. */
export function repository(command: Command, folders: readonly string[] = [process.cwd(), import.meta.dirname]): string {
  const root = folders.map(repositoryAbove).find((found) => found !== undefined);
  const told = `${command.name()} runs programs of Evenkeel's repository, which are not published; run it within a clone of the repository`;
  return root ?? command.error(`error: ${told}`);
}

/** Runs a program of the repository with this terminal. Its exit code is ours; a signal to us is handed on, and we wait for its end. */
async function runInRepository(command: Command, args: readonly string[]): Promise<number> {
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

/** A command that hands on all that comes from its first word on as it is: another program reads it. */
function addPassingOn(program: Command, name: string, started: readonly string[]): Command {
  return program
    .command(name)
    .usage(`[NAME] [OPTIONS OF THE ${name.toUpperCase()}]`)
    .argument('[args...]')
    .allowUnknownOption()
    .passThroughOptions()
    .action((args: string[], _, command: Command) => carryOut(() => runInRepository(command, [...started, ...args])));
}

export function addRecipe(program: Command): void {
  const command = addPassingOn(program, 'recipe', ['tools/run.mjs', 'recipes/run.ts'])
    .summary("reproduces a paper's headline claim in miniature")
    .description("Reproduces a paper's headline claim in miniature. Within a clone of the repository only.");
  addExamples(command, [
    ['evenkeel recipe layer-norm', 'a progress bar, then a table; results are written to recipes/results/'],
    ['evenkeel recipe', 'lists the recipes'],
  ]);
}

export function addBench(program: Command): void {
  const command = addPassingOn(program, 'bench', ['tools/bench.mjs'])
    .summary('measures Evenkeel and its peers side by side')
    .description(
      'Measures Evenkeel and its peers side by side. Within a clone of the repository only; installs the peers (hundreds of megabytes).',
    );
  addExamples(command, [
    ['evenkeel bench norms', 'norms of this repository, of TensorFlow.js and of others, interleaved'],
    ['evenkeel bench', 'lists the benches'],
  ]);
}
