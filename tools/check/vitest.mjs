// Runs vitest and counts.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure, ci, root, run } from '../steps.mjs';
import { count } from '../tally.mjs';
import { verdict } from './verdict.mjs';

const vitest = join(root, 'node_modules/vitest/vitest.mjs');

/**
 * Runs vitest with `args`; throws a Failure where a test failed, where none ran, and where one of `files` (relative to the root) had no test that passed.
 * node: the Node to run it with
 * counts: whether the tests that pass count in the closing line; those that fail always do
 * env: more of the environment
 */
export async function runVitest(args, { files = [], node = process.execPath, counts = true, env = {} } = {}) {
  const output = join(root, '.cache/vitest.json');
  mkdirSync(dirname(output), { recursive: true });
  rmSync(output, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${output}`];
  const { status } = await run(node, [vitest, 'run', ...reporters, ...args], { env, show: true, allowFailure: true });
  if (!existsSync(output)) throw new Failure(`vitest wrote no report: exit code ${status}`);

  const report = JSON.parse(readFileSync(output, 'utf8'));
  const { passed, failed, reasons } = verdict(report, { files: files.map((file) => join(root, file)), strict: ci });
  count({ passed: counts ? passed : 0, failed });
  if (status !== 0) reasons.push(`vitest: exit code ${status}`);
  if (reasons.length > 0) throw new Failure(reasons.join('\n'));
  return `${passed} passed`;
}
