import { backends } from '../../../tools/test-backends.ts';
import { fileURLToPath } from 'node:url';
import { backend } from '@evenkeel/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { readOracles } from '../../../tools/oracles/read.ts';
import { line } from '../../../tools/oracles/report.ts';
import { runCases, type CaseResult } from '../../../tools/oracles/run.ts';
import { adapters } from '../test/oracles.ts';

const { cases } = readOracles(fileURLToPath(new URL('../test/data/oracles/layer-norm.json', import.meta.url)));

describe.each(backends)('the oracles of layer-norm.json on %s', (name) => {
  beforeAll(() => backend(name));

  test.each(cases)('$name', async (oracle) => {
    const results: CaseResult[] = [];
    await runCases(
      [oracle],
      adapters,
      [name],
      () => Promise.resolve(),
      (result) => results.push(result),
    );
    expect(results.map(line).join('\n')).toMatch(/^passed/);
    expect(results).toHaveLength(1);
  });
});
