import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recipes } from './index.ts';

const root = join(import.meta.dirname, '..');

/** Runs the command line; `interrupt` sends Ctrl-C's signal once stderr shows it. */
function recipe(args: readonly string[], interrupt?: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['tools/run.mjs', 'recipes/run.ts', ...args], {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    const said = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said.stderr += text;
      if (interrupt !== undefined && text.includes(interrupt)) child.kill('SIGINT');
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...said }));
  });
}

describe('the command line of recipes', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'recipe-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('lists the recipes', async () => {
    const { code, stdout } = await recipe([]);
    expect(code).toBe(0);
    for (const name of Object.keys(recipes)) expect(stdout).toContain(`"${name}"`);
    expect(stdout).toContain('Examples:');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test('says what each is about', async () => {
    const { code, stdout } = await recipe(['list']);
    expect(code).toBe(0);
    expect(stdout.split('\n').filter((line) => /^\S/.test(line))).toEqual(Object.keys(recipes));
    expect(stdout).toContain('layer-norm\n    Layer Normalization. J. L. Ba, J. R. Kiros, G. E. Hinton, 2016.');
  });

  test.each([
    [['--all', 'layer-norm'], '--all takes neither a name nor --out'],
    [['layer-norm', '--workers', '0'], "option '--workers <n>' argument '0' is invalid. Expected an integer from 1 to 99."],
    [['no-such'], "argument value 'no-such' is invalid for argument 'name'. Allowed choices are"],
    [['layer-norm', 'rms-norm'], 'too many arguments. Expected 1 argument but got 2.'],
    [['layer-norm', '--seed', 'one'], "option '--seed <n>' argument 'one' is invalid. Expected a number."],
    [['layer-norm', '--arm', 'gru'], 'recipe: arm is "gru", expected of none/128'],
    [['layer-norm', '--scale', '2'], 'recipe: scale is 2, expected a number above 0, at most 1'],
    [['layer-norm', '--quick'], "unknown option '--quick'"],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await recipe(args);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  test('says what it will judge by, runs, and writes the report where it is told', async () => {
    const out = join(folder, 'report.json');
    const { code, stdout } = await recipe(['layer-norm', '--arm', 'lstm', '--seed', '2', '--scale', '0.01', '--out', out]);
    expect(stdout).toMatch(/It counts as reproduced if\n {2}- error: [^]*Not judged[^]*Written to /);
    expect(JSON.parse(await readFile(out, 'utf8'))).toMatchObject({
      recipe: 'layer-norm',
      arms: ['lstm'],
      seeds: [2],
      scale: 0.01,
      failures: [],
    });
    expect(code).toBe(0);
  });

  test('two processes find what one finds, and --full takes ten seeds', async () => {
    const given = ['layer-norm', '--arm', 'lstm', '--scale', '0.01', '--json'];
    const [one, two, full] = await Promise.all([
      recipe([...given, '--seed', '1', '--seed', '3', '--workers', '1']),
      recipe([...given, '--seed', '1', '--seed', '3', '--workers', '2']),
      recipe([...given, '--full', '--seed', '10']),
    ]);
    const figures = [one, two, full].map(({ stdout }) => JSON.parse(stdout) as { figures: unknown; seeds: number[] });
    expect(figures[1]!.figures).toEqual(figures[0]!.figures);
    expect(figures.map(({ seeds }) => seeds)).toEqual([[1, 3], [1, 3], [10]]);
  });

  test('an interrupt leaves no file, not even half of one', async () => {
    const out = join(folder, 'interrupted', 'report.json');
    const { code, stderr } = await recipe(['layer-norm', '--arm', 'lstm', '--scale', '0.1', '--out', out], '1/3 lstm');
    expect(stderr).toContain('recipe: was aborted');
    expect([code, existsSync(join(folder, 'interrupted'))]).toEqual([130, false]);
  });
});
