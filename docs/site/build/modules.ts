import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';
import { examples } from './examples.ts';

const ID = 'virtual:example-modules';

/** What an example may import: the packages that the site depends on, and whatever entry of them some example imports. */
function importable(docs: string): string[] {
  const { dependencies } = JSON.parse(readFileSync(join(docs, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
  const ours = Object.keys(dependencies).filter((name) => name.startsWith('@evenkeel/') || /tfjs-(core|layers)$/.test(name));
  const imported = [...examples(docs).values()].flatMap((code) => [...code.matchAll(/from '([^'.][^']*)'/g)].map(([, name]) => name!));
  return [...new Set([...ours, ...imported])].sort();
}

/** The module of that name: a function that loads each importable module, by the name that examples know it by. */
export function exampleModules(docs: string): Plugin {
  return {
    name: 'example-modules',
    resolveId: (id) => (id === ID ? `\0${ID}` : undefined),
    load(id) {
      if (id !== `\0${ID}`) return undefined;
      const entries = importable(docs).map((name) => `${JSON.stringify(name)}: () => import(${JSON.stringify(name)})`);
      return `export const modules = {\n${entries.join(',\n')}\n};`;
    },
  };
}
