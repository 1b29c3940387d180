import { join } from 'node:path';
import { defineConfig } from 'vitepress';
import { copyApi } from '../site/build/api.ts';
import { writeDigits } from '../site/build/digits.ts';
import { withPolicy } from '../site/build/policy.ts';
import { markForms } from '../site/build/markdown.ts';
import { exampleModules } from '../site/build/modules.ts';
import { writeServiceWorker } from '../site/build/offline.ts';
import { sidebar } from '../site/build/sidebar.ts';

const docs = join(import.meta.dirname, '..');
/** Where the site will stand on its host, such as `/evenkeel/`. */
const base = process.env['EVENKEEL_DOCS_BASE'] ?? '/';

await writeDigits(docs);

export default defineConfig({
  title: 'Evenkeel',
  description: 'Normalization for TensorFlow.js, with fused kernels for WASM and WebGPU.',
  lang: 'en',
  base,
  outDir: 'dist',
  cacheDir: '.cache/vitepress',
  srcExclude: ['examples/**', 'site/**', 'api/**', 'guide/programs/**', 'README.md'],
  head: [['link', { rel: 'icon', href: `${base}keel.svg`, type: 'image/svg+xml' }]],
  markdown: { config: markForms },
  themeConfig: {
    nav: [
      { text: 'Guide', link: '/guide/start' },
      { text: 'Norms', link: '/norms/' },
      { text: 'Optimizers', link: '/optim/' },
      { text: 'Try it', link: '/try/playground' },
      { text: 'Evidence', link: '/evidence' },
      { text: 'Performance', link: '/performance/' },
      { text: 'API', link: '/api/index.html', target: '_self' },
    ],
    sidebar: sidebar(docs),
    outline: [2, 3],
    search: { provider: 'local' },
    docFooter: { prev: 'Before', next: 'Next' },
  },
  vite: {
    plugins: [exampleModules(docs)],
    worker: { format: 'es', plugins: () => [exampleModules(docs)] },
    // tfjs' bundles are large, and loaded only when an example runs.
    build: { chunkSizeWarningLimit: 2000 },
  },
  transformHtml: (html) => withPolicy(html),
  buildEnd({ outDir }) {
    copyApi(docs, outDir);
    writeServiceWorker(outDir);
  },
});
