import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Adapters } from './adapter.ts';

/** The repository's folder. Both this file and what it is bundled into lie below it. */
export function findRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'pnpm-workspace.yaml'))) folder = dirname(folder);
  return folder;
}

/** The adapters of all packages. A method may have adapters in several. */
export async function collectAdapters(root: string): Promise<Adapters> {
  const collected: Record<string, Adapters[string]> = {};
  for (const name of readdirSync(join(root, 'packages')).sort()) {
    if (!existsSync(join(root, 'packages', name, 'test/oracles.ts'))) continue;
    // The bundler makes a table of all files that fit.
    const { adapters } = (await import(`../../packages/${name}/test/oracles.ts`)) as { adapters: Adapters };
    for (const [slug, list] of Object.entries(adapters)) collected[slug] = [...(collected[slug] ?? []), ...list];
  }
  return collected;
}
