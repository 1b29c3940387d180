import type { WriteStream } from 'node:tty';
import type { ProgressEvent } from '@evenkeel/core';
import { WIDTH } from './text.ts';

/** Off a terminal, a line this often: enough to see that it goes on. */
const LINE_EVERY_MS = 5000;

/** On a terminal, the bar is drawn anew this often at most. */
const DRAW_EVERY_MS = 50;

type Step = Extract<ProgressEvent, { status: 'progress' }>;

function metricsOf({ metrics = {} }: Step): string {
  return Object.entries(metrics)
    .map(([name, value]) => `  ${name} ${value.toFixed(4)}`)
    .join('');
}

function remaining({ loaded, total }: Step, elapsed: number): string {
  if (loaded === 0 || loaded === total) return '';
  const seconds = Math.ceil(((elapsed / loaded) * (total - loaded)) / 1000);
  return `  ${seconds} s left`;
}

function bar(event: Step, elapsed: number, columns: number): string {
  const told = `${event.loaded}/${event.total}${metricsOf(event)}${remaining(event, elapsed)}`;
  const cells = Math.min(24, columns - event.name.length - told.length - 8);
  if (cells < 4) return `  ${event.name} ${told}`.slice(0, columns - 1);
  const filled = Math.round((cells * event.loaded) / event.total);
  return `  ${event.name} [${'='.repeat(filled)}${' '.repeat(cells - filled)}] ${told}`;
}

/**
 * Shows progress events: as a bar that is drawn over itself on a terminal, as a line every few seconds elsewhere.
 *
 * @returns `show` for `onProgress`, and `clear`, which wipes an unfinished bar so that other output can follow
 */
export function progressOn(stream: WriteStream): { show: (event: ProgressEvent) => void; clear: () => void } {
  let begun = performance.now();
  let shown = -Infinity;
  let drawn = false;

  function clear(): void {
    if (drawn) stream.write('\r\u001b[K');
    drawn = false;
  }

  function show(event: ProgressEvent): void {
    const now = performance.now();
    if (event.status === 'initiate') [begun, shown] = [now, -Infinity];
    if (event.status === 'done') clear();
    if (event.status !== 'progress') return;
    const last = event.loaded === event.total;
    if (now - shown < (stream.isTTY ? DRAW_EVERY_MS : LINE_EVERY_MS) && !last) return;
    shown = now;
    if (stream.isTTY) {
      stream.write(`\r${bar(event, now - begun, stream.columns ?? WIDTH)}\u001b[K`);
      drawn = true;
    } else stream.write(`  ${event.name} ${event.loaded}/${event.total}${metricsOf(event)}${remaining(event, now - begun)}\n`);
  }

  return { show, clear };
}
