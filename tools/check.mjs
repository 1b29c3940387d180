// npm run check: the packages as users get them. Packs them, installs them into empty projects, and uses them there.
//   npm run check                  everything
//   npm run check -- --sizes       only takes the sizes as they are for new ceilings (tools/check/sizes.json)
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from './chromium.mjs';
import { bundle, checkContents, checkTreeShaking, ownSize, staticImports } from './check/bundles.mjs';
import { contents } from './check/contents.mjs';
import { runExamples } from './check/examples.mjs';
import { checkLoads } from './check/imports.mjs';
import { newerNode, version as newerVersion } from './check/newer-node.mjs';
import { packAll } from './check/pack.mjs';
import { packages, registers } from './check/packages.mjs';
import { alone, install, together } from './check/project.mjs';
import { checkPublish, checkVersions } from './check/release.mjs';
import { checkScaffold } from './check/scaffold.mjs';
import { checkSizes, takeSizes } from './check/sizes.mjs';
import { runVitest } from './check/vitest.mjs';
import { hasWebGpuInNode } from './machine.mjs';
import { Failure, ci, root, run, runSteps, step } from './steps.mjs';

/** Only measure, for new ceilings. */
const sizesOnly = process.argv.includes('--sizes');

/** Everything that a package imports and does not bring. */
const outside = ({ manifest }) => Object.keys({ ...manifest.peerDependencies, ...manifest.dependencies });
const optional = ({ manifest }) => Object.keys(manifest.peerDependenciesMeta ?? {});

/** What a package loads of tfjs, itself or through another of ours: that has side effects of its own. */
function tfjsOf(one) {
  const ours = packages.filter(({ name }) => outside(one).includes(name));
  const names = outside(one).filter((name) => name.startsWith('@tensorflow/') && !optional(one).includes(name));
  return [...new Set([...names, ...ours.flatMap(tfjsOf)])];
}

/** One package in a project with the peers that it cannot do without. */
async function checkAlone(one, tarballs) {
  const folder = await install(one.name, alone(one, packages, tarballs));
  const entries = [];
  for (const entry of one.entries) {
    const needed = (await staticImports(folder, entry, outside(one))).filter((name) => optional(one).includes(name));
    if (needed.length === 0) entries.push(entry);
    else if (entry === one.name) throw new Failure(`${entry} needs ${needed.join(', ')}, which its package.json says is optional`);
  }
  const peers = tfjsOf(one);
  for (const how of ['import', 'require']) await checkLoads(folder, entries, { peers, how });
  return entries.length;
}

/** All packages in one project, with all peers. */
async function checkTogether(folder, node) {
  for (const one of packages) {
    for (const how of ['import', 'require'])
      await checkLoads(folder, one.entries, {
        peers: [...tfjsOf(one), ...optional(one).filter((name) => name.startsWith('@tensorflow/'))],
        how,
        node,
      });
  }
}

/** Bytes of each entry point for the browser, minified and gzipped, without what it imports from outside. */
async function measure(folder) {
  const measured = {};
  for (const one of packages.filter(({ forNode }) => !forNode)) {
    for (const entry of one.entries) measured[entry] = await ownSize(folder, entry, outside(one));
  }
  return measured;
}

async function checkBundles(folder) {
  for (const one of packages.filter(({ forNode }) => !forNode)) {
    for (const entry of one.entries) {
      if (!registers(entry)) await checkTreeShaking(folder, entry, outside(one));
      await bundle(folder, `export * from '${entry}'`);
    }
  }
}

/** The program, started as npm installed it. */
async function checkProgram({ name, manifest }, folder) {
  const program = (...args) => run(join(folder, 'node_modules/.bin', name), args, { cwd: folder });
  const { stdout: version } = await program('--version');
  if (!version.includes(manifest.version)) throw new Failure(`${name} --version says ${version}`);
  JSON.parse((await program('doctor', '--json')).stdout);
  const { saved } = JSON.parse((await program('tour', '--backend', 'wasm', '--steps', '3', '--digits', '200', '--json')).stdout);
  if (saved?.bitEqual !== true) throw new Failure(`${name} tour: the loaded model is not bit-equal`);
}

await runSteps('npm run check', async () => {
  let tarballs;
  await step('pack; publint and attw', async () => (tarballs = await packAll(packages)) && `${packages.length} packages`);
  for (const one of sizesOnly ? [] : packages) {
    await step(`${one.name} alone: import and require`, async () => `${await checkAlone(one, tarballs)} entry points`);
  }

  let folder;
  await step('install all packages beside @tensorflow/tfjs', async () => {
    folder = await install('together', { '@tensorflow/tfjs': '^4.22.0', ...together(packages, tarballs) });
  });
  await step('sizes of entry points, min+gzip, without peers', async () => (sizesOnly ? takeSizes : checkSizes)(await measure(folder)));
  if (sizesOnly) return;

  await step('all packages together: import and require', () => checkTogether(folder, process.execPath));
  await step('bundles for the browser, with all that they need, and with nothing of what they do not use', () => checkBundles(folder));
  await step('names that must not be in a bundle', async () => {
    const external = [...new Set(packages.flatMap(outside))].filter((name) => !name.startsWith('@evenkeel/'));
    for (const one of contents) await checkContents(folder, one, external);
    return `${contents.length} bundles`;
  });

  for (const one of packages.filter(({ name }) => name === 'evenkeel')) {
    await step(`${one.name}, the program as installed: doctor and a short tour`, () => checkProgram(one, folder));
  }
  await step('examples of the READMEs and the guide, in Node and in Chromium', async () => {
    const webgpu = await hasWebGpuInNode();
    if (ci && (chromium === undefined || !webgpu)) throw new Failure('No Chromium or no WebGPU adapter, and CI is set.');
    if (chromium === undefined) console.log('!!! No Chromium on this machine: examples that are pages are left out.');
    if (!webgpu) console.log('!!! No WebGPU adapter in Node: examples on webgpu are left out.');
    const guide = join(root, 'docs/guide');
    const pages = readdirSync(guide).filter((file) => file.endsWith('.md'));
    const readmes = [root, ...packages.map((one) => one.folder)].map((folder) => join(folder, 'README.md'));
    const files = [...readmes, ...pages.map((page) => join(guide, page))];
    return runExamples(files, folder, { executablePath: chromium, webgpu });
  });

  await step('plugins as outsiders make them: scaffolded, installed, built, tested on every backend, packed', async () =>
    checkScaffold(folder, tarballs, { webgpu: await hasWebGpuInNode() }),
  );

  await step('a release: versions and changelogs of the changesets that are committed', checkVersions);
  await step('a release: what npm would publish, with provenance', () => checkPublish(tarballs));

  await step('API documentation, without warnings', () => run(process.execPath, [join(root, 'tools/api.mjs')]));

  await step(`tests in Node ${newerVersion}`, async () => {
    const node = await newerNode();
    if (node === undefined && ci) throw new Failure(`npm has no Node ${newerVersion} for this machine, and CI is set.`);
    if (node === undefined) return `left out: npm has no Node ${newerVersion} for this machine`;
    await checkTogether(folder, node);
    // Pages and shaders do not depend on Node's version, and take minutes: that Dawn serves there is shown by what needs it most.
    const options = { node, counts: false };
    const env = { EVENKEEL_WITHOUT: 'webgpu' };
    const most = await runVitest(['--project', 'node', 'packages/', 'recipes/', 'bench/'], { ...options, env });
    const withIt = ['backend-webgpu', 'core', 'evenkeel', 'hello'].map((name) => `packages/${name}/`);
    const webgpu = await runVitest(['--project', 'node', ...withIt, 'tools/examples'], options);
    return `${most} without webgpu, ${webgpu} with it`;
  });

  // Last: it installs what nothing else needs.
  await step('bench norms, in small: all peers run and agree', () =>
    run(process.execPath, [join(root, 'tools/bench.mjs'), 'norms', '--smoke']),
  );
});
