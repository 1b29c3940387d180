// The packages that are published, and what they export.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../steps.mjs';

/**
 * Each package: its name, folder and manifest, the specifiers that it exports (`@evenkeel/norms/layers`), the source files behind them,
 * and whether it is for Node alone, as a program is.
 */
export const packages = readdirSync(join(root, 'packages'))
  .map((name) => join(root, 'packages', name))
  .filter((folder) => existsSync(join(folder, 'package.json')))
  .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }))
  .filter(({ manifest }) => !manifest.private)
  .map(({ folder, manifest }) => ({
    name: manifest.name,
    folder,
    manifest,
    entries: Object.keys(manifest.exports).map((subpath) => manifest.name + subpath.slice(1)),
    sources: Object.values(manifest.exports).map(({ '@evenkeel/source': source }) => join(folder, source.default ?? source)),
    forNode: manifest.bin !== undefined,
  }));

/** Whether an entry point is one of those that register on import. */
export const registers = (entry) => /\/register(-[a-z]+)?$/.test(entry);
