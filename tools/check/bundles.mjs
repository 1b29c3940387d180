// Installed packages, bundled for the browser: that it works, how large they are, and what is not in them.
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { Failure } from '../steps.mjs';

/**
 * Bundles a module as an application would; throws a Failure on an error and on a warning.
 * external: packages to leave out of the bundle
 */
export async function bundle(folder, code, { external = [], platform = 'browser' } = {}) {
  const {
    outputFiles,
    metafile,
    warnings: all,
  } = await build({
    stdin: { contents: code, resolveDir: folder, sourcefile: 'application.js' },
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform,
    external,
    logLevel: 'silent',
  }).catch(({ errors = [], message }) => {
    throw new Failure(
      [`${code}: cannot be bundled`, ...errors.map(({ text, location }) => `${location?.file ?? ''}: ${text}`), message].join('\n'),
    );
  });
  // That an import for its effects alone is dropped is what `sideEffects: false` is for.
  const warnings = all.filter(({ id }) => id !== 'ignored-bare-import');
  if (warnings.length > 0) throw new Failure(`${code}:\n${warnings.map(({ text }) => text).join('\n')}`);
  const [{ text, contents }] = outputFiles;
  const imports = Object.values(metafile.outputs).flatMap(({ imports }) => imports);
  return { text, gzip: gzipSync(contents, { level: 9 }).length, imports };
}

/** Other packages that an entry point imports as soon as it is imported. */
export async function staticImports(folder, entry, external) {
  const { imports } = await bundle(folder, `export * from '${entry}'`, { external, platform: 'node' });
  return imports.filter(({ kind, external }) => external && kind === 'import-statement').map(({ path }) => path);
}

/** Bytes of a package's own code, minified and gzipped, of one entry point. */
export async function ownSize(folder, entry, external) {
  const { gzip } = await bundle(folder, `export * from '${entry}'`, { external });
  return gzip;
}

/** Throws a Failure where a bundle lacks what it must contain, or contains what it must not. */
export async function checkContents(folder, { code, present = [], absent = [] }, external) {
  const { text } = await bundle(folder, code, { external });
  const problems = [
    ...present.filter((name) => !text.includes(name)).map((name) => `'${name}' is not in it, and this check therefore says nothing`),
    ...absent.filter((name) => text.includes(name)).map((name) => `'${name}' is in it`),
  ];
  if (problems.length > 0) throw new Failure(`The bundle of ${code}\n  ${problems.join('\n  ')}`);
}

/** Throws a Failure where something of an entry point stays in a bundle that imports it and uses nothing. */
export async function checkTreeShaking(folder, entry, external) {
  const { text } = await bundle(folder, `import '${entry}'`, { external });
  if (text.trim() !== '')
    throw new Failure(`import '${entry}' leaves ${text.length} bytes in a bundle that uses nothing of it: ${text.slice(0, 200)}`);
}
