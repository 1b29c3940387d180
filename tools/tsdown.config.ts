import { readFileSync } from 'node:fs';
import { defineConfig } from 'tsdown';

interface Manifest {
  exports: Record<string, { '@evenkeel/source'?: string | Record<string, string> }>;
  bin?: Record<string, string>;
}

// One configuration for all packages: the entries are what package.json exports, read where turbo starts us.
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
const sources = Object.values(manifest.exports).flatMap(({ '@evenkeel/source': source = [] }) =>
  typeof source === 'string' ? source : Object.values(source),
);
for (const target of Object.values(manifest.bin ?? {})) sources.push(target.replace('./dist/', './src/').replace(/\.js$/, '.ts'));

export default defineConfig({
  cwd: process.cwd(),
  entry: Object.fromEntries([...new Set(sources)].map((source) => [source.replace('./src/', '').replace(/\.ts$/, ''), source])),
  format: 'esm',
  platform: manifest.bin ? 'node' : 'neutral',
  target: 'es2022',
  dts: true,
  sourcemap: true,
  fixedExtension: false,
  logLevel: 'warn',
});
