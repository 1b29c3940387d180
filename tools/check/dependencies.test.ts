import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkDependencies } from './dependencies.mjs';

/** A small repository whose every file but the last two breaks one rule. */
const files: Record<string, string> = {
  'packages/core/src/index.ts': "import '@evenkeel/norms'; export const core = 1;",
  'packages/norms/src/index.ts': "import '@evenkeel/backend-wasm'; export const norms = 1;",
  'packages/norms/src/path.ts': "export * from '../../core/src/kernel.ts';",
  'packages/norms/src/a.ts': "import { b } from './b.ts'; export const a = () => b;",
  'packages/norms/src/b.ts': "import { a } from './a.ts'; export const b = () => a;",
  'packages/norms/src/nowhere.ts': "export * from './not-there.ts';",
  'packages/norms/src/unlisted.ts': "export * from 'somebody';",
  'packages/norms/src/back.ts': "export * from '../../../tools/tool.ts';",
  'packages/backend-wasm/src/index.ts': "import '@evenkeel/backend-webgpu'; export const wasm = 1;",
  'packages/backend-webgpu/src/index.ts': "import '@evenkeel/evenkeel'; export const webgpu = 1;",
  'packages/lm/src/index.ts': "import '@evenkeel/norms'; import '@evenkeel/vision'; export const lm = 1;",
  'packages/vision/src/index.ts': "import '@evenkeel/core'; export const vision = 1;",
  'packages/evenkeel/src/index.ts': 'export const evenkeel = 1;',
  'packages/core/src/kernel.ts': 'export const kernel = 1;',
  'packages/norms/src/index.test.ts': "import '@evenkeel/backend-wasm'; import '../../../tools/tool.ts';",
  'node_modules/somebody/index.js': 'export const somebody = 1;',
  'node_modules/somebody/package.json': '{ "name": "somebody", "main": "index.js" }',
  'tools/tool.ts': "import '@evenkeel/core'; export const tool = 1;",
};

let base: string;
let report: string;

/** The rules that the report names for a file. */
function broken(file: string): string[] {
  return report
    .split('\n')
    .filter((line) => line.includes(` ${file} `))
    .map((line) => /error ([\w-]+):/.exec(line)![1]!);
}

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'evenkeel-rules-'));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(base, file)), { recursive: true });
    writeFileSync(join(base, file), text);
  }
  mkdirSync(join(base, 'node_modules/@evenkeel'), { recursive: true });
  for (const name of ['core', 'norms', 'backend-wasm', 'backend-webgpu', 'lm', 'vision', 'evenkeel']) {
    const manifest = { name: `@evenkeel/${name}`, exports: { '.': { '@evenkeel/source': './src/index.ts' } } };
    writeFileSync(join(base, 'packages', name, 'package.json'), JSON.stringify(manifest));
    symlinkSync(join(base, 'packages', name), join(base, 'node_modules/@evenkeel', name));
  }
  for (const file of ['tsconfig.json', 'tsconfig.base.json']) cpSync(join(import.meta.dirname, '../..', file), join(base, file));
  report = await checkDependencies(base).then(
    () => '',
    (failure: Error) => failure.message,
  );
});

afterAll(() => rmSync(base, { recursive: true }));

describe('dependency rules', () => {
  it.each([
    ['packages/core/src/index.ts', 'core-one-way'],
    ['packages/lm/src/index.ts', 'lm-one-way'],
    ['packages/norms/src/index.ts', 'only-core'],
    ['packages/backend-wasm/src/index.ts', 'only-core'],
    ['packages/backend-webgpu/src/index.ts', 'only-core'],
    ['packages/norms/src/back.ts', 'no-way-back'],
    ['packages/norms/src/path.ts', 'by-name'],
    ['packages/norms/src/nowhere.ts', 'resolves'],
    ['packages/norms/src/unlisted.ts', 'listed'],
  ])('%s breaks %s', (file, rule) => expect(broken(file)).toContain(rule));

  it('finds cycles', () => expect(report).toMatch(/no-cycles: packages\/norms\/src\/[ab]\.ts/));

  it.each(['packages/vision/src/index.ts', 'packages/norms/src/index.test.ts', 'packages/evenkeel/src/index.ts', 'tools/tool.ts'])(
    '%s is in order',
    (file) => expect(broken(file)).toEqual([]),
  );
});
