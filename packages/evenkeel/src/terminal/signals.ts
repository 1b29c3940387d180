import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Turns Ctrl-C and `kill` into an abort, so that work can clean up behind itself. A second signal ends the process at once.
 *
 * @returns the abort signal, the exit code once a signal came (128 and its number, as shells have it), and `stop`, which lets signals
 * have their usual effect again
 */
export function abortOnSignals(): { signal: AbortSignal; exitCode: () => number | undefined; stop: () => void } {
  const controller = new AbortController();
  let code: number | undefined;
  function onSignal(signal: (typeof SIGNALS)[number]): void {
    const again = code !== undefined;
    code = 128 + constants.signals[signal];
    if (again) process.exit(code);
    controller.abort(signal);
  }
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    signal: controller.signal,
    exitCode: () => code,
    stop: () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}
