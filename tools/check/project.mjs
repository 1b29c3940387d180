// Empty projects, outside of this repository, that install what was packed as a user would.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../steps.mjs';

let home;

/**
 * Installs packages into a project of their own, with npm; resolves to its folder. All projects are gone when the program ends.
 * dependencies: versions, or paths of tarballs, by name. Peers that are not optional come by themselves, as they do for a user.
 */
export async function install(name, dependencies) {
  if (home === undefined) {
    home = mkdtempSync(join(tmpdir(), 'evenkeel-check-'));
    process.on('exit', () => rmSync(home, { recursive: true, force: true }));
  }
  const folder = join(home, name.replaceAll(/[^a-z-]/g, '_'));
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }, null, 2));
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], { cwd: folder });
  return folder;
}

const ours = (name, tarballs) => tarballs.has(name);

/** What a project needs to install one of our packages: the package, its peers that come from here, and theirs. */
export function alone({ name, manifest }, packages, tarballs) {
  const dependencies = { [name]: `file:${tarballs.get(name)}` };
  for (const other of Object.keys({ ...manifest.peerDependencies, ...manifest.dependencies }).filter((other) => ours(other, tarballs))) {
    const found = packages.find((one) => one.name === other);
    Object.assign(dependencies, alone(found, packages, tarballs));
  }
  return dependencies;
}

/** What a project needs to use all of our packages, with every optional peer. */
export function together(packages, tarballs) {
  const dependencies = {};
  for (const { name, manifest } of packages) {
    for (const [peer, range] of Object.entries(manifest.peerDependencies ?? {})) dependencies[peer] ??= range;
    dependencies[name] = `file:${tarballs.get(name)}`;
  }
  return dependencies;
}
