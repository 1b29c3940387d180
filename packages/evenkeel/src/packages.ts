import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** The version of an npm package as this program finds it, or undefined where it is not installed. */
export function installedVersion(name: string): string | undefined {
  // By folder: `exports` of most packages hide their package.json from import and require.
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const manifest = folders.map((folder) => join(folder, name, 'package.json')).find((file) => existsSync(file));
  if (manifest === undefined) return undefined;
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}

/** Versions by package name; what is not installed is left out. */
export function installedVersions(names: readonly string[]): Record<string, string> {
  const found = names.map((name) => [name, installedVersion(name)] as const);
  return Object.fromEntries(found.filter((entry): entry is readonly [string, string] => entry[1] !== undefined));
}
