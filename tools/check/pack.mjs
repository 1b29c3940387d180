// Packs the packages as they would be published, and looks at what is in them.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { Failure, root, run } from '../steps.mjs';

/** What every package has, and what none has. */
const required = ['package.json', 'LICENSE', 'README.md'];
const unwanted = /\.test\.|(^|\/)test\/|node_modules|\.turbo|tsconfig|\.tsbuildinfo/;

/** Ways of resolution that never see an ES module behind `exports`: CommonJS before Node 20.19, and Node before it knew `exports`. */
const unsupported = new Set(['node10', 'node16-cjs']);

async function problemsOfTypes(contents) {
  const { types, problems } = await checkPackage(contents);
  if (!types) return ['it has no types'];
  return problems
    .filter(({ resolutionKind, resolutionOption }) => !unsupported.has(resolutionKind ?? resolutionOption))
    .map((problem) => JSON.stringify(problem));
}

async function problemsOfManifest(tarball) {
  const buffer = tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true });
  return messages.map((message) => formatMessage(message, pkg));
}

/** Throws a Failure that lists all that is wrong with a packed package; returns its size in bytes. */
export async function checkPacked(name, filename) {
  const tarball = readFileSync(filename);
  const contents = createPackageFromTarballData(tarball);
  const files = contents.listFiles().map((path) => path.slice(`/node_modules/${name}/`.length));
  const problems = [
    ...required.filter((file) => !files.includes(file)).map((file) => `${file} is not in the package`),
    ...files.filter((file) => unwanted.test(file)).map((file) => `${file} is in the package`),
    ...(await problemsOfManifest(tarball)),
    ...(await problemsOfTypes(contents)),
  ];
  if (problems.length > 0) throw new Failure(`${name}:\n  ${problems.join('\n  ')}`);
  return tarball.length;
}

async function pack({ name, folder }, destination) {
  const { stdout } = await run('pnpm', ['pack', '--json', '--pack-destination', destination], { cwd: folder });
  const { filename } = JSON.parse(stdout);
  return { filename, bytes: await checkPacked(name, filename) };
}

/** Packs all; resolves to the tarballs' paths by package name. */
export async function packAll(packages) {
  const destination = join(root, '.cache/packed');
  rmSync(destination, { recursive: true, force: true });
  mkdirSync(destination, { recursive: true });
  const tarballs = new Map();
  for (const one of packages) {
    const { filename, bytes } = await pack(one, destination);
    console.log(`    ${one.name} ${one.manifest.version}: ${(bytes / 1024).toFixed(0)} KB`);
    tarballs.set(one.name, filename);
  }
  return tarballs;
}
