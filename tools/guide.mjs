// Code on pages of the guide is that of tested files: behind a comment `<!-- file#region -->` stands the region of that name.
//   node tools/guide.mjs     puts the regions as they are now on the pages
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'docs/guide');

/** A region of a file: the lines between `// #region name` and `// #endregion name`, without marks of others in it, and without what they have in common on the left. */
export function region(text, name) {
  const lines = text.split('\n');
  const [start, end] = ['region', 'endregion'].map((mark) => lines.findIndex((line) => line.trim() === `// #${mark} ${name}`));
  if (start < 0 || end < start) throw new Error(`there is no region '${name}'`);
  const found = lines.slice(start + 1, end).filter((line) => !/^\s*\/\/ #(end)?region /.test(line));
  const indent = Math.min(...found.filter((line) => line !== '').map((line) => line.search(/\S/)));
  return found.map((line) => line.slice(indent)).join('\n');
}

const block = /(<!-- (\S+)#([\w-]+) -->\n\n```(?:ts|text)\n)([^]*?)(```)/g;

/** A page with its regions as they are in their files, and how many there are. */
export function withRegions(page) {
  let count = 0;
  const text = page.replace(block, (_, head, file, name, __, tail) => {
    count++;
    return `${head}${region(readFileSync(join(root, file), 'utf8'), name)}\n${tail}`;
  });
  return { text, count };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.md'))) {
    const file = join(folder, name);
    const page = readFileSync(file, 'utf8');
    const { text } = withRegions(page);
    if (text !== page) writeFileSync(file, text);
  }
}
