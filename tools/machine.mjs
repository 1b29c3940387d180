// Which tests this machine cannot run, and what it lacks for them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, swiftShader } from './chromium.mjs';
import { root, run } from './steps.mjs';

/** Asks for a WebGPU adapter as the tests do, in a process of its own: Dawn chooses its driver when it loads. */
const askDawn = `
  import { create } from 'webgpu';
  const adapter = await create([]).requestAdapter();
  process.exit(adapter === null ? 2 : 0);`;

async function hasWebGpuInNode() {
  const env = swiftShader === undefined ? {} : { VK_DRIVER_FILES: process.env.VK_DRIVER_FILES ?? swiftShader };
  const { status } = await run(process.execPath, ['--input-type=module', '-e', askDawn], { env, allowFailure: true });
  return status === 0;
}

function testFiles(matches) {
  const folders = ['packages', 'recipes', 'tools'];
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .map((file) => join(folder, file))
      .filter((file) => !file.includes('node_modules') && file.endsWith('.test.ts') && matches(file))
      .sort(),
  );
}

/** What is missing here: a sentence, what to do about it and the tests that do not run without it. */
export async function leftOut() {
  const missing = [];
  if (chromium === undefined) {
    missing.push({
      what: 'No Chromium on this machine: the tests in the browser cannot run.',
      remedy: 'Install it (Debian: apt-get install chromium), or name its binary in CHROMIUM.',
      tests: testFiles((file) => file.endsWith('.browser.test.ts')),
    });
  }
  if (!(await hasWebGpuInNode())) {
    missing.push({
      what: 'No WebGPU adapter in Node: what these files test on webgpu cannot run.',
      remedy: "Install a Vulkan driver, or the software one that comes with Debian's chromium, and name it in VK_DRIVER_FILES.",
      tests: testFiles((file) => !file.endsWith('.browser.test.ts') && readFileSync(join(root, file), 'utf8').includes('webgpu')),
    });
  }
  return missing;
}
