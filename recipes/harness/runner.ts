import { setImmediate } from 'node:timers/promises';
import { getBackend, version_core } from '@tensorflow/tfjs-core';
import {
  backend as startBackend,
  EvenkeelError,
  expect,
  isEvenkeelError,
  RandomBits,
  throwIfAborted,
  type LongRunning,
} from '@evenkeel/core';
import type { Figures, Paper, Recipe, Verdict } from './define.ts';
import { figuresOf, resultsOf, summarize, type RunRecord, type Summary } from './results.ts';
import type { Workers } from './workers.ts';

export interface RunOptions extends LongRunning {
  /** Default 'wasm': the same numbers everywhere. */
  readonly backend?: string | undefined;
  /** More than 0, at most 1. Default 1. */
  readonly scale?: number;
  /** Only these arms. Default all. */
  readonly arms?: readonly string[] | undefined;
  /** Only these seeds. Default all. */
  readonly seeds?: readonly number[] | undefined;
  /** Processes that do the runs, several at a time. Default: this one does them all. */
  readonly workers?: Workers | undefined;
}

/** One arm with one seed. */
export interface OneRun {
  readonly arm: string;
  readonly seed: number;
  readonly scale: number;
  readonly backend: string;
}

/** What came of a recipe. JSON: a figure that is not finite is written as null. */
export interface RecipeReport {
  readonly recipe: string;
  readonly paper: Paper;
  readonly claim: string;
  readonly measures: string;
  /** Whether all rules held. Undefined where not all was run: then nothing is judged. */
  readonly held: boolean | undefined;
  readonly verdicts: readonly Verdict[];
  readonly arms: readonly string[];
  readonly seeds: readonly number[];
  /** By arm and figure, `values` seed by seed. */
  readonly figures: Readonly<Record<string, Readonly<Record<string, Summary & { readonly values: readonly number[] }>>>>;
  readonly failures: readonly { readonly arm: string; readonly seed: number; readonly error: string }[];
  readonly scale: number;
  readonly backend: string;
  readonly versions: Readonly<Record<string, string>>;
  /** When it began, ISO 8601. */
  readonly date: string;
  readonly seconds: number;
  /** Of the processor, of all runs: on two quiet cores half of it is the time that they take. */
  readonly cpuSeconds: number;
}

/** Those of `all` that are wanted, in the order of the recipe. */
function chosen<T>(argument: string, all: readonly T[], wanted: readonly T[] | undefined): readonly T[] {
  if (wanted === undefined) return all;
  const unknown = wanted.find((each) => !all.includes(each));
  expect(unknown === undefined && wanted.length > 0, 'recipe', argument, `of ${all.join(', ')}`, unknown ?? wanted);
  return all.filter((each) => wanted.includes(each));
}

/** Runs one arm once. An abort throws; any other error is what is recorded, since the other arms may still say something. */
export async function runOnce(recipe: Recipe, { arm, seed, scale, backend, signal, onProgress }: OneRun & LongRunning): Promise<RunRecord> {
  const name = `${arm}, seed ${seed}`;
  const started = performance.now();
  const before = process.cpuUsage();
  const took = (): Pick<RunRecord, 'seconds' | 'cpuSeconds'> => {
    const { user, system } = process.cpuUsage(before);
    return { seconds: (performance.now() - started) / 1000, cpuSeconds: (user + system) / 1e6 };
  };
  onProgress?.({ status: 'initiate', name });
  const progress = (loaded: number, total: number, metrics?: Figures): void =>
    onProgress?.({ status: 'progress', name, loaded, total, ...(metrics && { metrics }) });
  try {
    const figures = await recipe.run({ arm, seed, scale, backend, signal, progress });
    return { arm, seed, figures, error: undefined, ...took() };
  } catch (error) {
    if (isEvenkeelError(error, 'ABORTED')) throw error;
    return { arm, seed, figures: undefined, error: error instanceof Error ? error.message : String(error), ...took() };
  } finally {
    onProgress?.({ status: 'done', name });
  }
}

function summaries(arm: string, seeds: readonly number[], runs: readonly RunRecord[]): RecipeReport['figures'][string] {
  const results = resultsOf(seeds, runs);
  return Object.fromEntries(
    figuresOf(arm, runs).map((figure) => {
      const values = results.values(arm, figure);
      return [figure, { ...summarize(values), values }];
    }),
  );
}

/** Ends when the signal says so: what runs in other processes does not look at it. */
function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
}

/**
 * Runs a recipe: each arm with each seed, one after the other, or as many at a time as there are workers. Between runs it looks at the signal; within a run that is the recipe's to do.
 *
 * @throws EvenkeelError ABORTED, INVALID_ARGUMENT for an arm, seed or scale that there is not, and what keeps a backend from starting. An
 * arm that throws is in the report's `failures`, and no rule about it holds.
 */
export async function runRecipe(recipe: Recipe, options: RunOptions = {}): Promise<RecipeReport> {
  const { backend = 'wasm', scale = 1, signal, onProgress } = options;
  expect(scale > 0 && scale <= 1, 'recipe', 'scale', 'a number above 0, at most 1', scale);
  const arms = chosen('arm', recipe.arms, options.arms);
  const seeds = chosen('seed', recipe.seeds, options.seeds);
  const date = new Date();
  await startBackend(backend);
  const { workers } = options;
  const wanted = seeds.flatMap((seed) => arms.map((arm): OneRun => ({ arm, seed, scale, backend: getBackend() })));
  const total = wanted.length;
  const runs: RunRecord[] = [];
  const waiting = [...wanted];
  const lane = async (): Promise<void> => {
    for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
      // Signals of the terminal are heard only when the event loop turns.
      await setImmediate();
      throwIfAborted(signal, 'recipe');
      onProgress?.({ status: 'progress_total', loaded: runs.length, total });
      runs.push(await (workers?.run(run, (event) => onProgress?.(event)) ?? runOnce(recipe, { ...run, signal, onProgress })));
    }
  };
  await Promise.race([Promise.all(Array.from({ length: workers?.count ?? 1 }, lane)), aborted(workers && signal)]);
  throwIfAborted(signal, 'recipe');
  onProgress?.({ status: 'progress_total', loaded: total, total });
  onProgress?.({ status: 'ready' });
  const whole = total === recipe.arms.length * recipe.seeds.length;
  const verdicts = whole ? recipe.passes(resultsOf(seeds, runs)) : [];
  return {
    recipe: recipe.name,
    paper: recipe.paper,
    claim: recipe.claim,
    measures: recipe.measures,
    held: whole ? verdicts.length > 0 && verdicts.every(({ held }) => held) : undefined,
    verdicts,
    arms,
    seeds,
    figures: Object.fromEntries(arms.map((arm) => [arm, summaries(arm, seeds, runs)])),
    failures: runs.flatMap(({ arm, seed, error }) => (error === undefined ? [] : [{ arm, seed, error }])),
    scale,
    backend: getBackend(),
    versions: { evenkeel: RandomBits.definition.owner.version, node: process.versions.node, tfjs: version_core },
    date: date.toISOString(),
    seconds: (Date.now() - date.getTime()) / 1000,
    cpuSeconds: runs.reduce((sum, run) => sum + run.cpuSeconds, 0),
  };
}

/** The rules of a recipe, before anything has run. */
export function rulesOf(recipe: Recipe): string[] {
  const rules = recipe.passes(resultsOf(recipe.seeds, []));
  const early = rules.find(({ held }) => held);
  if (early)
    throw new EvenkeelError('CHECK_FAILED', `the rule '${early.rule}' holds before anything has run`, { op: `recipe ${recipe.name}` });
  return rules.map(({ rule }) => rule);
}
