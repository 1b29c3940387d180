import { backends } from '../../../tools/test-backends.ts';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { backend } from '@evenkeel/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { readOracles } from '../../../tools/oracles/read.ts';
import { line } from '../../../tools/oracles/report.ts';
import { runCases, type CaseResult } from '../../../tools/oracles/run.ts';
import { adapters } from '../test/oracles.ts';

const folder = fileURLToPath(new URL('../test/data/oracles', import.meta.url));
const cases = readdirSync(folder).flatMap((file) => readOracles(join(folder, file)).cases);

describe.each(backends)('the oracles on %s', (name) => {
  beforeAll(() => backend(name));

  test.each(cases)('$slug: $name', async (oracle) => {
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
