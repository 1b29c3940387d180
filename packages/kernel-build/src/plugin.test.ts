import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown, watch } from 'rolldown';
import { build, createServer } from 'vite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { doubling, testPackage, type TestPackage } from '../test/package.ts';
import { kernels } from './plugin.ts';

const application = "import binary from './double.wasm.ts';\nimport text from './deep/double.wgsl';\nexport { binary, text };\n";

let one: TestPackage;
beforeEach(() => (one = testPackage({ ...doubling, 'src/main.ts': application })));
afterEach(() => one.remove());

interface Built {
  binary: string;
  text: string;
}

/** The start of every WASM binary, in base64. */
const MAGIC = /^AGFzbQ/;

test('vite builds kernels before it looks for them, and takes .wgsl files for their text', async () => {
  const input = join(one.folder, 'src/main.ts');
  await build({
    root: one.folder,
    configFile: false,
    logLevel: 'error',
    plugins: [kernels({ folder: one.folder })],
    build: { outDir: 'out', lib: { entry: input, formats: ['es'], fileName: () => 'main.mjs' } },
  });
  const { binary, text } = (await import(pathToFileURL(join(one.folder, 'out/main.mjs')).href)) as Built;
  expect(binary).toMatch(MAGIC);
  expect(text).toBe(doubling['src/deep/double.wgsl']);
});

test("vite's server hands out kernels", async () => {
  const server = await createServer({
    root: one.folder,
    configFile: false,
    logLevel: 'error',
    server: { middlewareMode: true, ws: false },
    plugins: [kernels({ folder: one.folder })],
  });
  try {
    const { binary, text } = (await server.ssrLoadModule('/src/main.ts')) as Built;
    expect(binary).toMatch(MAGIC);
    expect(text).toBe(doubling['src/deep/double.wgsl']);
  } finally {
    await server.close();
  }
});

test('rolldown builds kernels, and says what is wrong with one', async () => {
  const bundle = await rolldown({ input: join(one.folder, 'src/main.ts'), plugins: [kernels({ folder: one.folder })] });
  const { output } = await bundle.generate({ format: 'esm' });
  expect(output[0].code).toMatch(/'?AGFzbQ/);

  one.write('src/double.as.ts', 'export function forward(): void {\n  nowhere();\n}\n');
  const broken = await rolldown({ input: join(one.folder, 'src/main.ts'), plugins: [kernels({ folder: one.folder })] });
  await expect(broken.generate({ format: 'esm' })).rejects.toThrow("Cannot find name 'nowhere'");
});

test('a watching bundler builds again when what a kernel imports changes', async () => {
  const watcher = watch({
    input: join(one.folder, 'src/main.ts'),
    plugins: [kernels({ folder: one.folder })],
    output: { file: join(one.folder, 'out/main.mjs') },
  });
  const rounds: string[] = [];
  const settled = new Promise<void>((resolve, reject) => {
    watcher.on('event', (event) => {
      if (event.code === 'ERROR') reject(event.error);
      if (event.code !== 'BUNDLE_END') return;
      void event.result.close();
      const now = one.read('src/double.wasm.ts');
      if (rounds.at(-1) !== now) rounds.push(now);
      if (rounds.length === 1) one.write('src/_step.as.ts', 'export function step(x: f32): f32 {\n  return x * 5;\n}\n');
      else resolve();
    });
  });
  await settled;
  await watcher.close();
  expect(rounds).toHaveLength(2);
});
