// Runs a TypeScript program of this repository, our own packages taken from their sources: node tools/run.mjs bench/norms/index.ts --json out.json
// The packages' kernels must have been built (tools/setup.mjs).
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const entry = resolve(process.argv[2] ?? '');
if (!entry.endsWith('.ts') || !existsSync(entry)) {
  console.error(`run: expected a TypeScript file, got '${process.argv[2] ?? ''}'`);
  process.exit(2);
}

/** The folder of the package that a file belongs to: from there its dependencies are found. */
function packageOf(file) {
  let folder = dirname(file);
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

const home = packageOf(entry);
const outfile = join(home, '.cache', `${relative(home, entry).replaceAll(/[\\/]/g, '-').slice(0, -3)}.mjs`);
const { outputFiles } = await build({
  entryPoints: [entry],
  outfile,
  write: false,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: 'inline',
  logLevel: 'warning',
  conditions: ['@evenkeel/source'],
  // Peers and tfjs are what npm installed; only our own packages are taken from source.
  plugins: [
    {
      name: 'npm-packages-stay-outside',
      setup({ onResolve }) {
        onResolve({ filter: /^[^.]/ }, ({ path, kind }) =>
          kind === 'entry-point' || /^(@evenkeel|evenkeel)(\/|$)/.test(path) ? undefined : { path, external: true },
        );
      },
    },
  ],
});
// Whole or not at all: the same program may be starting elsewhere.
mkdirSync(dirname(outfile), { recursive: true });
writeFileSync(`${outfile}.${process.pid}`, outputFiles[0].contents);
renameSync(`${outfile}.${process.pid}`, outfile);
process.argv.splice(1, 2, outfile);
await import(pathToFileURL(outfile).href);
