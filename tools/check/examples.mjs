// The examples of the READMEs, run as a reader would run them: in a project that installed the packages, in Node, or as a page in Chromium.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright';
import { chromiumArguments } from '../chromium.mjs';
import { serve } from '../serve.mjs';
import { Failure, root, run } from '../steps.mjs';

/** Gives the examples the WebGPU that the tests have. */
const vulkan = pathToFileURL(join(root, 'tools/vulkan.mjs'));
export const preload = `--import=data:text/javascript,import{useSwiftShader}from'${vulkan}';useSwiftShader()`;

/** The code blocks of a README that are whole programs: `js` runs in Node, `html` is a page. */
export function examples(file) {
  return [...readFileSync(file, 'utf8').matchAll(/^```(js|html)\n(.*?)^```$/gms)].map(([, language, code]) => ({ file, language, code }));
}

/** What an example says that it prints: the comments behind its lines that print. */
export function promises(code) {
  return [...code.matchAll(/(?:console\.log|\.textContent = ).*\/\/ (.*)$/gm)].map(([, text]) => text.trim());
}

function compare({ file, code }, printed) {
  const missing = promises(code).filter((text) => !printed.includes(text));
  if (missing.length > 0) throw new Failure(`An example of ${file} does not print ${missing.join(', ')} but:\n${printed}\n${code}`);
}

/** What tfjs says on its cpu backend in Node. */
const greeting = /^=+\nHi, looks like you are running TensorFlow\.js in Node\.js\..*\n=+\n/m;

async function runInNode(example, folder) {
  const program = join(folder, 'example.mjs');
  writeFileSync(program, example.code);
  const { status, stdout, stderr } = await run(process.execPath, [preload, program], { cwd: folder, allowFailure: true });
  if (status !== 0 || stderr.replace(greeting, '').trim() !== '')
    throw new Failure(`An example of ${example.file}: exit code ${status}\n${stderr}\n${example.code}`);
  compare(example, stdout);
}

async function runInChromium(example, folder, browser) {
  writeFileSync(join(folder, 'example.html'), example.code);
  const { address, stop } = await serve(folder);
  const page = await browser.newPage();
  const trouble = [];
  page.on('pageerror', (error) => trouble.push(error.message));
  page.on('requestfailed', (request) => trouble.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on(
    'response',
    (response) =>
      response.status() >= 400 && !response.url().endsWith('favicon.ico') && trouble.push(`${response.url()}: ${response.status()}`),
  );
  try {
    await page.goto(`${address}/example.html`);
    const [wanted = ''] = promises(example.code);
    await page.waitForFunction((text) => document.body.textContent.includes(text), wanted, { timeout: 30_000 }).catch(() => undefined);
    const printed = await page.evaluate(() => document.body.innerText);
    if (trouble.length > 0) throw new Failure(`The page of ${example.file}: ${trouble.join('\n')}\n${example.code}`);
    compare(example, printed);
  } finally {
    await page.close();
    stop();
  }
}

/**
 * Runs the examples of some READMEs in a project; throws a Failure at the first that does not print what it says.
 * executablePath: a Chromium; without one, pages are left out
 * webgpu: whether examples that use the webgpu backend can run
 */
export async function runExamples(files, folder, { executablePath, webgpu }) {
  const all = files.flatMap((file) => examples(file)).filter(({ code }) => webgpu || !code.includes('@evenkeel/backend-webgpu'));
  const programs = all.filter(({ language }) => language === 'js');
  const pages = executablePath === undefined ? [] : all.filter(({ language }) => language === 'html');
  for (const example of programs) await runInNode(example, folder);
  if (pages.length > 0) {
    const browser = await chromium.launch({ executablePath, args: chromiumArguments });
    try {
      for (const page of pages) await runInChromium(page, folder, browser);
    } finally {
      await browser.close();
    }
  }
  return `${programs.length} programs, ${pages.length} pages`;
}
