import type { GpuWork } from '../harness/gpu-counter.ts';
import type { Machine } from '../harness/machine.ts';
import type { BackendName, OpName, Pass } from './cases.ts';

/** What was measured of one arm in one case. Times are milliseconds a call. */
export interface ArmResult {
  readonly arm: string;
  readonly note?: string;
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
  readonly min: number;
  /** Processor time of all threads. */
  readonly cpu: number;
  readonly samples: number;
  readonly callsPerSample: number;
  /** This arm's time over ours: median over rounds of the two samples' quotient. */
  readonly timesEvenkeel?: { readonly ratio: number; readonly p10: number; readonly p90: number; readonly pairs: number };
  /** The least bytes the computation must move, over the median. */
  readonly gigabytesPerSecond: number;
  /** That, over the copy's. */
  readonly shareOfCopy: number;
  /** The largest |a - b| / (1 + |b|) of any output against the formulas in double precision. */
  readonly error?: number;
  /** On webgpu, of one call. */
  readonly gpu?: GpuWork;
}

/** An arm that was not timed. */
export interface LeftOut {
  readonly arm: string;
  readonly reason: string;
  /** It should have run and did not, or its results are wrong. */
  readonly failed?: true;
}

export interface CaseResult {
  readonly backend: BackendName;
  readonly op: OpName;
  readonly pass: Pass;
  readonly shape: readonly number[];
  readonly arms: readonly ArmResult[];
  readonly leftOut: readonly LeftOut[];
  /** Ops of ours that ran without a kernel. */
  readonly withoutKernel: readonly string[];
}

export interface Target {
  readonly what: string;
  readonly wanted: string;
  readonly found: string;
  readonly reached: boolean;
}

export interface Report {
  readonly bench: 'norms';
  readonly date: string;
  readonly machine: Machine;
  /** Versions of what was compared. */
  readonly versions: Readonly<Record<string, string>>;
  readonly adapter?: string;
  readonly options: Readonly<Record<string, number | string>>;
  readonly cases: readonly CaseResult[];
  readonly targets: readonly Target[];
}
