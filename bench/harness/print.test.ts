import { expect, test } from 'vitest';
import { progressOn } from './progress.ts';
import { digits, markdown, megabytes, table } from './table.ts';

test('three digits, no exponent, a dash for nothing', () => {
  expect([1234.5, 99.96, 1, 0.01234, undefined, Number.NaN].map(digits)).toEqual(['1235', '100', '1.00', '0.0123', '-', '-']);
  expect([1_234_567, undefined].map(megabytes)).toEqual(['1.23 MB', '-']);
});

test('tables are padded, text to the left, numbers to the right', () => {
  expect(
    table(
      ['arm', 'ms'],
      [
        ['ours', '1'],
        ['a', '100'],
      ],
    ),
  ).toBe('arm    ms\n----  ---\nours    1\na     100');
  expect(markdown(['arm', 'ms'], [['ours', '1']])).toBe('| arm | ms |\n| --- | ---: |\n| ours | 1 |');
});

/** What progress writes to a terminal, or to a file. */
function written(isTTY: boolean): string {
  let text = '';
  const progress = progressOn({ isTTY, write: (chunk: string) => (text += chunk) });
  progress.stage('1 of 2');
  progress.detail('round 3');
  progress.clear();
  return text;
}

test('progress overwrites its line in a terminal and writes a line a stage elsewhere', () => {
  expect(written(false)).toBe('1 of 2\n');
  expect(written(true)).toBe('\r\u001B[K1 of 2\r\u001B[K1 of 2: round 3\r\u001B[K');
});
