// Normalization forward and backward: Evenkeel, TensorFlow.js, onnxruntime and jax-js side by side.
import '../../tools/dawn.ts';
import '@evenkeel/core/register-gradients';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { countGpuWork } from '../harness/gpu-counter.ts';
import { machine } from '../harness/machine.ts';
import { progressOn } from '../harness/progress.ts';
import { registerBackends, start } from './backends.ts';
import { data, PASSES, SHAPES, SMOKE_SHAPES, type BackendName, type OpName } from './cases.ts';
import { measure, TOLERANCE } from './measure.ts';
import { page, printCase, printTargets } from './print.ts';
import type { CaseResult, Report } from './results.ts';
import { targets } from './targets.ts';
import { tfjsDevice } from './tfjs.ts';

const USAGE = `pnpm bench norms [--backend wasm|webgpu] [--only layerNorm] [--shape 256,768] [--pass forward] [--rounds 40] [--budget 3] [--patience 40] [--json FILE] [--page FILE] [--smoke]
  --rounds    samples of a fast arm in a case
  --budget    seconds an arm may take in a case; slower arms give fewer samples
  --patience  seconds a call may take before its arm is left out
  --json      where to write the figures
  --page      where to write them as a page in markdown
  --smoke     tiny shapes and two rounds: shows in seconds that all arms run and agree, and that kernels serve; says nothing about speed
  --only, --backend, --shape and --pass may be given more than once`;

const { values } = parseArgs({
  options: {
    backend: { type: 'string', multiple: true, default: ['wasm', 'webgpu'] },
    only: { type: 'string', multiple: true, default: Object.keys(SHAPES) },
    shape: { type: 'string', multiple: true },
    pass: { type: 'string', multiple: true, default: [...PASSES] },
    rounds: { type: 'string', default: '40' },
    budget: { type: 'string', default: '3' },
    patience: { type: 'string', default: '40' },
    json: { type: 'string' },
    page: { type: 'string' },
    smoke: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function oneOf<T extends string>(what: string, given: readonly string[], known: readonly T[]): T[] {
  for (const each of given) {
    if (!known.includes(each as T)) throw new Error(`--${what} is '${each}', expected one of ${known.join(', ')}\n\n${USAGE}`);
  }
  return known.filter((each) => given.includes(each));
}

function positive(what: 'rounds' | 'budget' | 'patience'): number {
  const number = Number(values[what]);
  if (!(number > 0)) throw new Error(`--${what} is '${values[what]}', expected a number > 0\n\n${USAGE}`);
  return number;
}

function versions(): Record<string, string> {
  const { dependencies } = JSON.parse(readFileSync('bench/package.json', 'utf8')) as { dependencies: Record<string, string> };
  return Object.fromEntries(Object.entries(dependencies).filter(([, version]) => !version.startsWith('workspace:')));
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(`written to ${file}`);
}

async function main(): Promise<void> {
  if (values.help) return console.log(USAGE);
  const backends = oneOf<BackendName>('backend', values.backend, ['wasm', 'webgpu']);
  const ops = oneOf('only', values.only, Object.keys(SHAPES) as OpName[]);
  const passes = oneOf('pass', values.pass, PASSES);
  const options = values.smoke
    ? { rounds: 2, budget: 100, patience: 10_000 }
    : { rounds: positive('rounds'), budget: positive('budget') * 1000, patience: positive('patience') * 1000 };
  const shapes = values.smoke ? SMOKE_SHAPES : SHAPES;
  const wanted = backends.flatMap((name) =>
    ops.flatMap((op) =>
      shapes[op]
        .filter((shape) => values.shape === undefined || values.shape.includes(shape.join()))
        .flatMap((shape) => passes.map((pass) => ({ name, op, shape, pass }))),
    ),
  );
  if (wanted.length === 0) throw new Error(`no case has the shape ${values.shape?.join(' or ')}\n\n${USAGE}`);

  const here = machine();
  console.log(`${here.cpu}, ${here.cores} cores, ${here.system}, node ${here.node}; load ${here.load} at the start`);
  console.log(`All arms agree with the formulas in double precision to ${TOLERANCE} before they are timed.`);
  registerBackends();

  const progress = progressOn(process.stderr);
  const cases: CaseResult[] = [];
  let adapter: string | undefined;
  let gpu: ReturnType<typeof countGpuWork> | undefined;
  let running: BackendName | undefined;
  for (const [i, { name, op, shape, pass }] of wanted.entries()) {
    if (running !== name) {
      running = name;
      const detail = await start(name);
      console.log(`\n${name}: ${detail}`);
      if (name === 'webgpu') {
        adapter = detail;
        gpu = countGpuWork(tfjsDevice());
      }
    }
    progress.stage(`${i + 1} of ${wanted.length}: ${op} ${pass} [${shape.join(', ')}] on ${name}`);
    const counted = name === 'webgpu' && gpu ? { gpu } : {};
    const found = await measure({ op, pass, shape, data: data(shape) }, { backend: name, ...options, progress, ...counted });
    progress.clear();
    console.log(printCase(found));
    cases.push(found);
  }

  if (values.smoke) {
    const unserved = cases.flatMap((each) => each.withoutKernel);
    if (unserved.length > 0) throw new Error(`ran without kernels: ${unserved.join('; ')}`);
    const failed = cases.flatMap(({ leftOut }) => leftOut.filter((each) => each.failed).map(({ arm, reason }) => `${arm}: ${reason}`));
    if (failed.length > 0) throw new Error(`peers did not run: ${failed.join('; ')}`);
    console.log(`\nsmoke: ${cases.length} cases ran, all arms agree, kernels served`);
    return;
  }
  const reached = targets(cases);
  console.log(printTargets(reached));
  const report: Report = {
    bench: 'norms',
    date: new Date().toISOString().slice(0, 10),
    machine: here,
    versions: versions(),
    ...(adapter !== undefined && { adapter }),
    options,
    cases,
    targets: reached,
  };
  if (values.json !== undefined) write(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
  if (values.page !== undefined) write(values.page, page(report));
}

await main();
