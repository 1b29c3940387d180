import '@tensorflow/tfjs-backend-cpu';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isEvenkeelError, throwIfAborted, type ErrorCode, type EvenkeelError, type ProgressEvent } from '@evenkeel/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  conclude,
  defineRecipe,
  introduce,
  margin,
  noWorse,
  rulesOf,
  runRecipe,
  writeReport,
  type Recipe,
  type Results,
  type RunContext,
  type Workers,
} from './index.ts';
import { runOnce, type OneRun } from './runner.ts';

/** A recipe whose figures are made up: the error of `good` is its seed, that of `bad` ten times it. */
function demo(changes: Partial<Recipe> = {}): Recipe {
  return defineRecipe({
    name: 'demo',
    paper: { title: 'A Demo', authors: 'N. N.', year: 2020, id: 'arXiv:0000.00000' },
    claim: 'Good is better than bad.',
    measures: 'error of nothing',
    arms: ['good', 'bad'],
    seeds: [1, 2, 3],
    run: ({ arm, seed, progress }: RunContext) => {
      progress(1, 2);
      progress(2, 2, { error: seed });
      return Promise.resolve({ error: arm === 'good' ? seed : 10 * seed });
    },
    passes: (results) => [margin(results, 'error', 'good', '<', 'bad')],
    ...changes,
  });
}

const cpu = { backend: 'cpu' };

async function failure(run: () => Promise<unknown>, code: ErrorCode): Promise<EvenkeelError> {
  try {
    await run();
  } catch (error) {
    if (isEvenkeelError(error, code)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** Results of two arms, a and b, seed by seed. */
const results = (a: number[], b: number[]): Results => {
  const values = (arm: string): number[] => (arm === 'a' ? a : b);
  return { seeds: a.map((_, i) => i), values, mean: (arm) => values(arm).reduce((sum, value) => sum + value, 0) / a.length };
};

/** Processes that do what this one does, a turn later. */
function pretended(recipe: Recipe, count: number): Workers & { most: number } {
  let busy = 0;
  const workers = {
    count,
    most: 0,
    end: () => undefined,
    run: async (run: OneRun, onProgress: (event: ProgressEvent) => void) => {
      workers.most = Math.max(workers.most, ++busy);
      // Later seeds are done first.
      await new Promise((resolve) => setTimeout(resolve, 5 * (4 - run.seed)));
      busy--;
      return runOnce(recipe, { ...run, onProgress });
    },
  };
  return workers;
}

describe('a run', () => {
  test('with workers has as many runs at a time as there are workers, and the same report', async () => {
    const recipe = demo();
    const workers = pretended(recipe, 2);
    const { date: _, seconds: __, cpuSeconds: used, ...report } = await runRecipe(recipe, { ...cpu, workers });
    const { date: ___, seconds: ____, cpuSeconds: _____, ...alone } = await runRecipe(recipe, cpu);
    expect(report).toEqual(alone);
    expect(workers.most).toBe(2);
    expect(used).toBeGreaterThan(0);
  });

  test('with workers ends at once when it is aborted', async () => {
    const recipe = demo();
    const controller = new AbortController();
    const workers: Workers = { count: 2, end: () => undefined, run: () => new Promise(() => undefined) };
    setTimeout(() => controller.abort(), 5);
    await failure(() => runRecipe(recipe, { ...cpu, workers, signal: controller.signal }), 'ABORTED');
  });

  test('runs every arm with every seed, and tells mean, spread and what held', async () => {
    const report = await runRecipe(demo(), cpu);
    expect(report).toMatchObject({
      recipe: 'demo',
      claim: 'Good is better than bad.',
      held: true,
      verdicts: [{ rule: 'error: good < bad', held: true, found: '2 against 20' }],
      arms: ['good', 'bad'],
      seeds: [1, 2, 3],
      failures: [],
      scale: 1,
      backend: 'cpu',
    });
    expect(report.figures).toEqual({
      good: { error: { mean: 2, min: 1, max: 3, standardDeviation: 1, values: [1, 2, 3] } },
      bad: { error: { mean: 20, min: 10, max: 30, standardDeviation: 10, values: [10, 20, 30] } },
    });
    expect(report.versions['tfjs']).toMatch(/^4\./);
    expect(new Date(report.date).getTime()).toBeGreaterThan(Date.now() - 60_000);
    expect(conclude(report)).toMatch(/good\s+error\s+2 ± 1\s+1 \/ 2 \/ 3\n[^]*holds\s+error: good < bad \(2 against 20\)\n\nReproduced\./);
  });

  test('a claim that does not hold is told as not reproduced', async () => {
    const report = await runRecipe(demo({ run: ({ arm, seed }) => Promise.resolve({ error: arm === 'good' ? 30 : seed }) }), cpu);
    expect([report.held, report.verdicts[0]!.held]).toEqual([false, false]);
    expect(conclude(report)).toMatch(/DOES NOT\s+error: good < bad \(30 against 2\)\n\nNOT reproduced at this scale\./);
  });

  test('one rule of several that does not hold is enough', async () => {
    const strict = demo({
      passes: (results) => [margin(results, 'error', 'good', '<', 'bad'), margin(results, 'error', 'good', '<', 'bad', { by: 100 })],
    });
    const report = await runRecipe(strict, cpu);
    expect(report.verdicts.map(({ held }) => held)).toEqual([true, false]);
    expect(report.held).toBe(false);
  });

  test('an arm that throws is told, the others are run, and no rule about it holds', async () => {
    const broken = demo({
      run: ({ arm, seed }) =>
        arm === 'good' && seed === 2 ? Promise.reject(new Error('it broke')) : Promise.resolve({ error: arm === 'good' ? 1 : 2 }),
    });
    const report = await runRecipe(broken, cpu);
    expect(report.failures).toEqual([{ arm: 'good', seed: 2, error: 'it broke' }]);
    expect(report.held).toBe(false);
    expect(report.figures['bad']!['error']!.values).toEqual([2, 2, 2]);
    expect(report.figures['good']!['error']!.values).toEqual([1, Number.NaN, 1]);
    expect(conclude(report)).toContain('1 FAILED: it broke\n  good (seed 2)');
  });

  test('a figure without a number fails its rules, and is null in the file', async () => {
    const report = await runRecipe(demo({ run: ({ arm }) => Promise.resolve({ error: arm === 'good' ? Number.NaN : Infinity }) }), cpu);
    expect(report.held).toBe(false);
    expect(JSON.parse(JSON.stringify(report))).toMatchObject({ figures: { bad: { error: { mean: null, values: [null, null, null] } } } });
    expect(conclude(report)).toContain('never / never / never');
  });

  test('only some arms or seeds are not judged', async () => {
    const report = await runRecipe(demo(), { ...cpu, arms: ['bad'], seeds: [3, 1] });
    expect(report).toMatchObject({ arms: ['bad'], seeds: [1, 3], verdicts: [], figures: { bad: { error: { values: [10, 30] } } } });
    expect(report.held).toBeUndefined();
    expect(conclude(report)).toContain('Not judged: not all arms and seeds were run.');
  });

  test('hands scale, seed and backend on', async () => {
    const seen: object[] = [];
    const run: Recipe['run'] = ({ arm, seed, scale, backend }) => {
      seen.push({ arm, seed, scale, backend });
      return Promise.resolve({ error: 1 });
    };
    await runRecipe(demo({ run, seeds: [7] }), { ...cpu, scale: 0.5 });
    expect(seen).toEqual(['good', 'bad'].map((arm) => ({ arm, seed: 7, scale: 0.5, backend: 'cpu' })));
  });

  test('tells its progress', async () => {
    const events: ProgressEvent[] = [];
    await runRecipe(demo({ seeds: [4] }), { ...cpu, onProgress: (event) => events.push(event) });
    expect(events).toEqual([
      ...['good', 'bad'].flatMap((arm, i) => [
        { status: 'progress_total', loaded: i, total: 2 },
        { status: 'initiate', name: `${arm}, seed 4` },
        { status: 'progress', name: `${arm}, seed 4`, loaded: 1, total: 2 },
        { status: 'progress', name: `${arm}, seed 4`, loaded: 2, total: 2, metrics: { error: 4 } },
        { status: 'done', name: `${arm}, seed 4` },
      ]),
      { status: 'progress_total', loaded: 2, total: 2 },
      { status: 'ready' },
    ]);
  });

  test('ends at an abort, between runs and within one', async () => {
    for (const within of [false, true]) {
      const abort = new AbortController();
      let runs = 0;
      const run: Recipe['run'] = ({ signal }) => {
        runs++;
        if (runs === 2) abort.abort();
        if (within) throwIfAborted(signal, 'demo');
        return Promise.resolve({ error: 1 });
      };
      await failure(() => runRecipe(demo({ run }), { ...cpu, signal: abort.signal }), 'ABORTED');
      expect(runs).toBe(2);
    }
  });

  test.each([
    ['arm', { arms: ['ugly'] }, 'recipe: arm is "ugly", expected of good, bad'],
    ['seed', { seeds: [4] }, 'recipe: seed is 4, expected of 1, 2, 3'],
    ['scale', { scale: 0 }, 'scale is 0, expected a number above 0, at most 1'],
    ['scale', { scale: Number.NaN }, 'scale is NaN'],
  ])('refuses a bad %s', async (_, options, message) => {
    expect((await failure(() => runRecipe(demo(), { ...cpu, ...options }), 'INVALID_ARGUMENT')).message).toContain(message);
  });
});

describe('rules', () => {
  test('are told before anything has run', () => {
    const recipe = demo({
      passes: (results) => [
        margin(results, 'error', 'good', '<', 'bad', { by: 8, ratio: 0.7, each: true }),
        noWorse(results, 'error', 'good', 'bad', 2),
      ],
    });
    expect(rulesOf(recipe)).toEqual([
      'error: good < bad, by at least 8, the lower at most 0.7 of the higher, with every seed',
      'error: good at most 2 above bad',
    ]);
    expect(introduce(recipe)).toContain('It counts as reproduced if\n  - error: good < bad, by at least 8');
  });

  test('that hold without results are refused', () => {
    expect(() => rulesOf(demo({ passes: () => [{ rule: 'anything', held: true, found: '' }] }))).toThrow(
      "recipe demo: the rule 'anything' holds before anything has run",
    );
  });

  test.each([
    ['less', margin(results([1, 3], [2, 4]), 'x', 'a', '<', 'b'), true],
    ['equal', margin(results([2], [2]), 'x', 'a', '<', 'b'), false],
    ['more', margin(results([4], [3]), 'x', 'a', '>', 'b'), true],
    ['far enough', margin(results([1], [9]), 'x', 'a', '<', 'b', { by: 8 }), true],
    ['not far enough', margin(results([1], [8.9]), 'x', 'a', '<', 'b', { by: 8 }), false],
    ['above by enough', margin(results([9], [1]), 'x', 'a', '>', 'b', { by: 8 }), true],
    ['a ratio kept', margin(results([7], [10]), 'x', 'a', '<', 'b', { ratio: 0.7 }), true],
    ['a ratio missed', margin(results([7.1], [10]), 'x', 'a', '<', 'b', { ratio: 0.7 }), false],
    ['with each seed', margin(results([1, 2], [3, 4]), 'x', 'a', '<', 'b', { each: true }), true],
    ['not with each seed', margin(results([1, 5], [3, 4]), 'x', 'a', '<', 'b', { each: true }), false],
    ['against what was never reached', margin(results([1], [Infinity]), 'x', 'a', '<', 'b'), true],
    ['against nothing', margin(results([1], [Number.NaN]), 'x', 'a', '<', 'b'), false],
    ['no worse', noWorse(results([4], [2]), 'x', 'a', 'b', 2), true],
    ['worse', noWorse(results([4.1], [2]), 'x', 'a', 'b', 2), false],
    ['no worse than nothing', noWorse(results([1], [Number.NaN]), 'x', 'a', 'b', 2), false],
  ])('%s', (_, { held }, expected) => {
    expect(held).toBe(expected);
  });

  test('a recipe without arms, or with one twice, is refused', () => {
    expect(() => demo({ arms: [] })).toThrow('recipe demo: no arms');
    expect(() => demo({ seeds: [1, 1] })).toThrow('recipe demo: one of the seeds stands twice: 1, 1');
  });
});

describe('a report', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'recipe-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('is written whole, in the place of an older one, with nothing beside it', async () => {
    const file = join(folder, 'results', 'demo.json');
    const report = await runRecipe(demo(), cpu);
    await writeReport(file, { ...report, scale: 0.5 });
    await writeReport(file, report);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(JSON.parse(JSON.stringify(report)));
    expect(await readdir(join(folder, 'results'))).toEqual(['demo.json']);
  });

  test('that cannot be put in its place leaves nothing behind', async () => {
    const file = join(folder, 'demo.json');
    await writeFile(join(folder, 'old'), '');
    const report = await runRecipe(demo(), cpu);
    // A folder stands where the file should go.
    await rm(join(folder, 'old'));
    await writeReport(join(file, 'inside'), report);
    await expect(writeReport(file, report)).rejects.toThrow();
    expect(await readdir(folder)).toEqual(['demo.json']);
    expect(await readdir(file)).toEqual(['inside']);
  });
});
