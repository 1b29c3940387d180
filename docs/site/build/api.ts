// The API's pages, which typedoc has written to docs/api: part of the site, under its policy.
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { withPolicy } from './policy.ts';

/** A page of the API, with its policy, the site's icon, and the way back to the site. typedoc unpacks its search from an address that holds its data. */
function page(html: string, depth: number): string {
  const back = `<a href="${'../'.repeat(depth + 1)}index.html">Guide and examples</a>`;
  const icon = `<link rel="icon" href="${'../'.repeat(depth + 1)}keel.svg" type="image/svg+xml"/></head>`;
  const linked = html.replace('</head>', icon).replace('<div id="tsd-toolbar-links"></div>', `<div id="tsd-toolbar-links">${back}</div>`);
  return withPolicy(linked.replace('<meta charset="utf-8"/>', '<meta charset="utf-8">'), ["connect-src 'self' data:"]);
}

/** Copies docs/api into the site. Without it, as while developing, the site has no API. */
export function copyApi(docs: string, outDir: string): void {
  const from = join(docs, 'api');
  if (!existsSync(from)) return;
  const to = join(outDir, 'api');
  cpSync(from, to, { recursive: true });
  const files = readdirSync(to, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.html'));
  for (const file of files) writeFileSync(join(to, file), page(readFileSync(join(to, file), 'utf8'), file.split(sep).length - 1));
}

/** What a folder of a method exports that has a page, by name: where that page is in the API. */
export function apiPages(docs: string, source: string): [name: string, page: string][] {
  const index = join(docs, '..', source, 'index.ts');
  if (!existsSync(index) || !existsSync(join(docs, 'api'))) return [];
  const [, owner] = /^packages\/([^/]+)\//.exec(source)!;
  const text = ['index.ts', 'layer.ts']
    .map((file) => join(docs, '..', source, file))
    .filter(existsSync)
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  const listed = [...text.matchAll(/export \{([^}]*)\}/g)].flatMap(([, names]) => names!.split(',').map((name) => name.trim()));
  const declared = [...text.matchAll(/export (?:abstract )?(?:function|class) (\w+)/g)].map(([, name]) => name!);
  const places = ['functions', 'classes'].flatMap((kind) => readdirSync(join(docs, 'api', kind)).map((file) => `${kind}/${file}`));
  return [...new Set([...listed, ...declared])].flatMap((name) => {
    const found = places.find((place) => place.startsWith(`${place.split('/')[0]}/_evenkeel_${owner}.`) && place.endsWith(`.${name}.html`));
    return found === undefined ? [] : [[name, `/api/${found}`] as [string, string]];
  });
}
