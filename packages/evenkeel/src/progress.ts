import type { ProgressEvent } from '@evenkeel/core';
import cliProgress from 'cli-progress';

/** Off a terminal, a line this often: enough to see that it goes on. */
const LINE_EVERY_MS = 5000;

/** The time left is told by the pace of so many of the last steps. */
const PACE_STEPS = 100;

const CELLS = 20;

type Step = Extract<ProgressEvent, { status: 'progress' }>;

/** What shows progress events on a stream. */
export interface Progress {
  /** For `onProgress`. */
  readonly show: (event: ProgressEvent) => void;
  /**
   * Takes an unfinished bar off the terminal. Call it when the work has ended, however it ended: an unfinished bar also keeps the process
   * alive. Calling it twice is harmless.
   */
  readonly clear: () => void;
}

function metricsOf({ metrics = {} }: Step): string {
  return Object.entries(metrics)
    .map(([name, value]) => `  ${name} ${value.toPrecision(4)}`)
    .join('');
}

/** cli-progress tells the time left in seconds, or in words where it does not know it. */
function timeLeft(seconds: number, options: cliProgress.Options): string {
  return seconds > 0 ? `  ${cliProgress.Format.TimeFormat(seconds, options, 1)} left` : '';
}

/**
 * Shows progress events: as a bar that is drawn over itself, and wiped at the end, on a terminal; as a line every few seconds elsewhere.
 *
 * Without `progress_total`, each name has a bar of its own, from its first `progress` to its `done`. With it there is one bar over the whole,
 * which ends with `ready`; a name's own steps move it on by parts.
 *
 * @param stream - where to; standard error, so that standard output is left to results
 * @example
 * const progress = progressOn();
 * try {
 *   await tour({ onProgress: progress.show });
 * } finally {
 *   progress.clear();
 * }
 */
export function progressOn(stream: NodeJS.WritableStream & { readonly isTTY?: boolean } = process.stderr): Progress {
  const bar = new cliProgress.SingleBar({
    stream,
    format: `${stream.isTTY ? '  [{bar}] ' : '  '}{label}{eta_formatted}{metrics}`,
    formatTime: timeLeft,
    etaBuffer: PACE_STEPS,
    barsize: CELLS,
    barIncompleteChar: ' ',
    clearOnComplete: true,
    // Cut what is too long, rather than set a mode of the terminal that a killed process would leave behind.
    linewrap: true,
    noTTYOutput: true,
    notTTYSchedule: LINE_EVERY_MS,
  });
  let whole: { readonly loaded: number; readonly total: number } | undefined;

  function clear(): void {
    bar.stop();
    process.off('exit', clear);
  }

  function step(event: Step): void {
    const { name, loaded, total } = event;
    const told = { label: `${name} ${loaded}/${total}`, metrics: metricsOf(event) };
    let [value, end] = [loaded, total];
    if (whole !== undefined) {
      told.label = `${whole.loaded + 1}/${whole.total} ${told.label}`;
      [value, end] = [whole.loaded + loaded / total, whole.total];
    }
    if (bar.isActive) bar.update(value, told);
    else if (value < end) {
      bar.start(end, value, told);
      // Where the process ends early, as at a second Ctrl-C.
      process.on('exit', clear);
    }
  }

  function show(event: ProgressEvent): void {
    const { status } = event;
    if (status === 'progress_total') whole = event;
    if (status === 'progress') step(event);
    if (status === 'ready') whole = undefined;
    if (status === 'ready' || ((status === 'initiate' || status === 'done') && whole === undefined)) clear();
  }

  return { show, clear };
}
