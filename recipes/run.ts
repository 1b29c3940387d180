// Runs a recipe: node tools/run.mjs recipes/run.ts layer-norm. What came of all arms and seeds at scale 1 is kept in recipes/results/.
import '@tensorflow/tfjs-backend-cpu';
import '@evenkeel/core/register-gradients';
import { wasm } from '@evenkeel/backend-wasm';
import { webgpu } from '@evenkeel/backend-webgpu';
import { isEvenkeelError, use } from '@evenkeel/core';
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { progressOn } from 'evenkeel/progress';
import { conclude, introduce, runRecipe, serveRuns, startWorkers, writeReport, type Recipe } from './harness/index.ts';
import { recipes } from './index.ts';

interface Given {
  readonly backend?: string;
  readonly scale: number;
  readonly arm?: string[];
  readonly seed?: number[];
  readonly out?: string;
  readonly json?: true;
  readonly all?: true;
  readonly full?: true;
  readonly workers: number;
  readonly worker?: true;
}

/** Seeds of a full run. */
const FULL = 10;

function number(value: string): number {
  if (value.trim() !== '' && Number.isFinite(Number(value))) return Number(value);
  throw new InvalidArgumentError('Expected a number.');
}

function count(value: string): number {
  if (/^[1-9][0-9]?$/.test(value)) return Number(value);
  throw new InvalidArgumentError('Expected an integer from 1 to 99.');
}

/** What an option that may be repeated has been given so far. */
const more = <T>(value: T, before: readonly T[] = []): T[] => [...before, value];

const command = new Command('evenkeel recipe')
  .description("Reproduces a paper's headline claim in miniature.")
  .addArgument(new Argument('[name]', 'which, or list; this help where none is given').choices([...Object.keys(recipes), 'list']))
  .addOption(new Option('--backend <name>', 'what to compute on').choices(['wasm', 'webgpu', 'cpu', 'auto']).default('wasm'))
  .option('--scale <n>', 'above 0, at most 1: how much data and how many steps', number, 1)
  .option('--arm <name>', 'only this arm; may be repeated. Then nothing is judged', (value, before?: string[]) => more(value, before))
  .option('--seed <n>', 'only this seed; may be repeated. Then nothing is judged', (value, before?: number[]) =>
    more(number(value), before),
  )
  .option(
    '--out <file>',
    'where the report goes (default: recipes/results/NAME.json for a whole run at scale 1 without a failure, else nowhere)',
  )
  .option('--all', 'all recipes, one after the other')
  .option('--full', `with ${FULL} seeds in place of those of the recipe; only --out keeps the report`)
  .option('--workers <n>', 'so many runs at a time, each in a process of its own', count, 2)
  // What such a process is started with.
  .addOption(new Option('--worker').hideHelp())
  .option('--json', 'print the report as JSON on stdout; all else goes to stderr')
  .helpOption('-h, --help', 'show this help')
  .addHelpText(
    'after',
    `
Examples:
  evenkeel recipe list
      what each is about
  evenkeel recipe layer-norm
      all arms and seeds; the report goes to recipes/results/layer-norm.json
  evenkeel recipe layer-norm --scale 0.02
      does it work at all?
  evenkeel recipe layer-norm --arm lstm --seed 1
      one arm, one seed`,
  )
  .showHelpAfterError("'evenkeel recipe' shows the options.")
  .exitOverride();

/** Ctrl-C and kill end the work between two of its steps; a second one ends the process. */
function abortOnSignals(): { signal: AbortSignal; code: () => number } {
  const controller = new AbortController();
  let code = 0;
  for (const [name, number] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(name, () => {
      if (code !== 0) process.exit(number);
      code = number;
      controller.abort();
    });
  }
  return { signal: controller.signal, code: () => code };
}

/** A recipe with more seeds than it is judged by. */
const fuller = (recipe: Recipe): Recipe => ({ ...recipe, seeds: Array.from({ length: FULL }, (_, i) => i + 1) });

/** Names, and what each is about. */
async function list(): Promise<void> {
  for (const [name, load] of Object.entries(recipes)) {
    const { title, authors, year } = (await load()).default.paper;
    console.log(`${name}\n    ${title}. ${authors}, ${year}.`);
  }
}

/** Runs a recipe; resolves to the exit code: 0 where all rules held or nothing was judged, 1 where not, 2 for a wrong call. */
async function run(name: string, { scale, arm, seed, out, json, full, workers: most, backend }: Given): Promise<number> {
  const { default: plain } = await recipes[name]!();
  const recipe = full ? fuller(plain) : plain;
  // Figures on stdout, all else on stderr where JSON is wanted.
  const say = json ? console.error : console.log;
  say(`${introduce(recipe)}\n`);
  const { signal, code } = abortOnSignals();
  const progress = progressOn();
  // One run alone needs no second process, and a clock no neighbour.
  const alone = most === 1 || recipe.timed || (arm?.length ?? recipe.arms.length) * (seed?.length ?? recipe.seeds.length) === 1;
  const workers = alone ? undefined : startWorkers(most, [name, '--worker']);
  try {
    const report = await runRecipe(recipe, { backend, scale, arms: arm, seeds: seed, signal, onProgress: progress.show, workers });
    say(conclude(report));
    if (json) console.log(JSON.stringify(report, null, 2));
    const evidence = report.held !== undefined && report.failures.length === 0 && scale === 1 && !full;
    const file = out ?? (evidence ? `recipes/results/${name}.json` : undefined);
    if (file === undefined)
      say("Not kept: recipes/results/ holds whole runs at scale 1, with a recipe's own seeds and without a failure. --out FILE keeps any.");
    else {
      await writeReport(file, report);
      say(`Written to ${file}.`);
    }
    return report.held === false || report.failures.length > 0 ? 1 : 0;
  } catch (error) {
    progress.clear();
    if (!isEvenkeelError(error)) throw error;
    console.error(`\n${error.message}`);
    if (error.code === 'ABORTED') return code();
    return error.code === 'INVALID_ARGUMENT' || error.code === 'UNKNOWN_BACKEND' ? 2 : 1;
  } finally {
    workers?.end();
  }
}

command.action(async (name: string | undefined, given: Given) => {
  if (given.all && (name !== undefined || given.out !== undefined)) command.error('error: --all takes neither a name nor --out');
  use([wasm(), webgpu({ allowSoftware: true })]);
  if (given.worker) {
    return serveRuns((await recipes[name!]!()).default);
  }
  if (given.all) {
    for (const each of Object.keys(recipes)) {
      const code = await run(each, given);
      process.exitCode = Math.max(Number(process.exitCode ?? 0), code);
      // Aborted, or called wrongly: the others would be, too.
      if (code > 1) return;
    }
  } else if (name === 'list') await list();
  else if (name === undefined) command.outputHelp();
  else process.exitCode = await run(name, given);
});

command.parseAsync().catch((error: unknown) => {
  // Commander has said what is wrong, or shown help.
  if (!(error instanceof CommanderError)) console.error(error);
  process.exitCode = error instanceof CommanderError ? (error.exitCode === 0 ? 0 : 2) : 1;
});
