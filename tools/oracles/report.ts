import type { CaseResult } from './run.ts';
import { brief } from './read.ts';

/** Text that came from a file, safe to print: no line breaks, no control sequences. */
function plain(text: string): string {
  return /^[\x20-\x7e\u00a0-\uffff]*$/.test(text) ? text : brief(text);
}

const three = (value: number): string => (Number.isFinite(value) ? value.toPrecision(3) : 'infinite');

/** One line a case: how it went, its worst key and error / tolerance. */
export function line({ slug, name, backend, status, worst, problem }: CaseResult): string {
  const what = `${status.padEnd(9)} ${[backend, `${plain(slug)}/${plain(name)}`].filter(Boolean).join(' ')}`;
  if (problem !== undefined) return `${what}: ${plain(problem)}`;
  if (worst === undefined) return what;
  const key = worst.path === '' ? 'all equal' : `worst ${plain(worst.path)}`;
  return `${what}: ${key}, error / tolerance ${three(worst.ratio)}${worst.ratio > 1 ? ` (${plain(worst.detail)})` : ''}`;
}

/** The last line. */
export function total(results: readonly CaseResult[]): string {
  const count = (status: CaseResult['status']): string => `${results.filter((result) => result.status === status).length} ${status}`;
  return `${count('passed')}, ${count('failed')}, ${count('unclaimed')}`;
}
