// The tables that the bench wrote, a page for each of its parts.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { createMarkdownRenderer } from 'vitepress';

export interface Bench {
  readonly name: string;
  readonly html: string;
}

declare const data: readonly Bench[];
export { data };

/** A page's headings, one level lower, since it stands within another; links of ids are the part's own. */
const within = (text: string): string => text.replaceAll(/^(#+) /gm, '#$1 ').replaceAll(/<!--.*?-->\n*/gs, '');

/** Wide tables scroll by themselves, with the keyboard too; a corner without text is no heading. */
const scrolling = (html: string, name: string): string =>
  html
    .replaceAll(/<table[^>]*>/g, '<table tabindex="0">')
    .replaceAll(/<th( [^>]*)?><\/th>/g, '<td></td>')
    .replaceAll(/ id="([^"]*)"/g, ` id="${name}-$1"`)
    .replaceAll('href="#', `href="#${name}-`);

export default {
  watch: ['../../../bench/results/*.md'],
  async load(files: string[]): Promise<Bench[]> {
    const md = await createMarkdownRenderer('.');
    const benches = files.map(async (file) => {
      const name = basename(file, '.md');
      return { name, html: scrolling(await md.renderAsync(within(readFileSync(file, 'utf8'))), name) };
    });
    return (await Promise.all(benches)).sort((a, b) => a.name.localeCompare(b.name));
  },
};
