import type { CaseResult } from './measure.ts';

export interface Target {
  readonly what: string;
  readonly held: boolean;
  readonly found: string;
}

/** What is to be reached on wasm: by our Adam 4 times tfjs' and 1.5 times its bound, by AdamP 2.5 times tfjs' Adam. */
export function targets(cases: readonly CaseResult[]): Target[] {
  return cases
    .filter(({ backend }) => backend === 'wasm')
    .flatMap(({ parameters, arms }) => {
      const of = (name: string): { timesTfjs?: number; timesBound?: number } => arms.find(({ arm }) => arm === name) ?? {};
      const times = (name: string, least: number): Target => {
        const found = of(name).timesTfjs ?? Number.NaN;
        return {
          what: `${parameters} parameters: ${name} ${least} times as fast as tfjs' Adam`,
          held: found >= least,
          found: found.toFixed(2),
        };
      };
      const bound = of('Adam').timesBound ?? Number.NaN;
      return [
        times('Adam', 4),
        { what: `${parameters} parameters: Adam within 1.5 times of the time of its bytes`, held: bound <= 1.5, found: bound.toFixed(2) },
        times('AdamP', 2.5),
      ];
    });
}
