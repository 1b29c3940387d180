import { EvenkeelError } from './errors.ts';

/** What anything that runs long tells while it runs. `loaded` and `total` count the same thing: bytes, steps, rows. */
export type ProgressEvent =
  | { readonly status: 'initiate'; readonly name: string }
  | { readonly status: 'download'; readonly name: string }
  | {
      readonly status: 'progress';
      readonly name: string;
      readonly loaded: number;
      readonly total: number;
      readonly metrics?: Readonly<Record<string, number>>;
    }
  | { readonly status: 'progress_total'; readonly loaded: number; readonly total: number }
  | { readonly status: 'done'; readonly name: string }
  | { readonly status: 'ready' };

/** The options of everything that runs long. */
export interface LongRunning {
  /** Ends the work early: the promise rejects with ABORTED, and nothing is left half-written. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** What holds memory until told otherwise. Calling `dispose` twice is harmless. */
export interface Disposable {
  dispose(): void;
}

/** Throws ABORTED if the signal has been given. Long work calls this between its steps. */
export function throwIfAborted(signal: AbortSignal | undefined, op: string): void {
  if (signal?.aborted) throw new EvenkeelError('ABORTED', 'was aborted', { op, cause: signal.reason });
}
