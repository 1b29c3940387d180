/** What a run measured, by name. A figure that there is none of (a threshold that was never reached) is Infinity or NaN. */
export type Figures = Readonly<Record<string, number>>;

export interface Paper {
  readonly title: string;
  readonly authors: string;
  readonly year: number;
  /** arXiv id or DOI. */
  readonly id: string;
}

/** One run of one arm. */
export interface RunContext {
  readonly arm: string;
  readonly seed: number;
  /** 1 is the size of the evidence; less makes data and steps fewer, to see whether a recipe works at all. */
  readonly scale: number;
  /** Name of the running backend. */
  readonly backend: string;
  /** Long work looks at it between its steps. */
  readonly signal: AbortSignal | undefined;
  /** Tells how far the run is. */
  progress(loaded: number, total: number, metrics?: Figures): void;
}

/** What came of a rule. */
export interface Verdict {
  /** The rule, the same whatever the results are. */
  readonly rule: string;
  readonly held: boolean;
  /** The numbers that decided. */
  readonly found: string;
}

/** The figures of all runs. What there is no figure of is NaN, of which nothing holds. */
export interface Results {
  readonly seeds: readonly number[];
  /** Seed by seed. */
  values(arm: string, figure: string): readonly number[];
  mean(arm: string, figure: string): number;
}

/**
 * A paper's headline claim in miniature. All of this is fixed before anything runs, and shown: the arms are tuned alike, and none of them
 * is tuned because of what came out.
 */
export interface Recipe {
  readonly name: string;
  readonly paper: Paper;
  /** What the paper claims. */
  readonly claim: string;
  /** What the miniature measures, on which data, how large. */
  readonly measures: string;
  readonly arms: readonly string[];
  readonly seeds: readonly number[];
  /** Whether it measures time, so that nothing else may run meanwhile. */
  readonly timed?: true;
  run(context: RunContext): Promise<Figures>;
  /** The rules by which the claim holds in miniature. Also called before the run, on results that are all NaN, for the rules alone. */
  passes(results: Results): readonly Verdict[];
}

/**
 * Describes a recipe: see {@link Recipe}. Throws where names or seeds are missing or stand twice.
 *
 * @example
 * export default defineRecipe({
 *   name: 'demo',
 *   ...
 *   arms: ['plain', 'normalized'],
 *   seeds: [1, 2, 3],
 *   run: async ({ arm, seed, progress }) => ({ error: await train(arm, seed, progress) }),
 *   passes: (results) => [margin(results, 'error', 'normalized', '<', 'plain')],
 * });
 */
export function defineRecipe(recipe: Recipe): Recipe {
  for (const part of ['arms', 'seeds'] as const) {
    const all: readonly unknown[] = recipe[part];
    if (all.length === 0) throw new Error(`recipe ${recipe.name}: no ${part}`);
    if (new Set(all).size < all.length) throw new Error(`recipe ${recipe.name}: one of the ${part} stands twice: ${all.join(', ')}`);
  }
  return recipe;
}
