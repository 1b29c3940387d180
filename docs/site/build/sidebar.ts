import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { DefaultTheme } from 'vitepress';

/** Folders that have a heading and an order of their own; every other folder with pages comes after them, by itself. */
const known = ['guide', 'try', 'norms', 'optim', 'performance'];
const headings: Readonly<Record<string, string>> = {
  guide: 'Guide',
  try: 'Try it',
  norms: 'Normalization layers',
  optim: 'Optimizers',
  performance: 'Performance',
};
const tries = ['playground', 'microscope', 'inpainting'];
const guide = ['start', 'backends', 'from-tfjs', 'saving', 'which-norm'];
const orders: Readonly<Record<string, readonly string[]>> = { guide, try: tries };
const single = ['evidence', 'compatibility', 'troubleshooting'];
/** No pages of the sidebar. */
const others = new Set(['api', 'dist', 'examples', 'node_modules', 'public', 'site', 'source']);

function title(file: string): string {
  return /^# (.*)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? basename(file, '.md');
}

function pages(docs: string, folder: string, order: readonly string[] = []): DefaultTheme.SidebarItem[] {
  const place = (name: string): number => (name === 'index' ? -1 : order.includes(name) ? order.indexOf(name) : order.length);
  return readdirSync(join(docs, folder))
    .filter((file) => file.endsWith('.md') && !file.includes('['))
    .map((file) => basename(file, '.md'))
    .sort((a, b) => place(a) - place(b) || a.localeCompare(b))
    .map((name) => ({
      text: name === 'index' ? 'Overview' : title(join(docs, folder, `${name}.md`)),
      link: `/${folder}/${name === 'index' ? '' : name}`,
    }));
}

/** The pages by folder: a folder with pages in it is a group, also one that comes later. */
export function sidebar(docs: string): DefaultTheme.SidebarItem[] {
  const found = readdirSync(docs, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !others.has(entry.name))
    .map(({ name }) => name);
  const folders = [...known.filter((name) => found.includes(name)), ...found.filter((name) => !known.includes(name)).sort()];
  const groups = folders
    .map((folder) => ({ text: headings[folder] ?? folder, items: pages(docs, folder, orders[folder]) }))
    .filter(({ items }) => items.length > 0);
  const reference = single
    .filter((name) => existsSync(join(docs, `${name}.md`)))
    .map((name) => ({ text: title(join(docs, `${name}.md`)), link: `/${name}` }));
  return [...groups, { text: 'Reference', items: reference }];
}
