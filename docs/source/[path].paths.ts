// A page for each file or folder of the repository that the site's pages point to, with its text.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, posix, relative, sep } from 'node:path';
import { methodFolders, siteLink } from '../site/build/markdown.ts';

const docs = join(import.meta.dirname, '..');
const root = join(docs, '..');

/** The pages of the site, relative to docs. */
const pages = readdirSync(docs, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll(sep, '/'))
  .filter((file) => file.endsWith('.md') && !/(^|\/)(node_modules|dist|api|source)\//.test(file));

const linked = pages.flatMap((page) =>
  [...readFileSync(join(docs, page), 'utf8').matchAll(/\]\((\.\.[^)#]*)\)/g)]
    .map(([, href]) => siteLink(href!, page))
    .filter((link) => link?.startsWith('/source/'))
    .map((link) => link!.slice('/source/'.length)),
);

const shown = (file: string): boolean => /\.(ts|wgsl|mjs|js)$/.test(file) && !/(\.test|\.wasm|\.wgsl|\.generated)\.(ts|js)$/.test(file);

/** What stands on the page of a path: the files of a folder, or the file. */
function files(path: string): string[] {
  const place = join(root, path);
  if (existsSync(place) && statSync(place).isFile()) return [place];
  if (!existsSync(place)) throw new Error(`A page links to ${path}, which is not there.`);
  const order = ['index.ts', 'op.ts', 'layer.ts'];
  const rank = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return readdirSync(place)
    .filter((name) => shown(name) && statSync(join(place, name)).isFile())
    .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b))
    .map((name) => join(place, name));
}

const language = (file: string): string => (extname(file) === '.wgsl' ? 'wgsl' : 'ts');

function page(path: string): string {
  const texts = files(path).map((file) => {
    const name = relative(root, file).replaceAll(sep, '/');
    return `## ${posix.basename(name)}\n\n\`\`\`\`${language(file)}\n${readFileSync(file, 'utf8')}\`\`\`\`\n`;
  });
  return `# ${path}\n\n${texts.join('\n')}`;
}

export default {
  paths: () => [...new Set([...linked, ...methodFolders()])].map((path) => ({ params: { path }, content: page(path) })),
};
