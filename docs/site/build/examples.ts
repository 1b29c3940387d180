import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The examples of the site: their code by the names of their folders. */
export function examples(docs: string): Map<string, string> {
  const folder = join(docs, 'examples');
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return new Map(names.map(({ name }) => [name, readFileSync(join(folder, name, 'index.ts'), 'utf8')]));
}
