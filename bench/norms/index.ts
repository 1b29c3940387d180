// Normalization forward and backward: Evenkeel, TensorFlow.js, onnxruntime and jax-js side by side.
import '../../tools/dawn.ts';
import '@evenkeel/core/register-gradients';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { env } from '@tensorflow/tfjs-core';
import { backend, use } from '@evenkeel/core';
import { wasm } from '@evenkeel/backend-wasm';
import { webgpu } from '@evenkeel/backend-webgpu';
import { countGpuWork } from '../harness/gpu-counter.ts';
import { machine } from '../harness/machine.ts';
import { data, PASSES, SHAPES, type BackendName, type OpName } from './cases.ts';
import { measure, TOLERANCE } from './measure.ts';
import { printCase, printTargets } from './print.ts';
import type { CaseResult, Report } from './results.ts';
import { targets } from './targets.ts';
import { tfjsDevice } from './tfjs.ts';

const USAGE = `pnpm bench norms [--backend wasm|webgpu] [--only layerNorm] [--shape 256,768] [--pass forward] [--rounds 40] [--budget 3] [--patience 40] [--json FILE]
  --rounds    samples of a fast arm in a case
  --budget    seconds an arm may take in a case; slower arms give fewer samples
  --patience  seconds a call may take before its arm is left out
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
  const require = createRequire(import.meta.url);
  const { dependencies } = JSON.parse(readFileSync(require.resolve('@evenkeel/bench/package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  return Object.fromEntries(Object.entries(dependencies).filter(([, version]) => !version.startsWith('workspace:')));
}

async function main(): Promise<void> {
  if (values.help) return console.log(USAGE);
  const backends = oneOf<BackendName>('backend', values.backend, ['wasm', 'webgpu']);
  const ops = oneOf('only', values.only, Object.keys(SHAPES) as OpName[]);
  const passes = oneOf('pass', values.pass, PASSES);
  const rounds = positive('rounds');
  const budget = positive('budget') * 1000;
  const patience = positive('patience') * 1000;

  const here = machine();
  console.log(`${here.cpu}, ${here.cores} cores, ${here.system}, node ${here.node}; load ${here.load} at the start`);
  console.log(`All arms agree with the formulas in double precision to ${TOLERANCE} before they are timed.`);
  use([wasm(), webgpu()]);

  const cases: CaseResult[] = [];
  let adapter: string | undefined;
  for (const name of backends) {
    const { detail } = await backend(name);
    console.log(`\n${name}: ${detail}`);
    if (name === 'webgpu') {
      adapter = detail;
      // tfjs would run small ops on the CPU, and "webgpu" would measure JavaScript.
      env().set('WEBGPU_CPU_FORWARD', false);
    }
    const gpu = name === 'webgpu' ? countGpuWork(tfjsDevice()) : undefined;
    for (const op of ops) {
      for (const shape of SHAPES[op]) {
        if (values.shape && !values.shape.includes(shape.join())) continue;
        const inputs = data(shape);
        for (const pass of passes) {
          const found = await measure({ op, pass, shape, data: inputs }, { backend: name, rounds, budget, patience, ...(gpu && { gpu }) });
          console.log(printCase(found));
          cases.push(found);
        }
      }
    }
  }
  const reached = targets(cases);
  console.log(printTargets(reached));
  if (values.json === undefined) return;
  const report: Report = {
    bench: 'norms',
    date: new Date().toISOString().slice(0, 10),
    machine: here,
    versions: versions(),
    ...(adapter !== undefined && { adapter }),
    options: { rounds, budget, patience },
    cases,
    targets: reached,
  };
  writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`\nwritten to ${values.json}`);
}

await main();
