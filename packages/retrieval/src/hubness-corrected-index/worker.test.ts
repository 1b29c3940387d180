import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { expected, scenario } from '../../test/scenario.ts';

test('works in Node', async () => {
  expect(await scenario()).toEqual(expected);
});

test('and in a worker thread', async () => {
  const home = fileURLToPath(new URL('../..', import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [join(home, 'test', 'node-worker.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    conditions: ['@evenkeel/source'],
    external: ['@tensorflow/*'],
  });
  // In the package, from where its dependencies are found.
  const folder = await mkdtemp(join(home, 'node_modules', '.worker-'));
  try {
    const file = join(folder, 'worker.mjs');
    await writeFile(file, outputFiles[0]!.text);
    const worker = new Worker(file);
    const answer = await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    await worker.terminate();
    expect(answer).toEqual(expected);
  } finally {
    await rm(folder, { recursive: true });
  }
});
