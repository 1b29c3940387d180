import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { region, withRegions } from './guide.mjs';

test('the guide to plugins shows the code of the tested plugin, as it is now', () => {
  const page = readFileSync(join(import.meta.dirname, '../docs/guide/write-a-plugin.md'), 'utf8');
  const { text, count } = withRegions(page);
  expect(count).toBe(page.split('```ts').length - 1);
  expect(count).toBeGreaterThan(7);
  expect(text).toBe(page);
});

test('a region is what stands between its marks, moved to the left', () => {
  const code = '  // #region a\n  one\n\n    two\n  // #endregion a\n';
  expect(region(code, 'a')).toBe('one\n\n  two');
  expect(() => region(code, 'b')).toThrow("no region 'b'");
});
