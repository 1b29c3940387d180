import { isEvenkeelError } from '@evenkeel/core';
import { parseHTML } from 'linkedom';
import { expect, test } from 'vitest';
import { worstCase } from '../../test/samples.ts';
import { LogisticRegression } from './index.ts';
import { plotConvergence } from './plot-convergence.ts';

const { document } = parseHTML('<body>');

async function historyOf(solver: 'gd' | 'normalized-gd') {
  const { x, y } = worstCase(40);
  return (await new LogisticRegression({ solver, fitIntercept: false }).fit(x, y)).problems[0]!.history;
}

test('draws a line a history, with its name at its end', async () => {
  const histories = { 'plain <gd>': await historyOf('gd'), normalized: await historyOf('normalized-gd') };
  const svg = await plotConvergence(histories, { document, width: 500 });
  expect(svg).toMatch(/^<svg[^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  expect(svg).toContain('width="500"');
  const paths = parseHTML(svg).document.querySelectorAll('[aria-label="line"] path');
  expect(paths).toHaveLength(2);
  // Two steps more make two points more: the line of gd, of 13 iterations, is the longer one.
  const [plain, normalized] = [...paths].map((path) => path.getAttribute('d')!.length) as [number, number];
  expect(plain).toBeGreaterThan(2 * normalized);
  expect(svg).toContain('plain &lt;gd&gt;');
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
});

test.each<[string, () => Promise<string>]>([
  ['document', async () => plotConvergence({ gd: await historyOf('gd') })],
  ['histories', () => plotConvergence({}, { document })],
])('refuses to draw without %s', async (argument, draw) => {
  const error: unknown = await draw().catch((error: unknown) => error);
  expect(isEvenkeelError(error, 'INVALID_ARGUMENT') && error.argument).toBe(argument);
});
