import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { evenkeel } from '../test/run-cli.ts';
import { repository, repositoryAbove } from './commands/in-repository.ts';
import { version } from './version.ts';

const COMMANDS = ['doctor', 'tour', 'inspect', 'recipe', 'bench'];

describe('evenkeel', () => {
  it('shows help with examples for itself and every command, on stdout and 80 columns wide', async () => {
    const ofAll = await evenkeel(['--help']);
    for (const command of COMMANDS) expect(ofAll.stdout).toContain(`\n  ${command} `);
    for (const ofOne of [undefined, ...COMMANDS]) {
      const { code, stdout, stderr } = ofOne === undefined ? ofAll : await evenkeel([ofOne, '--help']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain('Examples:');
      expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    }
  });

  it('tells its version', async () => {
    expect(await evenkeel(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('refuses what it does not know with exit code 2, on stderr, and says what it expected', async () => {
    const wrong: [string[], string][] = [
      [['tuor'], "unknown command 'tuor'\n(Did you mean tour?)"],
      [['--jsno'], "unknown option '--jsno'"],
      [['doctor', '--jsno'], "unknown option '--jsno'\n(Did you mean --json?)"],
      [['doctor', 'now'], "too many arguments for 'doctor'"],
      [['tour', '--backend', 'gpu'], "option '--backend <name>' argument 'gpu' is invalid. Allowed choices are auto, wasm"],
      [['tour', '--seed'], "option '--seed <n>' argument missing"],
      [['tour', '--seed', '1.5'], "option '--seed <n>' argument '1.5' is invalid. Expected an integer from 0 to 4294967295."],
      [['tour', '--steps', '0'], "option '--steps <n>' argument '0' is invalid. Expected an integer from 1 to 1000000."],
    ];
    for (const [args, message] of wrong) {
      const { code, stdout, stderr } = await evenkeel(args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(`Error: ${message}`);
      expect(stderr).toContain("'evenkeel --help' shows the commands");
      expect(stderr).not.toContain('    at ');
    }
    const nothing = await evenkeel([]);
    expect(nothing).toMatchObject({ code: 2, stdout: '' });
    expect(nothing.stderr).toContain('Usage: evenkeel [options] [command]');
  });

  it('prints one JSON document with doctor --json', async () => {
    const { code, stdout } = await evenkeel(['doctor', '--json']);
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report.machine.node).toBe(process.versions.node);
    expect(report.backends.map(({ name }: { name: string }) => name)).toContain(report.auto.name);
  });
});

describe('evenkeel tour', () => {
  it('prints one JSON document on stdout with --json, and progress as lines on stderr', async () => {
    const { code, stdout, stderr } = await evenkeel([
      'tour',
      '--backend',
      'cpu',
      '--json',
      '--steps',
      '5',
      '--digits',
      '100',
      '--seed',
      '2',
    ]);
    expect(code).toBe(0);
    const { plan, training, saved } = JSON.parse(stdout);
    expect(plan).toMatchObject({ steps: 5, seed: 2 });
    expect(training).toMatchObject({ curvesAgree: true, heldOutDigits: 100 });
    expect(saved).toMatchObject({ kept: false, bitEqual: true });
    expect(stderr).toContain('training 1/5 ');
    expect(stderr).not.toContain('\r');
  });

  it('ends with a word and exit code 130 at Ctrl-C, and leaves no file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'evenkeel-'));
    try {
      const args = ['tour', '--backend', 'wasm', '--steps', '100000', '--out', join(folder, 'model.safetensors')];
      const { code, stderr } = await evenkeel(args, (text, child) => {
        if (text.includes('training 1/')) child.kill('SIGINT');
      });
      expect(code).toBe(130);
      expect(stderr).toMatch(/Interrupted: nothing was left half-written\.\n$/);
      expect(await readdir(folder)).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('commands of the repository', () => {
  it('hand arguments and exit code through', async () => {
    const { code, stderr } = await evenkeel(['bench', 'no-such-bench', '--whatever']);
    expect(code).toBe(2);
    expect(stderr).toContain("got 'no-such-bench'");
  });

  it('find the repository above a folder, and say outside of it that they need a clone', async () => {
    expect(repositoryAbove(import.meta.dirname)).toBe(join(import.meta.dirname, '../../..'));
    const elsewhere = await mkdtemp(join(tmpdir(), 'evenkeel-'));
    try {
      const command = new Command('recipe').exitOverride().configureOutput({ writeErr: () => undefined });
      expect(repository(command, [elsewhere, import.meta.dirname])).toBe(repositoryAbove(import.meta.dirname));
      expect(() => repository(command, [elsewhere])).toThrow('recipe runs programs of');
    } finally {
      await rm(elsewhere, { recursive: true });
    }
  });
});
