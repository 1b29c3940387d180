import { createHash } from 'node:crypto';

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/**
 * A page with its Content-Security-Policy: scripts are the site's own files and the inline ones that VitePress writes, by their hashes;
 * WebAssembly may be compiled, text may not be evaluated. Edited examples are evaluated in a worker (site/runner): a worker that is loaded
 * from a file does not inherit the page's policy but has that of its own response. It sees neither the page nor its document.
 * `more` are further directives. And with its landmark, which VitePress gives all pages but the home page.
 */
export function withPolicy(html: string, more: readonly string[] = []): string {
  const inline = [...html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)].map(([, text]) => hash(text!));
  const policy = [
    "default-src 'self'",
    ["script-src 'self' 'wasm-unsafe-eval'", ...new Set(inline)].join(' '),
    // Highlighted code has its colours in style attributes, and the editor writes a style sheet.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    ...more,
  ].join('; ');
  const page = html.replace('class="VPContent is-home"', 'role="main" class="VPContent is-home"');
  return page.replace(
    '<meta charset="utf-8">',
    `<meta charset="utf-8">\n    <meta http-equiv="Content-Security-Policy" content="${policy}">`,
  );
}
