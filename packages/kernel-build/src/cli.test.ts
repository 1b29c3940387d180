import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { doubling, testPackage, type TestPackage } from '../test/package.ts';
import { version } from './version.ts';

let one: TestPackage;
beforeEach(() => (one = testPackage(doubling)));
afterEach(() => one.remove());

const root = join(import.meta.dirname, '../../..');

/** Runs the command from its sources. */
function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['tools/run.mjs', 'packages/kernel-build/src/cli.ts', ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

it('builds a folder, and says what it wrote', () => {
  const first = run('--write-version', 'src/version.ts', one.folder);
  expect(first).toEqual({
    status: 0,
    stdout: 'wrote src/version.ts\nwrote src/deep/double.wgsl.ts\nwrote src/double.wasm.ts\n',
    stderr: '',
  });
  expect(run(one.folder)).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(run('--verbose', one.folder).stdout).toContain('current src/double.wasm.ts\n');
});

it('fails where a kernel does, with the message of the compiler', () => {
  one.write('src/double.as.ts', 'export function forward(): void {\n  nowhere();\n}\n');
  const { status, stderr } = run(one.folder);
  expect(status).toBe(1);
  expect(stderr).toContain("Cannot find name 'nowhere'");
  expect(stderr).toContain('double.as.ts');
  expect(stderr).not.toContain('    at ');
});

it('shows help and version, and refuses what it does not know', () => {
  expect(run('--version').stdout).toBe(`${version}\n`);
  expect(run('--help').stdout).toContain('Examples:');
  for (const args of [['--source'], ['--nowhere'], ['a', 'b']]) {
    const { status, stdout, stderr } = run(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain("'evenkeel-kernels --help' shows the options.");
  }
});
