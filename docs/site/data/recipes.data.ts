// What came of the recipes, from the files that they write.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

interface Summary {
  /** null where a threshold was never reached. */
  readonly mean: number | null;
  readonly values: readonly (number | null)[];
}

interface Report {
  readonly recipe: string;
  readonly paper: { readonly title: string; readonly authors: string; readonly year: number; readonly id: string };
  readonly claim: string;
  readonly measures: string;
  readonly held: boolean;
  readonly verdicts: readonly { readonly rule: string; readonly held: boolean; readonly found: string }[];
  readonly arms: readonly string[];
  readonly seeds: readonly number[];
  readonly figures: Readonly<Record<string, Readonly<Record<string, Summary>>>>;
  readonly backend: string;
  readonly date: string;
}

/** One quantity, measured of some arms. */
export interface Figure {
  readonly name: string;
  readonly rows: readonly ({ readonly arm: string } & Summary)[];
}

export interface Recipe extends Omit<Report, 'figures' | 'arms'> {
  readonly name: string;
  /** Of several arms: to be drawn. */
  readonly compared: readonly Figure[];
  /** Of one arm alone. */
  readonly single: readonly Figure[];
}

function figures({ arms, figures: found, verdicts }: Report): Figure[] {
  const names = [...new Set(arms.flatMap((arm) => Object.keys(found[arm] ?? {})))];
  const judged = (name: string): number => (verdicts.some(({ rule }) => rule.startsWith(`${name}:`)) ? 0 : 1);
  return names
    .sort((a, b) => judged(a) - judged(b))
    .map((name) => ({
      name,
      rows: arms.flatMap((arm) => {
        const summary = found[arm]?.[name];
        return summary === undefined ? [] : [{ arm, mean: summary.mean, values: summary.values }];
      }),
    }));
}

function recipe(file: string): Recipe {
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  const all = figures(report);
  const { recipe: _recipe, paper, claim, measures, held, verdicts, seeds, backend, date } = report;
  return {
    name: basename(file, '.json'),
    recipe: _recipe,
    paper,
    claim,
    measures,
    held,
    verdicts,
    seeds,
    backend,
    date: date.slice(0, 10),
    compared: all.filter(({ rows }) => rows.length > 1),
    single: all.filter(({ rows }) => rows.length === 1),
  };
}

declare const data: readonly Recipe[];
export { data };

export default {
  watch: ['../../../recipes/results/*.json'],
  load: (files: string[]): Recipe[] => files.map(recipe).sort((a, b) => a.name.localeCompare(b.name)),
};
