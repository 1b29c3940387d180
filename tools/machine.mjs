// Which tests this machine cannot run, and what it lacks for them.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { chromium } from './chromium.mjs';
import { Failure, ci, root, run } from './steps.mjs';

/** Asks for a WebGPU adapter as the tests do, in a process of its own: Dawn keeps the driver that it found when it was loaded. */
const askDawn = `
  const { useSwiftShader } = await import('./vulkan.mjs');
  useSwiftShader();
  const { create } = await import('webgpu');
  const adapter = await create([]).requestAdapter();
  process.exit(adapter === null ? 2 : 0);`;

/** Whether the tests find a WebGPU adapter in Node. */
export async function hasWebGpuInNode() {
  const options = { cwd: import.meta.dirname, allowFailure: true };
  const { status } = await run(process.execPath, ['--input-type=module', '-e', askDawn], options);
  return status === 0;
}

/** Whether a test file, or what it shares with others in `test/`, asks for the webgpu backend, which tests on all backends there are do not. */
function usesWebGpu(file) {
  const text = readFileSync(join(root, file), 'utf8');
  if (/'webgpu'|\bwebgpu\(/.test(text)) return true;
  return [...text.matchAll(/from '(\.[^']*\/test\/[^']+)'/g)].some(([, path]) => usesWebGpu(join(dirname(file), path)));
}

/** The test files of this repository, relative to its root. */
export function testFiles(matches = () => true) {
  const folders = ['packages', 'recipes', 'bench', 'tools'];
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .map((file) => join(folder, file))
      .filter((file) => !file.includes('node_modules') && file.endsWith('.test.ts') && matches(file))
      .sort(),
  );
}

/** The tests in Node that need a WebGPU adapter: vitest.config.ts leaves them out where EVENKEEL_WITHOUT is `webgpu`. */
export const testsOnWebGpu = () => testFiles((file) => !file.endsWith('.browser.test.ts') && !looksAtPages(file) && usesWebGpu(file));

/** The tests that drive a Chromium: those that run in its pages, and those that run in Node and look at pages. */
const inPages = (file) => file.endsWith('.browser.test.ts');
const looksAtPages = (file) => !inPages(file) && /from 'playwright'/.test(readFileSync(join(root, file), 'utf8'));

/** The tests in Node that need a Chromium. */
export const testsThatLookAtPages = () => testFiles(looksAtPages);

/** What is missing here: a sentence, what to do about it and the tests that do not run without it. */
async function leftOut() {
  const missing = [];
  if (chromium === undefined) {
    missing.push({
      what: 'No Chromium on this machine: the tests in the browser cannot run.',
      remedy: 'Install it (Debian: apt-get install chromium), or name its binary in CHROMIUM.',
      tests: testFiles((file) => inPages(file) || looksAtPages(file)),
    });
  }
  if (!(await hasWebGpuInNode())) {
    process.env.EVENKEEL_WITHOUT = 'webgpu';
    missing.push({
      what: 'No WebGPU adapter in Node: the tests that use the webgpu backend cannot run; those on all backends run on the others.',
      remedy: "Install a Vulkan driver, or the software one that comes with Debian's chromium, and name it in VK_DRIVER_FILES.",
      tests: testsOnWebGpu(),
    });
  }
  return missing;
}

/** Says which tests cannot run here, and why; returns their files. On CI that is a failure. */
export async function tellLeftOut() {
  const missing = await leftOut();
  for (const { what, remedy, tests } of missing) {
    console.log(`\n!!! ${what}\n    ${remedy}\n    Left out: ${tests.length === 0 ? 'no test' : tests.join('\n              ')}`);
  }
  if (ci && missing.length > 0) throw new Failure('CI is set, and there a test that cannot run is a failure.');
  return missing.flatMap(({ tests }) => tests);
}
