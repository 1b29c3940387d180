import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';

/** Kept from the first visit on: pages and what they are made of. Source listings and the API are kept once they have been looked at. */
const kept = (file: string): boolean =>
  /\.(html|js|css|svg|wasm|woff2|bin|ppm|safetensors)$/.test(file) && !/^(api\/|source\/|assets\/source_)/.test(file) && file !== 'sw.js';

/** Writes the service worker that lets the site work without a network once it has been visited. */
export function writeServiceWorker(outDir: string): void {
  const files = readdirSync(outDir, { recursive: true, encoding: 'utf8' })
    .filter((file) => statSync(join(outDir, file)).isFile())
    .map((file) => file.replaceAll(sep, '/'))
    .filter(kept)
    .sort();
  const version = createHash('sha256');
  for (const file of files) version.update(file).update(readFileSync(join(outDir, file)));
  const template = readFileSync(join(import.meta.dirname, '../offline/sw.js'), 'utf8');
  const text = template
    .replace("'VERSION'", JSON.stringify(version.digest('hex').slice(0, 16)))
    .replace("['FILES']", JSON.stringify(files));
  writeFileSync(join(outDir, 'sw.js'), text);
}
