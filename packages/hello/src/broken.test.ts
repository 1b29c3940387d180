// checkPlugin finds every kind of defect, and says of it what the guide shows. After a change of what it says:
//   EVENKEEL_WRITE=1 npx vitest run --project node packages/hello/src/broken.test.ts && node tools/guide.mjs
import '../test/backends.ts';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tfjsLayers from '@tensorflow/tfjs-layers';
import { unregister, use } from '@evenkeel/core';
import { checkPlugin, formatReport, type CheckName, type CheckReport } from '@evenkeel/core/testing';
import { afterAll, expect, test } from 'vitest';
import { broken } from '../test/broken.ts';
import { checks } from './checks.ts';
import { hello } from './plugin.ts';

const file = join(import.meta.dirname, '../test/reports.txt');
const quiet = { failures: 'return', print: false, tfjsLayers } as const;
const said = new Map<string, string>();

/** Digits depend on the machine. */
const withoutNumbers = (text: string): string => text.replaceAll(/-?\d+(\.\d+)?(e[-+]?\d+)?/g, '#');

/** The first failure of a check, and how many others there are. */
function excerpt(check: CheckName, report: CheckReport): string {
  const { failures } = report;
  const line = formatReport(report)
    .split('\n')
    .find((each) => each.startsWith(`FAILED ${check}`))!;
  const others = [...new Set(failures.map((failure) => failure.check))].map(
    (name) => `${failures.filter((failure) => failure.check === name).length} of '${name}'`,
  );
  return failures.length === 1 ? line : `${line}\n${failures.length} failures: ${others.join(', ')}`;
}

const written = readFileSync(file, 'utf8');
const region = (name: string): string => written.split(`// #region ${name}\n`)[1]?.split(`\n// #endregion ${name}\n`)[0] ?? '';

function compare(name: string, text: string): void {
  said.set(name, text);
  if (process.env['EVENKEEL_WRITE'] === undefined) expect(withoutNumbers(text)).toBe(withoutNumbers(region(name)));
}

test('the plugin as it is', async () => {
  const report = await checkPlugin(hello, { ...checks, ...quiet, backends: ['cpu', 'wasm'] });
  expect(report.failures).toEqual([]);
  compare('healthy', formatReport(report));
});

test.each(Object.keys(broken) as CheckName[])('%s', async (check) => {
  const { plugin, options, beside } = broken[check]();
  if (beside) use(beside);
  const report = await checkPlugin(plugin, { ...options, ...quiet });
  if (beside) unregister(beside);
  expect(report.failures.map((failure) => failure.check)).toContain(check);
  compare(check.replace(' ', '-'), excerpt(check, report));
});

afterAll(() => {
  if (process.env['EVENKEEL_WRITE'] === undefined) return;
  writeFileSync(file, [...said].map(([name, text]) => `// #region ${name}\n${text}\n// #endregion ${name}\n`).join('\n'));
});
