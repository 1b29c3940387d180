import { Writable } from 'node:stream';
import type { ProgressEvent } from '@evenkeel/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { progressOn } from './progress.ts';

/** A stream that keeps what is written; a terminal where it has columns. */
class Kept extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  constructor(columns?: number) {
    super({ decodeStrings: false });
    this.columns = columns;
    this.isTTY = columns !== undefined;
  }
  override _write(chunk: string, _: BufferEncoding, done: () => void): void {
    this.text += chunk;
    done();
  }
}

const ESCAPE = String.fromCodePoint(27);

/** What stands on the line where the cursor is, after carriage returns and the escapes that are used. */
function lastLine(text: string): string {
  let line = '';
  let at = 0;
  const parts = new RegExp(`${ESCAPE}(?:[78]|\\[[0-9]*[A-Z])|[^]`, 'g');
  for (const [part] of text.matchAll(parts)) {
    if (part === `${ESCAPE}[1G`) at = 0;
    else if (part === `${ESCAPE}[0K`) line = line.slice(0, at);
    else if (part === `${ESCAPE}[2K`) line = '';
    else if (part === '\n') line = '';
    else if (!part.startsWith(ESCAPE)) {
      line = line.slice(0, at) + part + line.slice(at + 1);
      at++;
    }
  }
  return line.trimEnd();
}

function step(loaded: number, total: number): ProgressEvent {
  return { status: 'progress', name: 'training', loaded, total, metrics: { loss: 1 / loaded } };
}

/** Shows steps by the fake clock. */
function takeSteps(show: (event: ProgressEvent) => void, total: number, msPerStep: number, count = total): void {
  for (let loaded = 1; loaded <= count; loaded++) {
    vi.advanceTimersByTime(msPerStep);
    show(step(loaded, total));
  }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

describe('progress on a terminal', () => {
  it('is one bar that is drawn over itself, and wiped at the end', () => {
    const stream = new Kept(80);
    const { show } = progressOn(stream);
    show({ status: 'initiate', name: 'training' });
    takeSteps(show, 100, 100, 50);
    vi.advanceTimersByTime(100);
    expect(lastLine(stream.text)).toBe('  [==========          ] training 50/100  5s left  loss 0.02000');
    takeSteps(show, 100, 100);
    show({ status: 'done', name: 'training' });
    expect(lastLine(stream.text)).toBe('');
    expect(stream.text).not.toContain('\n');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is never wider than it', () => {
    const stream = new Kept(30);
    takeSteps(progressOn(stream).show, 100, 20);
    expect(lastLine(stream.text)).toHaveLength(30);
  });

  it('shows a whole of several parts as one', () => {
    const stream = new Kept(80);
    const { show } = progressOn(stream);
    for (const loaded of [0, 1]) {
      show({ status: 'progress_total', loaded, total: 4 });
      show({ status: 'initiate', name: 'training' });
      takeSteps(show, 10, 100);
      show({ status: 'done', name: 'training' });
    }
    vi.advanceTimersByTime(100);
    expect(lastLine(stream.text)).toBe('  [==========          ] 2/4 training 10/10  2s left  loss 0.1000');
    show({ status: 'ready' });
    expect(lastLine(stream.text)).toBe('');
  });

  it.each(['clear', 'exit'])('is wiped by %s, and the terminal is as it was', (end) => {
    const stream = new Kept(80);
    const listeners = process.listeners('exit');
    const { show, clear } = progressOn(stream);
    takeSteps(show, 100, 100, 50);
    expect(lastLine(stream.text)).toMatch(/training (49|50)\/100/);
    if (end === 'clear') clear();
    else for (const listener of process.listeners('exit').filter((each) => !listeners.includes(each))) listener(130);
    expect(lastLine(stream.text)).toBe('');
    expect(process.listeners('exit')).toEqual(listeners);
    expect(vi.getTimerCount()).toBe(0);
    const { text } = stream;
    clear();
    expect(stream.text).toBe(text);
  });
});

describe('progress elsewhere', () => {
  it('is a line every few seconds, the first and the last always', () => {
    const stream = new Kept();
    const { show } = progressOn(stream);
    takeSteps(show, 60, 200);
    show({ status: 'done', name: 'training' });
    expect(stream.text.split('\n')).toEqual([
      '  training 1/60  loss 1.000',
      '  training 25/60  7s left  loss 0.04000',
      '  training 50/60  2s left  loss 0.02000',
      '  training 60/60  loss 0.01667',
      '',
    ]);
  });

  it('says nothing of what is complete at once', () => {
    const stream = new Kept();
    const { show } = progressOn(stream);
    show(step(1, 1));
    show({ status: 'done', name: 'training' });
    expect(stream.text).toBe('');
  });
});
