// What a page and its worker tell each other.

export type BackendName = 'cpu' | 'wasm' | 'webgpu';

export interface RunRequest {
  readonly id: number;
  readonly code: string;
  readonly backend: BackendName;
}

/** Which way an op's calls went. */
export interface Served {
  readonly op: string;
  readonly served: 'kernel' | 'reference' | 'empty';
  readonly calls: number;
}

export interface RunResult {
  readonly kind: 'result';
  readonly id: number;
  /** What the example's `main` returned. */
  readonly value: unknown;
  /** What it printed. */
  readonly printed: readonly string[];
  /** Milliseconds of the first run, which compiles, and the median of those after it, where there was time for any. */
  readonly first: number;
  readonly again?: number;
  readonly runs: number;
  readonly backend: string;
  readonly detail: string;
  readonly served: readonly Served[];
}

export interface RunFailure {
  readonly kind: 'failure';
  readonly id: number;
  readonly message: string;
}

export type RunReply = RunResult | RunFailure;
