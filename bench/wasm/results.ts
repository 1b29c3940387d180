import type { Machine } from '../harness/machine.ts';
import type { Bookkeeping } from './bookkeeping.ts';
import type { Ceiling } from './meter.ts';
import type { Bound } from './rows.ts';

/** What was measured of one arm. Times are milliseconds a call. */
export interface ArmResult {
  readonly arm: string;
  readonly note?: string;
  readonly median: number;
  readonly best: number;
  readonly p90: number;
  readonly samples: number;
  /** This arm's time over that of our plain SIMD kernels: median over rounds of the two samples' quotient. */
  readonly timesEvenkeel?: { readonly ratio: number; readonly p10: number; readonly p90: number; readonly pairs: number };
  readonly gigaflops?: number;
  readonly bestGigaflops?: number;
  readonly gigabytesPerSecond?: number;
}

export interface RowResult {
  readonly group: string;
  readonly name: string;
  readonly bound: Bound;
  readonly flops: number;
  readonly bytes: number;
  readonly arms: readonly ArmResult[];
  readonly leftOut: readonly { readonly arm: string; readonly reason: string }[];
  /** Of a training step on our plain kernels. */
  readonly bookkeeping?: Bookkeeping;
}

export interface Report {
  readonly bench: 'wasm';
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  /** GFLOP/s of multiply-adds in registers: plain SIMD128, and fused. */
  readonly ceilings: { readonly plain: Ceiling; readonly fma: Ceiling };
  /** GB/s of a copy that does not fit the caches, read and written bytes counted. */
  readonly copy: number;
  readonly options: Readonly<Record<string, number>>;
  readonly rows: readonly RowResult[];
  /** Training steps in a cross-origin isolated page. */
  readonly chromium?: Chromium;
  /** The same steps in PyTorch, timed by hand. */
  readonly pytorch?: PyTorch;
}

export interface Chromium {
  readonly version: string;
  readonly rows: readonly RowResult[];
}

/** What pytorch.py prints. */
export interface PyTorch {
  readonly torch: string;
  readonly python: string;
  readonly threads: number;
  /** Milliseconds, by the first word of a step's name. */
  readonly steps: Readonly<Record<string, { readonly median: number; readonly best: number }>>;
}
