// Training steps in headless Chromium, in a page that may share memory with workers.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { build } from 'esbuild';
import { chromium as browser } from 'playwright';
import { chromium as executablePath, chromiumArguments } from '../../tools/chromium.mjs';
import type { PageOptions } from './page.ts';
import type { Chromium, RowResult } from './results.ts';

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: ['bench/wasm/page.ts'],
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['@evenkeel/source'],
    logLevel: 'warning',
    external: ['onnxruntime-web', 'onnxruntime-node'],
  });
  return outputFiles[0]!.text;
}

/** The bundle, an empty page and tfjs' .wasm files, with the headers that isolate a page. */
async function startServer(script: string) {
  const files = join(dirname(createRequire(join(process.cwd(), 'bench/package.json')).resolve('@tensorflow/tfjs-backend-wasm')), '.');
  const server = createServer(({ url = '' }, response) => {
    const name = basename(url);
    const isWasm = name.endsWith('.wasm');
    response.writeHead(200, {
      'Content-Type': isWasm ? 'application/wasm' : name.endsWith('.js') ? 'text/javascript' : 'text/html',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    });
    if (isWasm) response.end(readFileSync(join(files, name)));
    else response.end(name.endsWith('.js') ? script : '<!doctype html><title>bench</title><script type="module" src="bench.js"></script>');
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, stop: () => server.close() };
}

/** Measures the training steps in Chromium. */
export async function measureInChromium(rounds: number, budget: number): Promise<Chromium> {
  if (executablePath === undefined) throw new Error('no Chromium here; name one in CHROMIUM');
  const { address, stop } = await startServer(await bundle());
  const running = await browser.launch({ executablePath, args: chromiumArguments });
  try {
    const page = await running.newPage();
    page.on('pageerror', (error) => console.error(error.message));
    await page.goto(address);
    await page.waitForFunction('globalThis.measure !== undefined');
    const options: PageOptions = { paths: address, rounds, budget };
    const rows = await page.evaluate(
      (given) => (globalThis as unknown as { measure(options: PageOptions): Promise<RowResult[]> }).measure(given),
      options,
    );
    return { version: running.version(), rows };
  } finally {
    await running.close();
    stop();
  }
}
