import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createPlugin, CreateError, variants, type Variant } from './index.ts';
import { version } from './version.ts';

let within: string;
beforeEach(() => (within = mkdtempSync(join(tmpdir(), 'evenkeel-create-'))));
afterEach(() => rmSync(within, { recursive: true }));

const all = Object.keys(variants) as Variant[];
const read = (folder: string, file: string): string => readFileSync(join(folder, file), 'utf8');

interface Manifest {
  name: string;
  exports: Record<string, { default: string }>;
  dependencies?: Record<string, string>;
  devDependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
}

describe.each(all)('%s', (variant) => {
  test('has nothing of the template but its code: no name, no mark, nothing unfilled', () => {
    const { folder, names, files } = createPlugin({ name: '@me/my-norm', variant, within });
    expect(names.packageName).toBe('@me/evenkeel-plugin-my-norm');
    expect(readdirSync(within)).toEqual(['my-norm']);
    for (const file of files) {
      expect(`${file}\n${read(folder, file)}`).not.toMatch(/hello|#(end)?region|undefined:|workspace:|TODO/i);
    }
    expect(read(folder, 'src/owner.ts')).toContain("name: '@me/evenkeel-plugin-my-norm'");
    expect(files).toEqual(
      expect.arrayContaining(['.changeset/config.json', '.github/workflows/ci.yml', '.gitignore', 'LICENSE', 'README.md', 'package.json']),
    );
  });

  test('lists all that it imports, and nothing twice', () => {
    const { folder, files } = createPlugin({ name: 'my-norm', variant, within });
    const { exports, dependencies, devDependencies, peerDependencies } = JSON.parse(read(folder, 'package.json')) as Manifest;
    const listed = new Set([...Object.keys(devDependencies), ...Object.keys(peerDependencies)]);
    expect(dependencies).toBeUndefined();
    for (const file of files.filter((name) => name.endsWith('.ts'))) {
      for (const [, name, path] of read(folder, file).matchAll(/from '((?:@[^'/]+\/)?[^'/]+)([^']*)'/g)) {
        if (name === '.' || name === '..') {
          const target = join(folder, file, '..', name + path!);
          const generatedFrom = [target.replace(/\.wasm\.ts$/, '.as.ts'), target.replace(/\.ts$/, ''), target];
          expect(path === '/version.ts' || generatedFrom.some((each) => existsSync(each)), `${file} imports ${name}${path}`).toBe(true);
        } else if (!name!.startsWith('node:')) expect(listed, `${file} imports ${name}`).toContain(name);
      }
    }
    for (const { default: target } of Object.values(exports)) {
      expect(files).toContain(target.replace('./dist/', 'src/').replace(/\.js$/, '.ts'));
    }
  });
});

test('derives names that the field would use', () => {
  expect(createPlugin({ name: 'my-norm', within }).names).toEqual({
    stem: 'my-norm',
    packageName: 'evenkeel-plugin-my-norm',
    op: 'MyNorm',
    function: 'myNorm',
    layer: 'MyNormalization',
    optimizer: 'MyNormOptimizer',
  });
  expect(createPlugin({ name: 'evenkeel-plugin-lion-2', variant: 'optimizer', within }).names).toMatchObject({
    packageName: 'evenkeel-plugin-lion-2',
    layer: 'Lion2Layer',
    optimizer: 'Lion2Optimizer',
  });
});

function refused(name: string, why: string, variant: Variant = 'op'): void {
  const before = readdirSync(within, { recursive: true });
  expect(() => createPlugin({ name, variant, within })).toThrow(CreateError);
  expect(() => createPlugin({ name, variant, within })).toThrow(why);
  expect(readdirSync(within, { recursive: true })).toEqual(before);
}

describe('refuses, and writes nothing', () => {
  test.each([
    ['', 'small letters'],
    ['MyNorm', 'small letters'],
    ['2-norm', 'small letters'],
    ['my--norm', 'small letters'],
    ['../my-norm', 'small letters'],
    ['@me/../my-norm', 'small letters'],
    ['/my-norm', 'small letters'],
    ['my-norm\n', 'small letters'],
    ['evenkeel-plugin-', 'small letters'],
    ['@../my-norm', "the scope is '@..'"],
    ['@/my-norm', "the scope is '@'"],
    ['@evenkeel/my-norm', "is Evenkeel's own"],
    [`my-${'n'.repeat(200)}`, 'characters, npm takes 214'],
    ['class', "'class' is a word of the language"],
    ['mean', "'mean' is a word of the language or of the code"],
    ['tensor', "'tensor' is a word of the language or of the code"],
  ])('the name %j', (name, why) => refused(name, why));

  test('an unknown variant', () => refused('my-norm', "variant is 'backend', expected one of op, layer", 'backend' as Variant));

  test('a folder that holds something, a file, and a link', () => {
    mkdirSync(join(within, 'my-norm'));
    createPlugin({ name: 'my-norm', within });
    refused('my-norm', 'is not empty');
    writeFileSync(join(within, 'my-file'), '');
    refused('my-file', 'is no folder');
    mkdirSync(join(within, 'elsewhere'));
    symlinkSync(join(within, 'elsewhere'), join(within, 'my-link'));
    refused('my-link', 'is no folder');
  });
});

describe('the command', () => {
  const root = join(import.meta.dirname, '../../..');
  // From its sources, in an empty folder.
  const program = ['tools/run.mjs', 'packages/create-plugin/src/cli.ts'].map((file) => join(root, file));
  const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...program, ...args], { cwd: within, encoding: 'utf8' });
    return { status, stdout, stderr };
  };

  test('asks nothing where nobody can answer, and says what to do next', () => {
    const { status, stdout, stderr } = run('my-norm', '--variant', 'layer');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('evenkeel-plugin-my-norm: ');
    expect(stdout).toContain('  cd my-norm\n  npm install\n  npm test\n');
    expect(existsSync(join(within, 'my-norm/src/layer.ts'))).toBe(true);
    expect(run('my-norm').stderr).toContain('is not empty');
  });

  test('refuses what it does not know, with 2', () => {
    for (const args of [[], ['a', 'b'], ['--nowhere'], ['my-norm', '--variant', 'all']]) {
      const { status, stdout, stderr } = run(...args);
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr).toContain("'npm create @evenkeel/plugin -- --help' shows the options.");
    }
    expect(readdirSync(within)).toEqual([]);
    expect(run('--version').stdout).toBe(`${version}\n`);
    expect(run('--help').stdout).toContain('Examples:');
  });
});
