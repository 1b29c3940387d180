import type { Results, Verdict } from './define.ts';

/** A figure for people. */
export function brief(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'none' : 'never';
  return Number.isInteger(value) ? String(value) : value.toPrecision(4);
}

export interface MarginOptions {
  /** How far apart the means must be at least. Default 0: not equal. */
  readonly by?: number;
  /** The lower mean must be at most so many times the other one. */
  readonly ratio?: number;
  /** Whether each seed must show it, too. */
  readonly each?: boolean;
}

const holds = { '<': (a: number, b: number) => a < b, '>': (a: number, b: number) => a > b };

/**
 * The rule that one arm's mean is below (or above) another's, by a margin if wanted.
 *
 * @example
 * margin(results, 'perplexity', 'power-norm', '<', 'layer-norm', { by: 2 });
 */
export function margin(
  results: Results,
  figure: string,
  arm: string,
  relation: '<' | '>',
  other: string,
  { by = 0, ratio, each = false }: MarginOptions = {},
): Verdict {
  const [a, b] = [results.mean(arm, figure), results.mean(other, figure)];
  const [low, high] = relation === '<' ? [a, b] : [b, a];
  const seeds = results.values(arm, figure).map((value, i) => holds[relation](value, results.values(other, figure)[i]!));
  const conditions = [
    ...(by === 0 ? [] : [`by at least ${by}`]),
    ...(ratio === undefined ? [] : [`the lower at most ${ratio} of the higher`]),
    ...(each ? ['with every seed'] : []),
  ];
  const held =
    holds[relation](a, b) &&
    high - low >= by &&
    (ratio === undefined || low <= ratio * high) &&
    (!each || (seeds.length > 0 && seeds.every(Boolean)));
  return {
    rule: [`${figure}: ${arm} ${relation} ${other}`, ...conditions].join(', '),
    held,
    found: `${brief(a)} against ${brief(b)}${each ? `; ${seeds.filter(Boolean).length} of ${seeds.length} seeds` : ''}`,
  };
}

/** The rule that one arm's mean is at most `by` above another's: it need not win. */
export function noWorse(results: Results, figure: string, arm: string, other: string, by: number): Verdict {
  const [a, b] = [results.mean(arm, figure), results.mean(other, figure)];
  return { rule: `${figure}: ${arm} at most ${by} above ${other}`, held: a <= b + by, found: `${brief(a)} against ${brief(b)}` };
}
