// Plugins as an outsider makes them: written by the packed create-plugin into an empty folder, installed, built, tested on every backend, packed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure, ci, run } from '../steps.mjs';
import { preload, runExamples } from './examples.mjs';
import { checkPacked } from './pack.mjs';

const variants = ['op', 'layer', 'optimizer', 'kernel'];
const stem = (variant) => `my-${variant}-norm`;
const packageOf = (variant) => `evenkeel-plugin-${stem(variant)}`;

/** One installation for all: each variant is a workspace, and ours come from what was packed, wherever they are asked for. */
async function installAll(home, tarballs) {
  const ours = Object.fromEntries([...tarballs].map(([name, tarball]) => [name, `file:${tarball}`]));
  const manifest = {
    private: true,
    workspaces: variants.map(stem),
    devDependencies: { evenkeel: ours.evenkeel },
    overrides: { ...ours, evenkeel: '$evenkeel' },
  };
  writeFileSync(join(home, 'package.json'), JSON.stringify(manifest, undefined, 2));
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], { cwd: home });
}

/** What its own CI does with a plugin, and its bench where it has one. */
async function checkPlugin(variant, home, environment) {
  const cwd = join(home, stem(variant));
  const npm = (...args) => run('npm', args, { cwd, env: environment });
  await npm('run', 'types');
  await npm('test');
  await npm('run', 'bench', '--if-present');
  // Builds before.
  const { stdout } = await npm('pack', '--json', '--loglevel=error');
  const { filename } = JSON.parse(stdout.slice(stdout.indexOf('[\n')))[0];
  await checkPacked(packageOf(variant), join(cwd, filename));
  await runExamples([join(cwd, 'README.md')], cwd, { webgpu: false });
}

/** `evenkeel inspect`, as a user of the plugin calls it. */
async function checkInspect(variant, home, backends, environment) {
  const program = join(home, 'node_modules/.bin/evenkeel');
  const { stdout } = await run(program, ['inspect', packageOf(variant), '--json'], { cwd: home, env: environment });
  const { checks } = JSON.parse(stdout);
  const missing = backends.filter((backend) => !checks?.backends.includes(backend));
  if (missing.length > 0) throw new Failure(`evenkeel inspect ${packageOf(variant)} checks nothing on ${missing.join(', ')}`);
}

/**
 * Scaffolds every variant, outside of this repository, and throws a Failure where one does not install, build, pass its tests, pack, or do what
 * its README says.
 * project: where create-plugin is installed
 * webgpu: whether Node has an adapter; without one, on CI, there is nothing to be said
 */
export async function checkScaffold(project, tarballs, { webgpu }) {
  if (ci && !webgpu) throw new Failure('No WebGPU adapter in Node, and CI is set.');
  const home = mkdtempSync(join(tmpdir(), 'evenkeel-scaffold-'));
  try {
    for (const variant of variants) {
      await run(join(project, 'node_modules/.bin/create-plugin'), [stem(variant), '--variant', variant], { cwd: home });
    }
    await installAll(home, tarballs);
    // With CI set a plugin's tests demand every backend.
    const environment = { CI: webgpu ? 'true' : undefined, NODE_OPTIONS: preload };
    for (const variant of variants) {
      const since = performance.now();
      await checkPlugin(variant, home, environment);
      await checkInspect(variant, home, webgpu ? ['cpu', 'wasm', 'webgpu'] : ['cpu', 'wasm'], environment);
      console.log(`    ${packageOf(variant)}: ${((performance.now() - since) / 1000).toFixed(1)} s`);
    }
    return `${variants.length} plugins`;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
