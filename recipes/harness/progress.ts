import type { ProgressEvent } from '@evenkeel/core';

/** The part of a terminal's stream that is used. */
export interface Stream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const REDRAW_MS = 100;
const CELLS = 20;

/** Shows the progress of a recipe: a bar that is drawn over itself on a terminal, else a line after each run. */
export function showProgress(stream: Stream): (event: ProgressEvent) => void {
  const begun = performance.now();
  let runs = { loaded: 0, total: 1 };
  let drawn = -Infinity;
  const draw = (text: string): void => {
    stream.write(`\r${text.slice(0, (stream.columns ?? 80) - 1)}\u001b[K`);
  };
  return (event) => {
    const now = performance.now();
    if (event.status === 'progress_total') runs = event;
    if (event.status === 'done' && !stream.isTTY)
      stream.write(`  ${runs.loaded + 1}/${runs.total} ${event.name}, ${((now - begun) / 1000).toFixed(0)} s\n`);
    if (!stream.isTTY) return;
    if (event.status === 'ready') stream.write('\r\u001b[K');
    if (event.status !== 'progress' || now - drawn < REDRAW_MS) return;
    drawn = now;
    const share = (runs.loaded + event.loaded / event.total) / runs.total;
    const filled = Math.round(CELLS * share);
    const metrics = Object.entries(event.metrics ?? {}).map(([name, value]) => `  ${name} ${value.toPrecision(3)}`);
    const left = share > 0 ? `  ${Math.ceil(((now - begun) / 1000) * (1 / share - 1))} s left` : '';
    draw(`  [${'='.repeat(filled)}${' '.repeat(CELLS - filled)}] ${runs.loaded + 1}/${runs.total} ${event.name}${metrics.join('')}${left}`);
  };
}
