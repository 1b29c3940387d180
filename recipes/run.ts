// Runs a recipe: node tools/run.mjs recipes/run.ts layer-norm. What came of all arms and seeds at scale 1 is kept in recipes/results/.
import '@tensorflow/tfjs-backend-cpu';
import { parseArgs } from 'node:util';
import '@evenkeel/core/register-gradients';
import { wasm } from '@evenkeel/backend-wasm';
import { webgpu } from '@evenkeel/backend-webgpu';
import { isEvenkeelError, use } from '@evenkeel/core';
import { conclude, introduce, runRecipe, showProgress, writeReport } from './harness/index.ts';
import { recipes } from './index.ts';

const USAGE = `recipe NAME [options]: reproduces a paper's headline claim in miniature

  --backend NAME   wasm (default), webgpu, cpu or auto
  --scale N        above 0, at most 1 (default): how much data and how many steps
  --arm NAME       only this arm; may be repeated. Then nothing is judged
  --seed N         only this seed; may be repeated. Then nothing is judged
  --out FILE       where the report goes. Default: recipes/results/NAME.json for a whole run at scale 1
                   without a failure, else nowhere
  --json           prints the report as JSON

Recipes: ${Object.keys(recipes).join(', ')}`;

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

/** Runs the command line; resolves to the exit code: 0 where all rules held or nothing was judged, 1 where not, 2 for a wrong call. */
async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      backend: { type: 'string' },
      scale: { type: 'string' },
      arm: { type: 'string', multiple: true },
      seed: { type: 'string', multiple: true },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const [name, ...more] = positionals;
  if (values.help || name === undefined) {
    console.log(USAGE);
    return 0;
  }
  if (!Object.hasOwn(recipes, name) || more.length > 0) {
    console.error(`recipe: there is no '${positionals.join(' ')}', only ${Object.keys(recipes).join(', ')}`);
    return 2;
  }
  const { default: recipe } = await recipes[name]!();
  // Figures on stdout, all else on stderr where JSON is wanted.
  const say = values.json ? console.error : console.log;
  say(`${introduce(recipe)}\n`);
  use([wasm(), webgpu({ allowSoftware: true })]);
  const { signal, code } = abortOnSignals();
  const scale = values.scale === undefined ? 1 : Number(values.scale);
  try {
    const report = await runRecipe(recipe, {
      scale,
      arms: values.arm,
      seeds: values.seed?.map(Number),
      signal,
      onProgress: showProgress(process.stderr),
      ...(values.backend !== undefined && { backend: values.backend }),
    });
    say(conclude(report));
    if (values.json) console.log(JSON.stringify(report, null, 2));
    const evidence = report.held !== undefined && report.failures.length === 0 && scale === 1;
    const out = values.out ?? (evidence ? `recipes/results/${name}.json` : undefined);
    if (out === undefined) say('Not kept: recipes/results/ holds whole runs at scale 1 without a failure. --out FILE keeps any.');
    else {
      await writeReport(out, report);
      say(`Written to ${out}.`);
    }
    return report.held === false || report.failures.length > 0 ? 1 : 0;
  } catch (error) {
    if (!isEvenkeelError(error)) throw error;
    console.error(`\n${error.message}`);
    if (error.code === 'ABORTED') return code();
    return error.code === 'INVALID_ARGUMENT' || error.code === 'UNKNOWN_BACKEND' ? 2 : 1;
  }
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    console.error(error instanceof TypeError && 'code' in error ? `${error.message}\n\n${USAGE}` : error);
    process.exitCode = error instanceof TypeError ? 2 : 1;
  },
);
