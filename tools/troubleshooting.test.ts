import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

test('the guide has an entry for every error code, in order', () => {
  const union = /export type ErrorCode =([^;]*);/.exec(readFileSync(join(root, 'packages/core/src/errors.ts'), 'utf8'))![1]!;
  const codes = [...union.matchAll(/'(\w+)'/g)].map(([, code]) => code);
  const guide = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8');
  const entries = [...guide.matchAll(/^## (\w+)$/gm)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(10);
  expect(entries).toEqual(codes);
});
