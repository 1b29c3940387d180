import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { compileKernel, hashOf, sourcesOf, variantsOf } from './compile.ts';
import { KernelBuildError } from './error.ts';

export interface KernelBuildOptions {
  /** The package's folder. Default: the current one. */
  readonly folder?: string;
  /** The folder within it that holds the kernels, at any depth. Default `src`. */
  readonly source?: string;
  /** A module to write, relative to the package's folder, that exports `version` as package.json has it: what an op's owner needs. */
  readonly version?: string;
}

/** Files, relative to the package's folder. */
export interface KernelBuildResult {
  /** Modules that were written. */
  readonly written: readonly string[];
  /** Modules that stood there already, of the same sources. */
  readonly current: readonly string[];
  /** Modules whose source is gone. */
  readonly removed: readonly string[];
}

const banner = (from: string): string => `// Generated from ${from} by the kernel build. Do not edit.\n`;

const isWgsl = (name: string): boolean => name.endsWith('.wgsl');
/** Names that begin with `_` are of functions that other kernels import. */
const isKernel = (name: string): boolean => name.endsWith('.as.ts') && !name.startsWith('_');
const isGenerated = (name: string): boolean => /\.(wasm|wgsl)\.ts$/.test(name);

/** Whether the build reads a file of this name. */
export const isKernelSource = (name: string): boolean => isWgsl(name) || name.endsWith('.as.ts');

/** A WGSL text as a module. */
export function wgslModule(file: string): string {
  return `${banner(basename(file))}export default ${JSON.stringify(readFileSync(file, 'utf8'))};\n`;
}

/** All files under a package's source folder, relative to the package's. */
function filesUnder(folder: string, source: string): string[] {
  const at = join(folder, source);
  if (!existsSync(at)) throw new KernelBuildError(`source is '${source}', expected a folder in ${folder}`);
  return readdirSync(at, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(source, join(entry.parentPath, entry.name).slice(at.length + 1)))
    .sort();
}

/** Every file that the build of a package reads: kernels, and what they import. */
export function kernelSources({ folder = process.cwd(), source = 'src' }: KernelBuildOptions = {}): string[] {
  const found = new Set<string>();
  for (const file of filesUnder(folder, source)) {
    const path = join(folder, file);
    if (isWgsl(file)) found.add(path);
    else if (isKernel(basename(file))) for (const each of sourcesOf(path)) found.add(each);
  }
  return [...found];
}

/** Writes modules where they differ, and notes what it did. */
function writer(folder: string) {
  const written: string[] = [];
  const current: string[] = [];
  return {
    written,
    current,
    has: (file: string): boolean => written.includes(file) || current.includes(file),
    put(file: string, text: string): void {
      const path = join(folder, file);
      const same = existsSync(path) && readFileSync(path, 'utf8') === text;
      if (!same) writeFileSync(path, text);
      (same ? current : written).push(file);
    },
  };
}

/**
 * Turns a package's kernels into TypeScript modules beside them, so that bundlers, type checkers and test runners see TypeScript only:
 *
 * - `x.as.ts` (AssemblyScript) to `x.wasm.ts`, whose default export is the binary in base64;
 * - `x.wgsl` to `x.wgsl.ts`, whose default export is the text.
 *
 * A source that says `// variants: relaxed` is compiled a second time, to `x.relaxed.wasm.ts`, with relaxed SIMD (it tests
 * `ASC_FEATURE_RELAXED_SIMD`); one that says `// features: scalar` without SIMD. Files named `_x.as.ts` hold functions that others import.
 * What has not changed is not compiled again: a hash of all that went in stands in the generated file. Generated files whose source is gone
 * are removed.
 *
 * @throws KernelBuildError with the compiler's messages; what is written by then stays
 *
 * @example
 * const { written } = await buildKernels({ folder: 'packages/my-norm', version: 'src/version.ts' });
 */
export async function buildKernels(options: KernelBuildOptions = {}): Promise<KernelBuildResult> {
  const { folder = process.cwd(), source = 'src', version } = options;
  const files = filesUnder(folder, source);
  const modules = writer(folder);
  if (version !== undefined) modules.put(version, versionModule(folder));
  for (const file of files) {
    const path = join(folder, file);
    if (isWgsl(file)) modules.put(`${file}.ts`, wgslModule(path));
    else if (isKernel(basename(file))) {
      for (const { suffix, features } of variantsOf(readFileSync(path, 'utf8'))) {
        const target = join(dirname(file), basename(file).replace(/\.as\.ts$/, suffix));
        const head = `${banner(basename(file))}// ${hashOf(path, features)}\n`;
        const there = join(folder, target);
        if (existsSync(there) && readFileSync(there, 'utf8').startsWith(head)) modules.current.push(target);
        else modules.put(target, `${head}export default '${Buffer.from(await compileKernel(path, features)).toString('base64')}';\n`);
      }
    }
  }
  const removed = files.filter((file) => isGenerated(file) && !modules.has(file) && isOurs(join(folder, file)));
  for (const file of removed) rmSync(join(folder, file));
  return { written: modules.written, current: modules.current, removed };
}

/** Whether a file was written by this build. */
function isOurs(path: string): boolean {
  return /^\/\/ Generated from \S+ by the kernel build/.test(readFileSync(path, 'utf8').slice(0, 200));
}

function versionModule(folder: string): string {
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest)) throw new KernelBuildError(`there is no package.json in ${folder}, expected one with the version`);
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version?: unknown };
  if (typeof version !== 'string') throw new KernelBuildError(`version is ${String(version)}, expected a string`, manifest);
  return `${banner('package.json')}export const version = '${version}';\n`;
}
