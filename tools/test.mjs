// npm test: installs, builds, and runs every check of the sources, then all tests in Node and in headless Chromium.
//   npm test                      everything
//   npm test -- rms-norm          everything, but only tests whose path contains `rms-norm`; other arguments of vitest work too
//   CI=true npm test              a test that cannot run on this machine is a failure
import { join } from 'node:path';
import { leftOut } from './machine.mjs';
import { Failure, root, run, runSteps, step } from './steps.mjs';

const filters = process.argv.slice(2);
const ci = process.env.CI !== undefined && !['', '0', 'false'].includes(process.env.CI);

await runSteps('npm test', async () => {
  await step('install and build', () => run(process.execPath, [join(root, 'tools/setup.mjs'), 'test'], { show: true }));

  const missing = await leftOut();
  for (const { what, remedy, tests } of missing) {
    console.log(`\n!!! ${what}\n    ${remedy}\n    Left out: ${tests.length === 0 ? 'no test' : tests.join('\n              ')}`);
  }
  if (ci && missing.length > 0) throw new Failure('CI is set, and there a test that cannot run is a failure.');

  await step('format', () => run('oxfmt', ['--check', '.']));
  await step('lint', () => run('oxlint', []));
  await step('types', () => run('tsc', []));
  await step('dependency rules', () => run(process.execPath, [join(root, 'tools/check/dependencies.mjs')]));

  await step('tests', () => run('vitest', ['run', ...filters], { show: true }));
});
