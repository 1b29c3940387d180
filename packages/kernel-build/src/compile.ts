// AssemblyScript to WASM, as a kernel must be that works on a heap which is not its own.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { KernelBuildError } from './error.ts';

const flags = ['-O3', '--runtime', 'stub', '--noAssert', '--importMemory', '--use', 'abort='];

/** Sections that would write into the host's heap, or run code when the module is instantiated. */
const forbidden = new Map([
  [8, 'a start function'],
  [11, 'a data segment; literal arrays, strings and functions such as Mathf.exp bring one'],
]);

/** One binary that a source is compiled to. */
export interface Variant {
  /** Of the generated module's name: `.wasm.ts` or `.relaxed.wasm.ts`. */
  readonly suffix: string;
  /** What the compiler may use. */
  readonly features: readonly string[];
}

/** The binaries that a source asks for, in its comments. */
export function variantsOf(source: string): Variant[] {
  const simd = source.includes('// features: scalar') ? [] : ['simd'];
  const plain = { suffix: '.wasm.ts', features: simd };
  return source.includes('// variants: relaxed') ? [plain, { suffix: '.relaxed.wasm.ts', features: [...simd, 'relaxed-simd'] }] : [plain];
}

/** Files that a source imports, those of its imports too, and itself. */
export function sourcesOf(file: string, seen: Set<string> = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  for (const [, path] of text.matchAll(/from ['"](\.[^'"]+)['"]/g)) {
    const imported = join(dirname(file), `${path}.ts`);
    if (!existsSync(imported)) throw new KernelBuildError(`it imports ${path}, expected a file ${imported}`, file);
    sourcesOf(imported, seen);
  }
  return seen;
}

let compilerVersion: string | undefined;

/** Of the compiler that would be used. It is not loaded for that: half a second, where nothing has changed. */
function versionOfCompiler(): string {
  const manifest = createRequire(import.meta.url).resolve('assemblyscript/package.json');
  return (compilerVersion ??= (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version);
}

/** A hash of all that goes into a binary: compiler, options, and the source with its imports. */
export function hashOf(file: string, features: readonly string[]): string {
  const text = [...sourcesOf(file)].map((path) => readFileSync(path, 'utf8')).join('');
  return createHash('sha256')
    .update(JSON.stringify([versionOfCompiler(), flags, features, text]))
    .digest('hex');
}

/** Ids of a WASM binary's sections, in order. */
function sectionsOf(binary: Uint8Array): number[] {
  const ids: number[] = [];
  for (let at = 8; at < binary.length;) {
    ids.push(binary[at++]!);
    let size = 0;
    for (let shift = 0, byte = 0x80; byte & 0x80; shift += 7) {
      byte = binary[at++]!;
      size |= (byte & 0x7f) << shift;
    }
    at += size;
  }
  return ids;
}

/**
 * Compiles one kernel. The module imports its memory as `env.memory`, allocates nothing, and has no data of its own.
 *
 * @param file - an AssemblyScript source
 * @param features - of WebAssembly, such as `simd` and `relaxed-simd`
 * @throws KernelBuildError with the compiler's messages, or what the module must not have
 */
export async function compileKernel(file: string, features: readonly string[] = ['simd']): Promise<Uint8Array> {
  // Loaded only now: most builds find everything as it was. And it has a top-level await, which require() refuses.
  const { main } = await import('assemblyscript/asc');
  let binary: Uint8Array | undefined;
  let messages = '';
  const args = [file, '--outFile', 'out.wasm', ...flags, ...features.flatMap((feature) => ['--enable', feature])];
  const { error } = await main(args, {
    stderr: {
      write: (chunk: Uint8Array | string) => {
        messages += typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk);
      },
    },
    readFile: (name, base) => {
      const path = join(base, name);
      return existsSync(path) ? readFileSync(path, 'utf8') : null;
    },
    writeFile: (name, contents) => {
      if (name.endsWith('.wasm')) binary = contents as Uint8Array;
    },
  });
  if (error !== null || binary === undefined) throw new KernelBuildError(`${error?.message ?? 'no output'}\n${messages}`, file);
  for (const id of sectionsOf(binary)) {
    const what = forbidden.get(id);
    if (what !== undefined) {
      throw new KernelBuildError(`the module has ${what}; a kernel shares the heap of TensorFlow.js, and may not`, file);
    }
  }
  return binary;
}
