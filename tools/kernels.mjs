// Turns a package's kernels into TypeScript modules beside them, so that every tool sees only TypeScript:
//   x.as.ts  ->  x.wasm.ts   AssemblyScript compiled to WASM, base64
//   x.wgsl   ->  x.wgsl.ts   the text
//   package.json -> src/version.ts, the owner's version as the registry wants it
// A source that says `// variants: relaxed` is compiled a second time, to x.relaxed.wasm.ts, with relaxed SIMD: it tests ASC_FEATURE_RELAXED_SIMD.
// Files named `_x.as.ts` hold functions that other kernels import; they are not compiled alone.
// What has not changed is not compiled again: a hash of all that went in stands in the generated file.
// What was generated from a source that is gone, goes too. Run in the package's folder.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { main as asc, version as compiler } from 'assemblyscript/asc';

const flags = ['-O3', '--runtime', 'stub', '--noAssert', '--importMemory', '--use', 'abort='];

/** Sections that would write into the host's heap or run code when the module is instantiated. */
const forbidden = { 8: 'a start function', 11: 'a data segment' };

const banner = (from) => `// Generated from ${from} by the kernel build. Do not edit.\n`;

function write(file, text) {
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
}

/** Section ids of a WASM binary, in order. */
function sections(binary) {
  const ids = [];
  for (let at = 8; at < binary.length;) {
    ids.push(binary[at++]);
    let size = 0;
    for (let shift = 0, byte = 0x80; byte & 0x80; shift += 7) {
      byte = binary[at++];
      size |= (byte & 0x7f) << shift;
    }
    at += size;
  }
  return ids;
}

/** A kernel's source with all that it imports. */
function withImports(file, seen = new Set()) {
  if (seen.has(file)) return '';
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  const imports = [...text.matchAll(/from '(\.[^']+)'/g)].map(([, path]) => join(dirname(file), `${path}.ts`));
  return text + imports.map((path) => withImports(path, seen)).join('');
}

async function compile(file, features) {
  let binary;
  const stderr = [];
  const { error } = await asc([file, '--outFile', 'out.wasm', ...flags, ...features.flatMap((feature) => ['--enable', feature])], {
    stderr: { write: (chunk) => stderr.push(chunk) },
    readFile: (name, base) => {
      const path = join(base, name);
      return existsSync(path) ? readFileSync(path, 'utf8') : null;
    },
    writeFile: (name, contents) => {
      if (name.endsWith('.wasm')) binary = contents;
    },
  });
  if (error || !binary) throw new Error(`${file}: ${error?.message ?? 'no output'}\n${stderr.join('')}`);
  for (const id of sections(binary)) {
    if (forbidden[id]) throw new Error(`${file}: the module has ${forbidden[id]}; a kernel shares the heap of TensorFlow.js and may not`);
  }
  return binary;
}

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
write('src/version.ts', `${banner('package.json')}export const version = '${version}';\n`);

const generated = new Set();
const entries = readdirSync('src', { recursive: true, withFileTypes: true });
for (const entry of entries) {
  const file = join(entry.parentPath, entry.name);
  if (entry.name.endsWith('.wgsl')) {
    generated.add(`${file}.ts`);
    write(`${file}.ts`, `${banner(entry.name)}export default ${JSON.stringify(readFileSync(file, 'utf8'))};\n`);
  } else if (entry.name.endsWith('.as.ts') && !entry.name.startsWith('_')) {
    const source = readFileSync(file, 'utf8');
    const simd = source.includes('// features: scalar') ? [] : ['simd'];
    const variants = {
      '.wasm.ts': simd,
      ...(source.includes('// variants: relaxed') && { '.relaxed.wasm.ts': [...simd, 'relaxed-simd'] }),
    };
    for (const [suffix, features] of Object.entries(variants)) {
      const target = join(dirname(file), basename(file).replace(/\.as\.ts$/, suffix));
      generated.add(target);
      const hash = createHash('sha256')
        .update(JSON.stringify([compiler, flags, features, withImports(file)]))
        .digest('hex');
      const head = `${banner(entry.name)}// ${hash}\n`;
      if (existsSync(target) && readFileSync(target, 'utf8').startsWith(head)) continue;
      writeFileSync(target, `${head}export default '${Buffer.from(await compile(file, features)).toString('base64')}';\n`);
    }
  }
}

for (const entry of entries) {
  const file = join(entry.parentPath, entry.name);
  if (/\.(wasm|wgsl)\.ts$/.test(file) && !generated.has(file)) rmSync(file);
}
