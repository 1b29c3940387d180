import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verdict } from './verdict.mjs';

const tests = (name: string, ...statuses: string[]) => ({
  name,
  assertionResults: statuses.map((status, index) => ({ fullName: `test ${index}`, status })),
});

function report(...testResults: ReturnType<typeof tests>[]) {
  const all = testResults.flatMap(({ assertionResults }) => assertionResults);
  const number = (wanted: string) => all.filter(({ status }) => status === wanted).length;
  return { numPassedTests: number('passed'), numFailedTests: number('failed'), testResults };
}

describe('verdict', () => {
  it('counts, and has nothing against a run in which every file ran', () => {
    const run = report(tests('/a', 'passed', 'passed'), tests('/b', 'passed', 'failed'));
    expect(verdict(run, { files: ['/a', '/b'], strict: true })).toEqual({ passed: 3, failed: 1, reasons: [] });
  });

  it('refuses a run without tests', () => {
    expect(verdict(report(), { files: [], strict: false }).reasons).toEqual(['No test ran.']);
  });

  it.each([
    ['is missing', report(tests('/a', 'passed'))],
    ['has no test', report(tests('/a', 'passed'), tests('/b'))],
    ['has only skipped tests', report(tests('/a', 'passed'), tests('/b', 'skipped'))],
  ])('names a file that %s', (_, run) => {
    expect(verdict(run, { files: ['/a', '/b'], strict: false }).reasons.join()).toContain('/b');
  });

  it.each(['skipped', 'pending', 'todo'])('names a %s test where every test must run', (status) => {
    const run = report(tests('/a', 'passed', status));
    expect(verdict(run, { files: ['/a'], strict: true }).reasons.join()).toContain('/a: test 1');
    expect(verdict(run, { files: ['/a'], strict: false }).reasons).toEqual([]);
  });
});

describe('a browser that does not start', () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'evenkeel-browser-'))));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is a failure, not a run of no tests', () => {
    const test = join(folder, 'some.test.js');
    writeFileSync(test, "import { it } from 'vitest';\nit('runs', () => undefined);\n");
    const config = join(folder, 'vitest.config.mjs');
    writeFileSync(
      config,
      `import { playwright } from '${import.meta.resolve('@vitest/browser-playwright')}';
      const provider = playwright({ launchOptions: { executablePath: '/bin/false' } });
      export default {
        root: '${folder}',
        cacheDir: '${folder}/cache',
        test: { include: ['*.test.js'], browser: { enabled: true, headless: true, provider, instances: [{ browser: 'chromium' }] } },
      };`,
    );
    const output = join(folder, 'report.json');
    const vitest = join(import.meta.dirname, '../../node_modules/vitest/vitest.mjs');
    const { status, stderr } = spawnSync(
      process.execPath,
      [vitest, 'run', '--config', config, '--reporter=json', `--outputFile=${output}`],
      { encoding: 'utf8', cwd: folder, env: { ...process.env, VITEST: '' } },
    );
    expect(status).toBe(1);
    expect(stderr).toContain('browserType.launch');
    const { passed, reasons } = verdict(JSON.parse(readFileSync(output, 'utf8')), { files: [test], strict: true });
    expect(passed).toBe(0);
    expect(reasons).toContain('No test ran.');
  });
});
