/** What ran on the GPU. */
export interface Counters {
  /** Dispatches, ours and tfjs' own. */
  readonly dispatches: number;
  /** Size of all buffers that were bound for reading, once for each dispatch. */
  readonly bytesRead: number;
  /** Size of all buffers that were bound for writing. */
  readonly bytesWritten: number;
}

const totals = { dispatches: 0, bytesRead: 0, bytesWritten: 0 };

/** Adds one dispatch. */
export function count(bytesRead: number, bytesWritten: number): void {
  totals.dispatches++;
  totals.bytesRead += bytesRead;
  totals.bytesWritten += bytesWritten;
}

/**
 * Dispatches and bytes since the start or the last {@link resetCounters}: what a kernel costs, on whatever GPU it runs.
 * tfjs' own ops count as well from when the backend was started by `backend('webgpu')`, or has run its first kernel.
 *
 * @example
 * resetCounters();
 * layerNorm(x, gamma, beta);
 * counters(); // { dispatches: 1, bytesRead: ..., bytesWritten: ... }
 */
export function counters(): Counters {
  return { ...totals };
}

/** Sets all counters to 0. */
export function resetCounters(): void {
  totals.dispatches = totals.bytesRead = totals.bytesWritten = 0;
}
