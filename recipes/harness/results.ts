import type { Figures, Results } from './define.ts';

/** One run that came to its end, or failed. */
export interface RunRecord {
  readonly arm: string;
  readonly seed: number;
  readonly figures: Figures | undefined;
  /** Why there are no figures. */
  readonly error: string | undefined;
  readonly seconds: number;
  /** Of the processor: by the clock it takes longer where the machine is shared. */
  readonly cpuSeconds: number;
}

export interface Summary {
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  /** Over seeds, with n - 1; 0 for a single one. */
  readonly standardDeviation: number;
}

export function summarize(values: readonly number[]): Summary {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    mean,
    min: Math.min(...values),
    max: Math.max(...values),
    standardDeviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0,
  };
}

/** The results of runs; of arms and seeds that were not run, or failed, NaN. */
export function resultsOf(seeds: readonly number[], runs: readonly RunRecord[]): Results {
  const values = (arm: string, figure: string): number[] =>
    seeds.map((seed) => runs.find((run) => run.arm === arm && run.seed === seed)?.figures?.[figure] ?? Number.NaN);
  return { seeds, values, mean: (arm, figure) => summarize(values(arm, figure)).mean };
}

/** Names of the figures that an arm has. */
export function figuresOf(arm: string, runs: readonly RunRecord[]): string[] {
  return [...new Set(runs.filter((run) => run.arm === arm).flatMap(({ figures = {} }) => Object.keys(figures)))];
}
