// A step of training without its gradients: Evenkeel's optimizers, TensorFlow.js' Adam, and a copy of as many bytes, side by side.
import '../../tools/dawn.ts';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { countGpuWork } from '../harness/gpu-counter.ts';
import { machine } from '../harness/machine.ts';
import { digits, table } from '../harness/table.ts';
import { registerBackends, start } from '../norms/backends.ts';
import type { BackendName } from '../norms/cases.ts';
import { tfjsDevice } from '../norms/tfjs.ts';
import { measure, type CaseResult } from './measure.ts';
import { targets } from './targets.ts';

const USAGE = `pnpm bench optim [--backend wasm|webgpu] [--parameters 1000000] [--rounds 40] [--budget 3] [--json FILE] [--smoke]
  --parameters  how many, in 50 tensors; may be given more than once, as --backend may
  --rounds      samples of a fast arm in a case
  --budget      seconds an arm may take in a case; slower arms give fewer samples
  --json        where to write the figures
  --smoke       few parameters and two rounds: shows that all arms run and are right; says nothing about speed`;

const { values } = parseArgs({
  options: {
    backend: { type: 'string', multiple: true, default: ['wasm', 'webgpu'] },
    parameters: { type: 'string', multiple: true, default: ['1000000', '10000000'] },
    rounds: { type: 'string', default: '40' },
    budget: { type: 'string', default: '3' },
    json: { type: 'string' },
    smoke: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function positive(what: string, given: string, multipleOf = 0): number {
  const number = Number(given);
  if (!(number > 0) || (multipleOf > 0 && number % multipleOf !== 0)) {
    throw new Error(`--${what} is '${given}', expected a number > 0${multipleOf > 0 ? `, a multiple of ${multipleOf}` : ''}\n\n${USAGE}`);
  }
  return number;
}

function backends(): BackendName[] {
  const strange = values.backend.find((name) => name !== 'wasm' && name !== 'webgpu');
  if (strange !== undefined) throw new Error(`--backend is '${strange}', expected wasm or webgpu\n\n${USAGE}`);
  return values.backend as BackendName[];
}

function print({ backend, parameters, tensors, arms }: CaseResult): void {
  const rows = arms.map(({ arm, median, timesTfjs, timesBound, dispatches }) => [
    arm,
    digits(median),
    digits(timesTfjs),
    digits(timesBound),
    dispatches === undefined ? '-' : String(dispatches),
  ]);
  console.log(`\n${backend}: ${parameters} parameters in ${tensors} tensors`);
  console.log(table(['', 'ms a step', "times tfjs' speed", 'times its bound', 'dispatches'], rows));
}

async function main(): Promise<void> {
  if (values.help) return console.log(USAGE);
  const sizes = values.smoke ? [5000] : values.parameters.map((each) => positive('parameters', each, 50));
  const options = values.smoke
    ? { rounds: 2, budget: 100 }
    : { rounds: positive('rounds', values.rounds), budget: 1000 * positive('budget', values.budget) };
  const here = machine();
  console.log(`${here.cpu}, ${here.cores} cores, ${here.system}, node ${here.node}; load ${here.load} at the start`);
  registerBackends();
  const cases: CaseResult[] = [];
  for (const name of backends()) {
    console.log(`\n${name}: ${await start(name)}`);
    const gpu = name === 'webgpu' ? countGpuWork(tfjsDevice()) : undefined;
    for (const parameters of sizes) {
      const found = await measure(name, parameters, { ...options, ...(gpu && { gpu }) });
      print(found);
      cases.push(found);
    }
  }
  if (values.smoke) return;
  const reached = targets(cases);
  console.log('');
  for (const { what, held, found } of reached) console.log(`${held ? 'reached' : 'missed '}  ${what}: ${found}`);
  if (values.json === undefined) return;
  mkdirSync(dirname(values.json), { recursive: true });
  const report = { bench: 'optim', date: new Date().toISOString().slice(0, 10), machine: here, options, cases, targets: reached };
  writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
  console.log(`written to ${values.json}`);
}

await main();
