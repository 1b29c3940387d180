// Kernels and whole training steps on WASM: Evenkeel, TensorFlow.js and onnxruntime side by side.
import '@evenkeel/core/register-gradients';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { machine } from '../harness/machine.ts';
import { median } from '../harness/statistics.ts';
import { measureInChromium } from './chromium.ts';
import { engines } from './engines.ts';
import { measureRow, measureStep, TOLERANCE } from './measure.ts';
import { ceiling } from './meter.ts';
import { page, printRow, printTargets } from './print.ts';
import type { PyTorch, Report, RowResult } from './results.ts';
import { rows } from './rows.ts';
import { trainingSteps } from './steps.ts';
import { targets } from './targets.ts';

/** What pytorch.py printed, where somebody has PyTorch. */
const PYTORCH = 'bench/results/wasm-pytorch.json';

const USAGE = `pnpm bench wasm [--only TEXT] [--rounds 30] [--budget 2] [--json FILE] [--page FILE] [--keep] [--chromium]
  --only     rows whose group or name contains the text; may be given more than once
  --rounds   samples of a fast arm in a row
  --budget   seconds an arm may take in a row; slower arms give fewer samples
  --json     where to write the figures
  --page     where to write them as a page in markdown
  --keep     what this run does not measure stays as the --json file has it
  --chromium the training steps in a cross-origin isolated page, too; with --only none, nothing else`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '30' },
    budget: { type: 'string', default: '2' },
    json: { type: 'string' },
    page: { type: 'string' },
    keep: { type: 'boolean', default: false },
    chromium: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function positive(what: 'rounds' | 'budget'): number {
  const number = Number(values[what]);
  if (!(number > 0)) throw new Error(`--${what} is '${values[what]}', expected a number > 0\n\n${USAGE}`);
  return number;
}

/** GB/s of a copy of 32 MB, read and written bytes counted. */
function copySpeed(): number {
  const source = new Float32Array(2 ** 23);
  const target = new Float32Array(2 ** 23);
  const rates = Array.from({ length: 12 }, () => {
    const start = performance.now();
    target.set(source);
    return (2 * source.byteLength) / (performance.now() - start) / 1e6;
  });
  return median(rates.slice(2));
}

const chosen = (group: string, name: string): boolean =>
  values.only === undefined || values.only.some((text) => `${group} ${name}`.includes(text));

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(`written to ${file}`);
}

/** What one core was seen to do: a run beside neighbours meters less than there is. */
function higher(a: Report['ceilings'], b: Report['ceilings']): Report['ceilings'] {
  const [plain, fma] = (['plain', 'fma'] as const).map((kind) => (a[kind].best > b[kind].best ? a[kind] : b[kind]));
  return { plain: plain!, fma: fma! };
}

const same = (a: RowResult) => (b: RowResult) => a.group === b.group && a.name === b.name;

/** The rows of an earlier run, those that were measured again in their places. */
function replaced(earlier: readonly RowResult[], found: readonly RowResult[]): RowResult[] {
  return [...earlier.map((row) => found.find(same(row)) ?? row), ...found.filter((row) => !earlier.some(same(row)))];
}

async function main(): Promise<void> {
  if (values.help) return console.log(USAGE);
  const options = { rounds: positive('rounds'), budget: positive('budget') * 1000 };
  const here = machine();
  console.log(`${here.cpu}, ${here.cores} cores, ${here.system}, node ${here.node}; load ${here.load} at the start`);
  const known = await engines();
  const context = { ceilings: { plain: await ceiling(false), fma: await ceiling(true) }, copy: copySpeed() };
  const { plain, fma } = context.ceilings;
  console.log(
    `ceiling of one core: ${plain.best.toFixed(1)} GFLOP/s plain, ${fma.best.toFixed(1)} fused (best); copy ${context.copy.toFixed(1)} GB/s`,
  );
  console.log(`Ours agree with tfjs' plain CPU backend to ${TOLERANCE} before they are timed.`);

  const found: RowResult[] = [];
  const before = values.keep && values.json !== undefined ? (JSON.parse(readFileSync(values.json, 'utf8')) as Report) : undefined;
  const add = (row: RowResult): void => {
    found.push(row);
    console.log(printRow(row, context));
  };
  for (const row of rows) if (chosen(row.group, row.name)) add(await measureRow(row, { engines: known, ...options }));
  for (const step of trainingSteps) if (chosen('training step', step.name)) add(await measureStep(step, { engines: known, ...options }));

  const { dependencies } = JSON.parse(readFileSync('bench/package.json', 'utf8')) as { dependencies: Record<string, string> };
  const peers = Object.entries(dependencies).filter(([name]) => /^(onnxruntime|@tensorflow\/tfjs-(core|backend-wasm))/.test(name));
  const chromium = values.chromium ? await measureInChromium(options.rounds, options.budget) : before?.chromium;
  for (const row of (values.chromium && chromium?.rows) || []) console.log(`\nChromium${printRow(row, context)}`);
  const report: Report = {
    bench: 'wasm',
    date: new Date().toISOString().slice(0, 10),
    machine: here,
    versions: Object.fromEntries(peers),
    ...context,
    ...(before && { ceilings: higher(before.ceilings, context.ceilings), copy: Math.max(before.copy, context.copy) }),
    options,
    rows: before ? replaced(before.rows, found) : found,
    ...(chromium && { chromium }),
    ...(existsSync(PYTORCH) && { pytorch: JSON.parse(readFileSync(PYTORCH, 'utf8')) as PyTorch }),
  };
  const reached = targets(report);
  console.log(printTargets(reached));
  if (values.json !== undefined) write(values.json, `${JSON.stringify(report, null, 2)}\n`);
  if (values.page !== undefined) write(values.page, page(report, reached));
}

await main();
