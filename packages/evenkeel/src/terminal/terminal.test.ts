import type { WriteStream } from 'node:tty';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { styleFor } from './colour.ts';
import { progressOn } from './progress.ts';
import { grouped, milliseconds, ratio, table, wrap } from './text.ts';

/** A stream that keeps what is written. */
function fakeStream(columns?: number): WriteStream & { written: string[] } {
  const written: string[] = [];
  const stream = { written, isTTY: columns !== undefined, columns, write: (text: string) => written.push(text), hasColors: () => true };
  return stream as unknown as WriteStream & { written: string[] };
}

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

describe('styleFor', () => {
  it('colours terminals that can, and nothing else', () => {
    expect(styleFor(fakeStream(80)).bold('x')).toBe('\u001b[1mx\u001b[22m');
    expect(styleFor(fakeStream()).bold('x')).toBe('x');
    expect(styleFor(Object.assign(fakeStream(80), { hasColors: () => false })).bold('x')).toBe('x');
  });
});

/** A run of `total` steps, by the fake clock. */
function steps(stream: WriteStream, total: number, msPerStep: number): void {
  const { show } = progressOn(stream);
  show({ status: 'initiate', name: 'training' });
  for (let loaded = 1; loaded <= total; loaded++) {
    vi.advanceTimersByTime(msPerStep);
    show({ status: 'progress', name: 'training', loaded, total, metrics: { loss: 1 / loaded } });
  }
  show({ status: 'done', name: 'training' });
}

describe('progressOn', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('draws one bar over itself on a terminal, never wider than it, and wipes it at the end', () => {
    for (const columns of [30, 80, 200]) {
      const stream = fakeStream(columns);
      steps(stream, 100, 20);
      expect(stream.written.length).toBeLessThan(60);
      expect(stream.written.join('')).not.toContain('\n');
      const widths = stream.written.map((text) => text.replace('\r', '').replace('\u001b[K', '').length);
      expect(Math.max(...widths)).toBeLessThan(columns);
      expect(stream.written.at(-1)).toBe('\r\u001b[K');
    }
  });

  it('writes a line every few seconds elsewhere, the first and the last always', () => {
    const stream = fakeStream();
    steps(stream, 100, 200);
    expect(stream.written).toEqual([
      '  training 1/100  loss 1.0000  20 s left\n',
      '  training 26/100  loss 0.0385  15 s left\n',
      '  training 51/100  loss 0.0196  10 s left\n',
      '  training 76/100  loss 0.0132  5 s left\n',
      '  training 100/100  loss 0.0100\n',
    ]);
  });
});
