import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { region, withRegions } from './guide.mjs';

const guide = join(import.meta.dirname, '../docs/guide');

test.each([
  ['write-a-plugin', 8],
  ['what-checks-find', 38],
])('all code of the page %s is that of tested files, as it is now', (name, least) => {
  const page = readFileSync(join(guide, `${name}.md`), 'utf8');
  const { text, count } = withRegions(page);
  expect(count).toBe(page.match(/^```(ts|text)$/gm)?.length);
  expect(count).toBeGreaterThanOrEqual(least);
  expect(text).toBe(page);
});

test('a region is what stands between its marks, moved to the left', () => {
  const code = '  // #region a\n  one\n\n    two\n  // #endregion a\n';
  expect(region(code, 'a')).toBe('one\n\n  two');
  expect(() => region(code, 'b')).toThrow("no region 'b'");
});
