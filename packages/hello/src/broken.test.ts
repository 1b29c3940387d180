import '../test/backends.ts';
import { checkPlugin } from '@evenkeel/core/testing';
import { expect, test } from 'vitest';
import { broken } from '../test/broken.ts';
import { checks } from './checks.ts';

const { HelloNorm: cases } = checks.cases;

test.each(Object.entries(broken))('%s is found', async (_, [check, plugin]) => {
  const made = plugin();
  const report = await checkPlugin(made, {
    cases: { [made.ops![0]!.id]: cases! },
    backends: ['cpu', 'wasm'],
    failures: 'return',
    print: false,
  });
  expect(report.failures.map((failure) => failure.check)).toContain(check);
});
