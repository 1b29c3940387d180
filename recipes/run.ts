// Runs a recipe: node tools/run.mjs recipes/run.ts layer-norm. What came of all arms and seeds at scale 1 is kept in recipes/results/.
import '@tensorflow/tfjs-backend-cpu';
import '@evenkeel/core/register-gradients';
import { wasm } from '@evenkeel/backend-wasm';
import { webgpu } from '@evenkeel/backend-webgpu';
import { isEvenkeelError, use } from '@evenkeel/core';
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { progressOn } from 'evenkeel/progress';
import { conclude, introduce, runRecipe, writeReport } from './harness/index.ts';
import { recipes } from './index.ts';

interface Given {
  readonly backend?: string;
  readonly scale: number;
  readonly arm?: string[];
  readonly seed?: number[];
  readonly out?: string;
  readonly json?: true;
}

function number(value: string): number {
  if (value.trim() !== '' && Number.isFinite(Number(value))) return Number(value);
  throw new InvalidArgumentError('Expected a number.');
}

/** What an option that may be repeated has been given so far. */
const more = <T>(value: T, before: readonly T[] = []): T[] => [...before, value];

const command = new Command('evenkeel recipe')
  .description("Reproduces a paper's headline claim in miniature.")
  .addArgument(new Argument('[name]', 'which; this help where none is given').choices(Object.keys(recipes)))
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
  .option('--json', 'print the report as JSON on stdout; all else goes to stderr')
  .helpOption('-h, --help', 'show this help')
  .addHelpText(
    'after',
    `
Examples:
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

/** Runs a recipe; resolves to the exit code: 0 where all rules held or nothing was judged, 1 where not, 2 for a wrong call. */
async function run(name: string, { scale, arm, seed, out, json, ...given }: Given): Promise<number> {
  const { default: recipe } = await recipes[name]!();
  // Figures on stdout, all else on stderr where JSON is wanted.
  const say = json ? console.error : console.log;
  say(`${introduce(recipe)}\n`);
  use([wasm(), webgpu({ allowSoftware: true })]);
  const { signal, code } = abortOnSignals();
  const progress = progressOn();
  try {
    const report = await runRecipe(recipe, { ...given, scale, arms: arm, seeds: seed, signal, onProgress: progress.show });
    say(conclude(report));
    if (json) console.log(JSON.stringify(report, null, 2));
    const evidence = report.held !== undefined && report.failures.length === 0 && scale === 1;
    const file = out ?? (evidence ? `recipes/results/${name}.json` : undefined);
    if (file === undefined) say('Not kept: recipes/results/ holds whole runs at scale 1 without a failure. --out FILE keeps any.');
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
  }
}

command.action(async (name: string | undefined, given: Given) => {
  if (name === undefined) command.outputHelp();
  else process.exitCode = await run(name, given);
});

command.parseAsync().catch((error: unknown) => {
  // Commander has said what is wrong, or shown help.
  if (!(error instanceof CommanderError)) console.error(error);
  process.exitCode = error instanceof CommanderError ? (error.exitCode === 0 ? 0 : 2) : 1;
});
