// The site as it is built, in Chromium: links, policy, every example on wasm and webgpu, axe's rules, the guide's worker.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, posix, relative, sep } from 'node:path';
import { chromium as playwright, type Browser, type Page } from 'playwright';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromium, chromiumArguments } from './chromium.mjs';
import { serve } from './serve.mjs';

const docs = join(import.meta.dirname, '../docs');
const site = join(docs, 'dist');
const axe = readFileSync(createRequire(join(docs, 'package.json')).resolve('axe-core/axe.min.js'), 'utf8');

const pages = readdirSync(site, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.html'))
  .map((file) => file.replaceAll(sep, '/'));
const text = (page: string): string => readFileSync(join(site, page), 'utf8');

/** The page that an example stands on. */
const pageOf = new Map(
  pages.flatMap((page) => [...text(page).matchAll(/data-example="([^"]+)"/g)].map(([, name]) => [name!, page] as const)),
);
const examples = readdirSync(join(docs, 'examples'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

let browser: Browser;
let server: Awaited<ReturnType<typeof serve>>;

beforeAll(async () => {
  server = await serve(site);
  browser = await playwright.launch({ executablePath: chromium!, args: chromiumArguments });
});
afterAll(async () => {
  await browser.close();
  server.stop();
});

/** Opens a page; `trouble` collects what goes wrong on it. */
async function open(path: string, options: Parameters<Browser['newPage']>[0] = {}): Promise<{ page: Page; trouble: string[] }> {
  const page = await browser.newPage({ serviceWorkers: 'block', ...options });
  const trouble: string[] = [];
  page.on('pageerror', (error) => trouble.push(error.message));
  page.on('console', (message) => message.type() === 'error' && trouble.push(message.text()));
  await page.goto(`${server.address}/${path}`, { waitUntil: 'networkidle' });
  return { page, trouble };
}

describe('pages', () => {
  test('link to pages, files and headings that there are', () => {
    const entries = readdirSync(site, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const files = new Set(entries.map(({ parentPath, name }) => relative(site, join(parentPath, name)).replaceAll(sep, '/')));
    const ids = new Map(pages.map((page) => [page, new Set([...text(page).matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id))]));
    const dead = pages.flatMap((page) =>
      [...text(page).matchAll(/<a\s[^>]*href="([^"]*)"/g)]
        .map(([, href]) => href!.replaceAll('&amp;', '&'))
        .filter((href) => !/^[a-z]+:/.test(href))
        .filter((href) => {
          const [path = '', hash = ''] = href.split('#');
          const place = path === '' ? page : posix.join(path.startsWith('/') ? '' : posix.dirname(page), path.replace(/^\//, ''));
          const file = [place, posix.join(place, 'index.html'), `${place}.html`].find((each) => files.has(each));
          return file === undefined || (hash !== '' && !ids.get(file)?.has(decodeURIComponent(hash)));
        })
        .map((href) => `${page}: ${href}`),
    );
    expect(dead).toEqual([]);
  });

  test('have a policy that allows no text to be evaluated', () => {
    expect(pages.length).toBeGreaterThan(20);
    for (const page of pages) {
      const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(text(page))?.[1];
      expect(policy, page).toContain("script-src 'self' 'wasm-unsafe-eval'");
      expect(policy, page).not.toContain("'unsafe-eval'");
    }
  });

  test('have the API beside them, and methods lead to it', async () => {
    expect(text('norms/layer-norm.html')).toContain('href="/api/functions/_evenkeel_norms.index.layerNorm.html"');
    const { page, trouble } = await open('norms/layer-norm.html');
    await page.getByRole('link', { name: 'layerNorm', exact: true }).last().click();
    await page.getByRole('heading', { name: 'Function layerNorm' }).waitFor();
    await page.getByRole('link', { name: 'Guide and examples' }).first().click();
    await page.getByRole('link', { name: 'First result in five minutes' }).first().waitFor();
    expect(trouble).toEqual([]);
    await page.close();
  });

  test('are what the documents are: a page for each norm', () => {
    for (const file of readdirSync(join(docs, 'norms'))) expect(pages).toContain(`norms/${file.replace('.md', '.html')}`);
  });
});

/** Runs the example that stands on a page, and waits for what comes out. */
async function runExample(page: Page, name: string, backend: string): Promise<string> {
  const example = page.locator(`[data-example="${name}"]`);
  await example.getByLabel(backend, { exact: true }).check();
  await example.getByRole('button', { name: 'Run' }).click();
  const outcome = example.locator('.outcome');
  await outcome.and(page.locator('[data-state="result"], [data-state="failure"]')).waitFor({ timeout: 60_000 });
  return outcome.innerText();
}

describe('examples', () => {
  test('each stands on one page', () => {
    expect([...pageOf.keys()].sort()).toEqual(examples.sort());
  });

  test.each([...pageOf])('%s runs on wasm and webgpu', async (name, path) => {
    const { page, trouble } = await open(path);
    for (const backend of ['wasm', 'webgpu']) {
      const printed = await runExample(page, name, backend);
      expect(printed).toContain(`${backend}: first run`);
    }
    expect(trouble).toEqual([]);
    await page.close();
  });

  test('can be edited, under the policy of the page', async () => {
    const { page, trouble } = await open(pageOf.get('rms-norm')!);
    const example = page.locator('[data-example="rms-norm"]');
    await example.getByRole('button', { name: 'Edit' }).click();
    const editor = example.getByRole('textbox');
    await editor.fill("export async function main(): Promise<object> { console.log('seen'); return { edited: [1, 2, 3 as number] }; }");
    expect(await runExample(page, 'rms-norm', 'cpu')).toMatch(/cpu: first run[^]*edited[^]*seen/);
    await editor.fill('export function main() { return document.title; }');
    expect(await runExample(page, 'rms-norm', 'cpu')).toContain('ReferenceError: document is not defined');
    await example.getByRole('button', { name: 'As it was' }).click();
    expect(await runExample(page, 'rms-norm', 'cpu')).toContain('first run');
    // Drawn after the result is shown.
    await expect.poll(() => example.locator('.pictures svg').count()).toBe(3);
    expect(trouble).toEqual([]);
    await page.close();
  });

  test('draw numbers with names, too', async () => {
    const { page } = await open(pageOf.get('fold-norm')!);
    await runExample(page, 'fold-norm', 'cpu');
    const bars = page.locator('[data-example="fold-norm"] .pictures svg[aria-label="parameters: before 214, after 198"]');
    await expect.poll(() => bars.count()).toBe(1);
    await page.close();
  });

  test('can be stopped', async () => {
    const { page } = await open(pageOf.get('rms-norm')!);
    const example = page.locator('[data-example="rms-norm"]');
    await example.getByRole('button', { name: 'Edit' }).click();
    await example.getByRole('textbox').fill('export function main() { for (;;); }');
    await example.getByRole('button', { name: 'Run' }).click();
    await example.getByRole('button', { name: 'Stop' }).click();
    await example.getByText('Stopped.').waitFor();
    await page.close();
  });
});

/** The part of a page that trains, paints or measures, in one of these states. */
const inState = (page: Page, ...states: string[]) => page.locator(states.map((state) => `.lab[data-state="${state}"]`).join(', '));

const stepOf = async (page: Page): Promise<number> => Number(await page.locator('.lab progress').getAttribute('value'));

describe('the playground', () => {
  test('trains several norms, and knows held-out and drawn digits', async () => {
    const { page, trouble } = await open('try/playground.html');
    await page.getByRole('button', { name: 'Add a run' }).click();
    await page.getByLabel('Run 4').getByLabel('Norm').selectOption('group');
    await page.getByLabel('Run 4').getByLabel('Optimizer').selectOption('momentum');
    await page.getByRole('button', { name: 'Remove run 1' }).click();
    await page.getByLabel('Steps of 64 digits').selectOption('25');
    await page.getByRole('button', { name: 'Start' }).click();
    await inState(page, 'done', 'failed').waitFor({ timeout: 60_000 });
    expect(await page.locator('.lab .status').innerText()).toBe('Done: 25 steps.');
    const rows = await page.locator('.results tbody tr').allInnerTexts();
    expect(rows.map((row) => row.split('\t')[0])).toEqual(['1 · batch, adam 0.003', '2 · layer, sgd 0.1', '3 · group, momentum 0.03']);
    // A tenth would be chance.
    for (const row of rows) expect(Number(/([\d.]+) %/.exec(row)![1])).toBeGreaterThan(40);
    await expect.poll(() => page.locator('.charts svg [stroke^="var(--series"]').count()).toBeGreaterThanOrEqual(6);

    await page.getByRole('button', { name: 'Take a held-out digit' }).click();
    await page.getByText('The digit taken is a 7.').waitFor();
    await expect.poll(() => page.locator('.answers tbody tr').count()).toBe(3);
    await page.getByRole('button', { name: 'Clear' }).click();
    const pad = (await page.locator('.pad').boundingBox())!;
    await page.mouse.move(pad.x + 112, pad.y + 40);
    await page.mouse.down();
    await page.mouse.move(pad.x + 112, pad.y + 180, { steps: 8 });
    await page.mouse.up();
    await page.locator('.answers tbody tr').first().waitFor();
    const ink = await page.locator('.pad').evaluate((pad: HTMLCanvasElement) => pad.getContext('2d')!.getImageData(112, 100, 1, 1).data[0]);
    expect(ink).toBe(255);
    expect(trouble).toEqual([]);
    await page.close();
  });

  test.each(['wasm', 'webgpu'])('stops and goes on, on %s', async (backend) => {
    const { page, trouble } = await open('try/playground.html');
    await page.getByRole('button', { name: 'Remove run 3' }).click();
    await page.getByRole('button', { name: 'Remove run 1' }).click();
    await page.getByLabel('Steps of 64 digits').selectOption('1000');
    await page.getByLabel(backend, { exact: true }).check();
    await page.getByRole('button', { name: 'Start' }).click();
    await expect.poll(() => stepOf(page), { timeout: 60_000 }).toBeGreaterThan(0);
    await page.getByRole('button', { name: 'Stop' }).click();
    await inState(page, 'stopped').waitFor({ timeout: 60_000 });
    const stopped = await stepOf(page);
    expect(stopped).toBeLessThan(1000);
    await page.getByRole('button', { name: 'Resume' }).click();
    await expect.poll(() => stepOf(page), { timeout: 60_000 }).toBeGreaterThan(stopped);
    expect(trouble).toEqual([]);
    await page.close();
  });
});

/** Percent of held-out digits, as the microscope's text says. */
const known = (text: string): number => Number(/(\d+) % of held-out/.exec(text)![1]);

test('the microscope shows a deep network without a norm, and with one', async () => {
  const { page, trouble } = await open('try/microscope.html');
  await page.getByRole('button', { name: 'Start' }).click();
  await inState(page, 'done', 'failed').waitFor({ timeout: 90_000 });
  const [without, withNorm] = await page.locator('.said').allInnerTexts();
  expect(known(withNorm!)).toBeGreaterThan(known(without!) + 20);
  await expect.poll(() => page.locator('.histograms svg rect').count()).toBe(2 * 12 * 40);
  expect(trouble).toEqual([]);
  await page.close();
});

test.each(['wasm', 'webgpu'])('a painted hole is filled in, by plain and by region norm, on %s', async (backend) => {
  const { page, trouble } = await open('try/inpainting.html');
  await page.getByLabel(backend, { exact: true }).check();
  await page.getByRole('button', { name: 'No hole' }).click();
  await page.locator('.painted').click({ position: { x: 96, y: 96 } });
  await inState(page, 'painted', 'failed').waitFor({ timeout: 60_000 });
  const captions = await page.locator('.inpainting figcaption').allInnerTexts();
  for (const caption of captions.slice(1)) expect(Number(/([\d.]+) dB/.exec(caption)![1])).toBeGreaterThan(8);
  // White is what a hole is; filled in, its middle is not.
  const middles = await page
    .locator('.inpainting canvas')
    .evaluateAll((all) =>
      all.map((each) => [...(each as HTMLCanvasElement).getContext('2d')!.getImageData(32, 32, 1, 1).data].slice(0, 3)),
    );
  expect(middles[0]).toEqual([255, 255, 255]);
  expect(middles[1]).not.toEqual(middles[0]);
  expect(middles[2]).not.toEqual(middles[0]);
  expect(trouble).toEqual([]);
  await page.close();
});

test.each(['wasm', 'webgpu'])('a visitor can measure on %s, and cancel', async (backend) => {
  const { page, trouble } = await open('performance/index.html');
  await page.getByLabel(backend, { exact: true }).check();
  await page.getByRole('button', { name: 'Measure here' }).click();
  await page.locator('.lab .results tbody tr').first().waitFor({ timeout: 90_000 });
  const [name, ratio] = (await page.locator('.lab .results tbody tr').first().innerText()).split('\t');
  expect(name).toBe('layer norm [256,768]');
  expect(Number(ratio)).toBeGreaterThan(0);
  if (backend === 'wasm') {
    await inState(page, 'done', 'failed').waitFor({ timeout: 90_000 });
    expect(await page.locator('.lab .results tbody tr').count()).toBe(7);
  } else {
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Cancelled.').waitFor();
  }
  expect(await inState(page, 'failed').count()).toBe(0);
  expect(trouble).toEqual([]);
  await page.close();
});

test('ratios are drawn: a chart for each backend, a row for each kind of case', async () => {
  const { page } = await open('performance/index.html');
  const charts = await page.locator('.ratios .chart svg').evaluateAll((all) => all.map((each) => each.getAttribute('aria-label')));
  expect(charts).toHaveLength(3);
  for (const chart of charts) expect(chart).toMatch(/: .* [\d.e+]+ times/);
  expect(charts[0]).toContain('layerNorm: composed');
  await page.close();
});

describe('axe finds nothing to mend', () => {
  const tried = ['try/playground', 'try/microscope', 'try/inpainting'];
  const main = ['index', 'guide/start', 'guide/which-norm', 'norms/rms-norm', 'evidence', 'performance/index', 'compatibility', ...tried];

  test.each(main.flatMap((path) => (['light', 'dark'] as const).map((scheme) => [path, scheme] as const)))(
    '%s, %s',
    async (path, scheme) => {
      const { page, trouble } = await open(`${path}.html`, { colorScheme: scheme, reducedMotion: 'reduce' });
      // Evaluated by the browser's debugger, which the page's policy does not bind.
      await page.evaluate(axe);
      const found = await page.evaluate(async () => {
        const { violations } = await (
          globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }
        ).axe.run();
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
      });
      expect(found).toEqual([]);
      expect(trouble).toEqual([]);
      await page.close();
    },
  );
});

test('the site works without a network once it has been visited', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${server.address}/norms/rms-norm.html`);
  await page.evaluate(async () => {
    const { active } = await navigator.serviceWorker.ready;
    if (active!.state !== 'activated') await new Promise((resolve) => active!.addEventListener('statechange', resolve, { once: true }));
  });
  await context.setOffline(true);
  await page.goto(`${server.address}/norms/group-norm.html`);
  expect(await runExample(page, 'group-norm', 'wasm')).toContain('wasm: first run');
  await context.close();
});

test("the guide's worker runs as Vite builds it", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-guide-'));
  try {
    await build({
      root: join(docs, 'guide/programs/worker'),
      configFile: false,
      logLevel: 'error',
      build: { outDir: folder, emptyOutDir: true, chunkSizeWarningLimit: 2000 },
      worker: { format: 'es' },
    });
    const guide = await serve(folder);
    const page = await browser.newPage();
    await page.goto(guide.address);
    await page.getByText('wasm: -1,1').waitFor({ timeout: 30_000 });
    await page.close();
    guide.stop();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
