// Dependencies point one way (.dependency-cruiser.mjs). Runs alone too: node tools/check/dependencies.mjs
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root, run, runSteps, step } from '../steps.mjs';

const folders = ['packages', 'recipes', 'bench', 'docs', 'tools'];

/** Throws a Failure that lists the violations under `base`; returns how much was looked at. */
export async function checkDependencies(base = root) {
  const present = folders.filter((folder) => existsSync(join(base, folder)));
  const { stdout } = await run('depcruise', ['--config', join(root, '.dependency-cruiser.mjs'), ...present], { cwd: base });
  return /\(.*\)/.exec(stdout)?.[0];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runSteps('dependency rules', () => step('dependencies point one way', () => checkDependencies()));
}
