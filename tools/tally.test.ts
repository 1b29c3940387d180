import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** A repository of its own, so that the run that tests this keeps its count. */
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-tally-'));
  mkdirSync(join(folder, 'tools'));
  for (const file of ['tally.mjs', 'steps.mjs']) cpSync(join(import.meta.dirname, file), join(folder, 'tools', file));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs `program`, then asks for the closing line. */
function closingLine(program: string) {
  const options = { cwd: join(folder, 'tools'), encoding: 'utf8' } as const;
  const imports = "import { count, resetTally } from './tally.mjs'; import { runSteps, step } from './steps.mjs'; resetTally();";
  spawnSync(process.execPath, ['--input-type=module', '-e', `${imports} ${program}`], options);
  const { status, stdout } = spawnSync(process.execPath, ['tally.mjs'], options);
  return { status, line: stdout.trim() };
}

describe('the closing line', () => {
  it('sums what was counted', () => {
    const program = 'count({ passed: 3, failed: 0 }); count({ passed: 2, failed: 0 });';
    expect(closingLine(program)).toEqual({ status: 0, line: 'tests: 5 passed, 0 failed' });
  });

  it('is a failure where a test failed', () => {
    expect(closingLine('count({ passed: 3, failed: 1 });')).toEqual({ status: 1, line: 'tests: 3 passed, 1 failed' });
  });

  it('is a failure where no test ran', () => {
    expect(closingLine('')).toEqual({ status: 1, line: 'tests: 0 passed, 0 failed' });
  });

  it('never says "0 failed" where a step failed', () => {
    const program = "count({ passed: 3, failed: 0 }); await runSteps('x', () => step('y', () => { throw new Error('z'); }));";
    expect(closingLine(program)).toEqual({ status: 1, line: 'tests: 3 passed, 1 failed' });
  });

  it('counts a failed test once', () => {
    const program = "await runSteps('x', () => { count({ passed: 0, failed: 1 }); throw new Error('z'); });";
    expect(closingLine(program)).toEqual({ status: 1, line: 'tests: 0 passed, 1 failed' });
  });
});
