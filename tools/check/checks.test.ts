import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle, checkContents, checkTreeShaking, ownSize, staticImports } from './bundles.mjs';
import { promises, runExamples } from './examples.mjs';
import { checkLoads } from './imports.mjs';
import { checkSizes } from './sizes.mjs';

/** An installed package with one defect of each kind, and its good neighbours. */
const files: Record<string, string> = {
  'node_modules/good/package.json':
    '{ "name": "good", "type": "module", "sideEffects": ["./register.js"], "exports": { ".": "./index.js", "./*": "./*.js" } }',
  'node_modules/good/index.js': "export const one = () => 'the first'; export const other = () => 'the second';",
  'node_modules/good/register.js': 'globalThis.goodIsHere = true;',
  'node_modules/good/peer.js': "import { peer } from 'peer'; export const later = () => import('optional'); export const now = peer;",
  'node_modules/peer/package.json': '{ "name": "peer", "type": "module", "exports": "./index.js" }',
  'node_modules/peer/index.js': "export const peer = 'a long text that belongs to the peer and not to the package';",
  'node_modules/optional/package.json': '{ "name": "optional", "type": "module", "exports": "./index.js" }',
  'node_modules/optional/index.js': 'export const optional = 1;',
  'node_modules/bad/package.json': '{ "name": "bad", "type": "module", "exports": { "./*": "./*.js" } }',
  'node_modules/bad/effect.js': 'globalThis.planted = 1; export const effect = 1;',
  'node_modules/bad/loud.js': "console.error('look at me'); export const loud = 1;",
  'node_modules/bad/waits.js': 'export const waits = await Promise.resolve(1);',
  'node_modules/bad/broken.js': "export * from 'nowhere';",
  'node_modules/bad/node.js': "export { readFileSync } from 'node:fs';",
  'node_modules/bad/register.js': 'export const nothing = 1;',
  'right.md': "```js\nimport { one } from 'good';\nconsole.log(one()); // the first\n```\n",
  'wrong.md': "```js\nimport { one } from 'good';\nconsole.log(one()); // the second\n```\n",
  'broken.md': "```js\nimport 'nowhere';\n```\n",
};

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-fixture-'));
  mkdirSync(join(folder, 'node_modules'));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(folder, file, '..'), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
});

afterAll(() => rmSync(folder, { recursive: true }));

describe.each(['import', 'require'] as const)('loading by %s', (how) => {
  it('passes a package that does nothing but where it registers', async () => {
    await expect(checkLoads(folder, ['good', 'good/peer', 'good/register'], { peers: ['peer'], how })).resolves.toBeUndefined();
  });

  it.each([
    ['effect', 'has side effects: globalThis.planted'],
    ['loud', 'look at me'],
    ['broken', 'nowhere'],
    ['register', 'registers nothing'],
  ])('refuses bad/%s', async (entry, why) => {
    await expect(checkLoads(folder, [`bad/${entry}`], { peers: [], how })).rejects.toThrow(why);
  });
});

it('refuses to require a module with top-level await', async () => {
  await expect(checkLoads(folder, ['bad/waits'], { peers: [], how: 'import' })).resolves.toBeUndefined();
  await expect(checkLoads(folder, ['bad/waits'], { peers: [], how: 'require' })).rejects.toThrow('ERR_REQUIRE_ASYNC_MODULE');
});

describe('bundles', () => {
  it('know what is in them', async () => {
    const code = "export { one } from 'good'";
    await expect(checkContents(folder, { code, present: ['the first'], absent: ['the second'] }, [])).resolves.toBeUndefined();
    await expect(checkContents(folder, { code, absent: ['the first'] }, [])).rejects.toThrow("'the first' is in it");
    await expect(checkContents(folder, { code, present: ['the third'] }, [])).rejects.toThrow('says nothing');
  });

  it('lose what nobody uses, unless it has side effects', async () => {
    await expect(checkTreeShaking(folder, 'good', [])).resolves.toBeUndefined();
    await expect(checkTreeShaking(folder, 'bad/effect', [])).rejects.toThrow('leaves');
  });

  it('are measured without what is outside', async () => {
    expect(await ownSize(folder, 'good/peer', ['peer', 'optional'])).toBeLessThan(await ownSize(folder, 'good/peer', []));
  });

  it('tell what is imported at once from what is imported when it is wanted', async () => {
    expect(await staticImports(folder, 'good/peer', ['peer', 'optional'])).toEqual(['peer']);
  });

  it.each(['broken', 'node'])('refuse bad/%s in a browser', async (entry) => {
    await expect(bundle(folder, `export * from 'bad/${entry}'`)).rejects.toThrow('cannot be bundled');
  });
});

describe('sizes', () => {
  it('may be as large as their ceilings', () => {
    expect(() => checkSizes({ a: 100, b: 1 }, { a: 100, b: 2 })).not.toThrow();
  });

  it.each([
    ['above its ceiling', { a: 101 }, { a: 100 }, 'without one: a.'],
    ['without a ceiling', { a: 1, b: 1 }, { a: 100 }, 'without one: b.'],
    ['that is gone', {}, { a: 100 }, 'No longer there: a.'],
  ])('name an entry point %s', (_, measured, ceilings, why) => {
    expect(() => checkSizes(measured as Record<string, number>, ceilings)).toThrow(why);
  });
});

describe('examples', () => {
  const options = { executablePath: undefined, webgpu: false };

  it('say what they print', () => {
    expect(promises('console.log(a); // 1\nf(); // not printed\nbody.textContent = x; // y')).toEqual(['1', 'y']);
  });

  it('pass where they print it', async () => {
    await expect(runExamples([join(folder, 'right.md')], folder, options)).resolves.toBe('1 programs, 0 pages');
  });

  it.each(['wrong', 'broken'])('fail where %s', async (name) => {
    await expect(runExamples([join(folder, `${name}.md`)], folder, options)).rejects.toThrow(`${name}.md`);
  });
});
