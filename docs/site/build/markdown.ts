import { readdirSync, existsSync } from 'node:fs';
import { basename, join, posix } from 'node:path';
import { renderToString } from 'katex';
import type { MarkdownRenderer } from 'vitepress';
import { apiPages } from './api.ts';
import { examples } from './examples.ts';
import { methodOf } from './methods.ts';

const docs = join(import.meta.dirname, '../..');

type Token = ReturnType<MarkdownRenderer['parse']>[number];
type State = { tokens: Token[]; env: { relativePath?: string }; Token: new (type: string, tag: string, nesting: 0) => Token };

const mathml = (formula: string, displayMode: boolean): string =>
  renderToString(formula, { displayMode, output: 'mathml', throwOnError: true }).replace('<span', '<span v-pre');

/** Where a link from a page to a file of the repository leads on the site; undefined for any other link. */
export function siteLink(href: string, page: string): string | undefined {
  if (!href.startsWith('.')) return undefined;
  const target = posix.normalize(posix.join('docs', posix.dirname(page), href));
  if (target.startsWith('docs/')) return undefined;
  const recipe = /^recipes\/results\/(.*)\.json$/.exec(target)?.[1];
  return recipe === undefined ? `/source/${target.replace(/\/(index\.ts)?$/, '')}` : `/evidence#${recipe}`;
}

function html(state: State, content: string): Token {
  const token = new state.Token('html_block', '', 0);
  token.content = `${content}\n`;
  return token;
}

/** Links into the repository lead to the site's own pages; the result that a paragraph links to is drawn below it. */
function repositoryLinks(state: State): void {
  const page = state.env.relativePath ?? '';
  const drawn: [at: number, recipe: string][] = [];
  state.tokens.forEach((token, at) => {
    for (const child of token.children ?? []) {
      const href = child.type === 'link_open' ? child.attrGet('href') : null;
      const link = href === null ? undefined : siteLink(href, page);
      if (link === undefined) continue;
      child.attrSet('href', link);
      const recipe = /^\/evidence#(.*)$/.exec(link)?.[1];
      if (recipe !== undefined && state.tokens[at + 1]?.type === 'paragraph_close') drawn.push([at + 2, recipe]);
    }
  });
  for (const [at, recipe] of drawn.toReversed()) state.tokens.splice(at, 0, html(state, `<RecipeFigure name="${recipe}" />`));
}

/** A page of a method has its picture under its heading, and the way to its source at its end. */
function methodParts(state: State): void {
  const [, folder, slug] = /^([^/]+)\/([^/]+)\.md$/.exec(state.env.relativePath ?? '') ?? [];
  if (folder === undefined || slug === undefined) return;
  const heading = state.tokens.findIndex(({ type, tag }) => type === 'heading_close' && tag === 'h1');
  const source = `packages/${folder}/src/${slug}`;
  if (existsSync(join(docs, '..', source))) {
    // Pages that typedoc made, not VitePress: a whole load of the page.
    const names = apiPages(docs, source).map(([name, page]) => `<a href="${page}" target="_self"><code>${name}</code></a>`);
    if (names.length > 0) state.tokens.push(html(state, `<p>In the API: ${names.join(', ')}</p>`));
    state.tokens.push(html(state, `<p>The code: <a href="/source/${source}">${source}</a></p>`));
  }
  if (methodOf(slug) !== undefined && heading >= 0) state.tokens.splice(heading + 1, 0, html(state, `<MethodPicture name="${slug}" />`));
}

/** What the site's pages have beyond plain Markdown: formulas, live examples, links into the repository, pictures of methods. */
export function markForms(md: MarkdownRenderer): void {
  const named = new Map([...examples(docs)].map(([name, code]) => [code, name]));

  const fence = md.renderer.rules.fence!;
  md.renderer.rules.fence = (tokens, index, options, env, self) => {
    const { info, content } = tokens[index]!;
    if (info.trim() === 'math') return `<div class="formula">${mathml(content, true)}</div>`;
    const code = fence(tokens, index, options, env, self);
    const name = info.trim() === 'ts' ? named.get(content) : undefined;
    return name === undefined ? code : `<LiveExample name="${name}">\n${code}\n</LiveExample>`;
  };

  // Formulas in plain text can be wider than a phone: they scroll, with the keyboard too.
  md.renderer.rules.code_block = (tokens, index) =>
    `<pre v-pre class="plain" tabindex="0"><code>${md.utils.escapeHtml(tokens[index]!.content)}</code></pre>\n`;

  // $`x^2`$, as GitHub shows it too.
  md.inline.ruler.before('backticks', 'formula', (state, silent) => {
    const found = /^\$`([^`]+)`\$/.exec(state.src.slice(state.pos));
    if (found === null) return false;
    if (!silent) state.push('html_inline', '', 0).content = mathml(found[1]!, false);
    state.pos += found[0].length;
    return true;
  });

  md.core.ruler.push('repository_links', (state) => repositoryLinks(state as unknown as State));
  md.core.ruler.push('method_parts', (state) => methodParts(state as unknown as State));
}

/** Folders and files of the repository that pages link to, and the folders of methods: each gets a page with its text. */
export function methodFolders(): string[] {
  const root = join(docs, '..');
  return readdirSync(docs, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(root, 'packages', entry.name, 'src')))
    .flatMap(({ name }) =>
      readdirSync(join(docs, name))
        .map((page) => `packages/${name}/src/${basename(page, '.md')}`)
        .filter((folder) => existsSync(join(root, folder))),
    );
}
