export interface BenchRequest {
  readonly backend: 'wasm' | 'webgpu';
  readonly rounds: number;
}

export interface BenchResult {
  readonly name: string;
  /** Milliseconds a call, median. */
  readonly ours: number;
  readonly theirs: number;
  /** Theirs by ours, of the same round: median, and where the middle 80% lie. */
  readonly ratio: number;
  readonly p10: number;
  readonly p90: number;
}

export type BenchReply =
  | { readonly kind: 'progress'; readonly name: string; readonly done: number; readonly total: number }
  | { readonly kind: 'result'; readonly result: BenchResult }
  | { readonly kind: 'done'; readonly backend: string }
  | { readonly kind: 'failed'; readonly message: string };
