// npm test: installs, builds, and runs every check of the sources, then all tests in Node and in headless Chromium.
//   npm test                      everything
//   npm test -- rms-norm          everything, but only tests whose path contains `rms-norm`; other arguments of vitest work too
//   CI=true npm test              a test that cannot run on this machine is a failure
import { join } from 'node:path';
import { runVitest } from './check/vitest.mjs';
import { tellLeftOut, testFiles } from './machine.mjs';
import { root, run, runSteps, step } from './steps.mjs';
import { resetTally, tally } from './tally.mjs';

const filters = process.argv.slice(2);

resetTally();
await runSteps('npm test', async () => {
  await step('install and build', () => run(process.execPath, [join(root, 'tools/setup.mjs'), 'test'], { show: true }));

  const leftOut = await tellLeftOut();

  await step('format', () => run('oxfmt', ['--check', '.']));
  await step('lint', () => run('oxlint', []));
  await step('types', () => run('tsc', []));
  await step('dependency rules', () => run(process.execPath, [join(root, 'tools/check/dependencies.mjs')]));

  const files = filters.length > 0 ? [] : testFiles().filter((file) => !leftOut.includes(file));
  await step('tests', () => runVitest(filters, { files }));
});
const { passed, failed } = tally();
console.log(`tests: ${passed} passed, ${failed} failed`);
