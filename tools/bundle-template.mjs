// Makes src/template.generated.js of packages/create-plugin: the files of every variant of a plugin, taken from packages/hello, and what they need.
// Run in that package's folder. Regions (`// #region name`) say which parts of a file a variant does not have.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { root, run } from './steps.mjs';

const hello = join(root, 'packages/hello');
const own = join(root, 'packages/create-plugin/template');

const kernels = ['hello-norm.as.ts', 'hello-norm.wgsl', 'wasm.ts', 'wgsl.ts'].map((file) => `src/${file}`);
const always = ['src/owner.ts', 'src/checks.ts', 'src/plugin.ts', 'src/plugin.test.ts', 'test/backends.ts'];
const op = [...always, 'src/index.ts', 'src/op.ts', 'src/layer.ts'];

/** By variant: files of hello, regions that they lose, and files under another name. */
const variants = {
  op: {
    files: [...op, ...kernels, 'src/hello-norm-grad.wgsl', 'src/hello-norm-grad-gamma.wgsl', 'test/hello-norm.bench.ts'],
    without: ['optimizer'],
  },
  layer: { files: op, without: ['gradient', 'gradient-and-kernels', 'optimizer'] },
  optimizer: { files: [...always, 'src/optimizer.ts', 'src/optimizer.test.ts'], without: ['op', 'gradient', 'layer'] },
  kernel: {
    files: [
      'src/owner.ts',
      'src/kernel.ts',
      'src/kernel-checks.ts',
      'src/kernel.test.ts',
      'test/backends.ts',
      'test/hello-kernel.bench.ts',
      ...kernels,
    ],
    without: ['gradient', 'beside-the-plugin'],
    renamed: { 'src/kernel.ts': 'src/plugin.ts', 'src/kernel-checks.ts': 'src/checks.ts', 'src/kernel.test.ts': 'src/plugin.test.ts' },
  },
};

/** What stands here under another name than in a package. */
const plain = {
  gitignore: '.gitignore',
  'tsconfig.json': 'tsconfig.json',
  'tsdown.config.txt': 'tsdown.config.ts',
  'vitest.config.txt': 'vitest.config.ts',
  'ci.yml': '.github/workflows/ci.yml',
  'changeset.json': '.changeset/config.json',
  'changeset.md': '.changeset/first-version.md',
};

const mark = /^\s*(?:\/\/|<!--) #(end)?region ([\w -]+?)(?: -->)?$/;

/** A text without its marks, and without the regions for which `drops` says so. */
function withoutRegions(text, drops) {
  const open = [];
  const kept = text.split('\n').filter((line) => {
    const [found, end, name] = mark.exec(line) ?? [];
    if (found === undefined) return !open.some(drops);
    if (end === undefined) open.push(name);
    else if (open.pop() !== name) throw new Error(`region '${name}' ends and another one is open`);
    return false;
  });
  if (open.length > 0) throw new Error(`region '${open[0]}' does not end`);
  return kept.join('\n');
}

/** Imports without the names that nothing uses any more. */
function pruneImports(text) {
  const all = /^import (type )?(\w+|\{[^}]*\}) from ('[^']+');\n/gm;
  const rest = text.replaceAll(all, '');
  const used = (name) => new RegExp(`\\b${name}\\b`).test(rest);
  return text.replaceAll(all, (statement, type = '', names, from) => {
    if (!names.startsWith('{')) return used(names) ? statement : '';
    const kept = names
      .slice(1, -1)
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && used(name.replace(/^type /, '')));
    return kept.length === 0 ? '' : `import ${type}{ ${kept.join(', ')} } from ${from};\n`;
  });
}

/** Other modules under their new names. */
function renameModules(text, renamed) {
  for (const [from, to] of Object.entries(renamed)) {
    for (const folder of ['./', '../src/']) text = text.replaceAll(`'${folder}${from.slice(4)}'`, `'${folder}${to.slice(4)}'`);
  }
  return text;
}

function filesOf(name, { files, without, renamed = {} }) {
  const made = {};
  for (const file of files) {
    const text = withoutRegions(readFileSync(join(hello, file), 'utf8'), (region) => without.includes(region));
    const pruned = file.endsWith('.ts') && !file.endsWith('.as.ts') ? pruneImports(text) : text;
    made[renamed[file] ?? file] = renameModules(pruned, renamed);
  }
  for (const [file, target] of Object.entries(plain)) made[target] = readFileSync(join(own, file), 'utf8');
  made['README.md'] = withoutRegions(readFileSync(join(own, 'README.txt'), 'utf8'), (region) => !region.split(' ').includes(name));
  made.LICENSE = readFileSync(join(root, 'LICENSE'), 'utf8');
  if (name === 'kernel') {
    // A package of its own has no other plugin beside it.
    for (const file of Object.keys(made))
      made[file] = made[file].replaceAll('@evenkeel/hello/kernel', '@evenkeel/hello').replaceAll('kernelChecks', 'checks');
  }
  return made;
}

/** As the formatter leaves them. */
async function formatted(files) {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-template-'));
  try {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    }
    await run('oxfmt', ['-c', join(root, '.oxfmtrc.json'), folder]);
    return Object.fromEntries(Object.keys(files).map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const manifest = (folder) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
const { dependencies, devDependencies } = manifest('.');
const ours = ['core', 'backend-wasm', 'backend-webgpu', 'norms', 'kernel-build'].map((folder) => manifest(`packages/${folder}`));
const theirs = { ...dependencies, ...devDependencies };
const tools = new Set(['@changesets/cli', '@types/node', 'tsdown', 'typescript', 'vitest', 'webgpu']);
const versions = Object.fromEntries([
  ...ours.map(({ name, version }) => [name, `^${version}`]),
  ...Object.keys(theirs)
    .filter((name) => tools.has(name) || name.startsWith('@tensorflow/'))
    .map((name) => [name, `^${theirs[name]}`]),
]);

const template = { versions, variants: {} };
for (const [name, variant] of Object.entries(variants)) template.variants[name] = await formatted(filesOf(name, variant));
writeFileSync('src/template.generated.js', `export const template = ${JSON.stringify(template, undefined, 1)};\n`);
