import type { WriteStream } from 'node:tty';
import { describe, expect, it } from 'vitest';
import { styleFor } from './colour.ts';
import { grouped, milliseconds, ratio, table, wrap } from './text.ts';

describe('text', () => {
  it('breaks lines at spaces, later lines behind an indent', () => {
    expect(wrap('one two three four', { width: 10, indent: '  ' })).toBe('one two\n  three\n  four');
    expect(wrap('a-word-that-is-too-long b', { width: 10 })).toBe('a-word-that-is-too-long\nb');
  });

  it('aligns columns, numbers to the right', () => {
    expect(
      table(
        [
          ['a', '1'],
          ['bcd', '234'],
        ],
        { right: 1, indent: '' },
      ),
    ).toBe('a       1\nbcd   234');
  });

  it('shows numbers as people read them', () => {
    expect([grouped(1234567), milliseconds(0.0421), milliseconds(3.14), milliseconds(214.2)]).toEqual([
      '1,234,567',
      '0.042 ms',
      '3.1 ms',
      '214 ms',
    ]);
    expect([ratio(1.416), ratio(13.46), ratio(120.4)]).toEqual(['1.42 x', '13.5 x', '120 x']);
  });
});

/** A bold x on a stream that is a terminal, or can show colours. */
function bold(isTTY: boolean, colours: boolean): string {
  return styleFor({ isTTY, hasColors: () => colours } as WriteStream).bold('x');
}

describe('styleFor', () => {
  it('colours terminals that can, and nothing else', () => {
    expect([bold(true, true), bold(true, false), bold(false, true)]).toEqual(['\u001b[1mx\u001b[22m', 'x', 'x']);
  });
});
