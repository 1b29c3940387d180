// Turns the kernels of the package in whose folder it is run into TypeScript modules beside them, and writes src/version.ts.
// All packages need that before they are built, the kernel build itself among them: so it is run from its sources here.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const root = join(import.meta.dirname, '..');
const bundle = await rolldown({
  input: join(root, 'packages/kernel-build/src/index.ts'),
  platform: 'node',
  // The compiler is found in the root's folder, also where the package's own dependencies are not installed (`npm start`).
  external: /^[^./]/,
  logLevel: 'warn',
});
const { output } = await bundle.generate({ format: 'esm' });
// Whole or not at all: the kernels of other packages may be built at the same time.
const program = join(root, '.cache/kernel-build.mjs');
mkdirSync(join(root, '.cache'), { recursive: true });
writeFileSync(`${program}.${process.pid}`, output[0].code);
renameSync(`${program}.${process.pid}`, program);

const { buildKernels, KernelBuildError } = await import(pathToFileURL(program).href);
try {
  await buildKernels({ version: 'src/version.ts' });
} catch (error) {
  console.error(error instanceof KernelBuildError ? error.message : error);
  process.exitCode = 1;
}
