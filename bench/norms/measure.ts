import { resetInspection } from '@evenkeel/core';
import type { Arm } from '../harness/arm.ts';
import type { GpuWork } from '../harness/gpu-counter.ts';
import { interleave, type Samples } from '../harness/interleave.ts';
import type { Progress } from '../harness/progress.ts';
import { median, pairedRatio, quantile } from '../harness/statistics.ts';
import { verify } from '../harness/verify.ts';
import { leastBytes, size, type BackendName, type Case } from './cases.ts';
import { apart, composed, composedHere } from './composed.ts';
import { copy } from './copy.ts';
import { evenkeel, twin, withoutKernel } from './evenkeel.ts';
import { expected } from './expected.ts';
import { jax } from './jax.ts';
import { onnxruntimeNode, onnxruntimeWeb } from './onnxruntime.ts';
import { isOther, OTHERS } from './others.ts';
import type { ArmResult, CaseResult, LeftOut } from './results.ts';
import { tfjsArm } from './tfjs.ts';
import { tfjsLayers } from './tfjs-layers.ts';

export interface MeasureOptions {
  readonly backend: BackendName;
  readonly rounds: number;
  /** Milliseconds an arm may take in a case. */
  readonly budget: number;
  /** Milliseconds a single call may be expected to take before its arm is left out. */
  readonly patience: number;
  readonly progress: Progress;
  /** On webgpu. */
  readonly gpu?: { work(): GpuWork };
}

/** |a - b| <= TOLERANCE (1 + |b|) for all outputs of all arms. Sums of 10,000 rows in float32, as peers compute them, are off by 2e-4. */
export const TOLERANCE = 1e-3;

type Maker = (which: Case, backend: BackendName) => Arm | undefined | Promise<Arm | undefined>;

// Ours and what it is compared with first, then the copy; what runs on the CPU alone says nothing on webgpu.
const arms: Readonly<Record<string, { readonly make: Maker; readonly backends: readonly BackendName[] }>> = {
  evenkeel: { make: evenkeel, backends: ['wasm', 'webgpu'] },
  'l2-twin': { make: twin, backends: ['wasm', 'webgpu'] },
  apart: { make: apart, backends: ['wasm', 'webgpu'] },
  composed: { make: composed, backends: ['wasm', 'webgpu'] },
  'composed-here': { make: composedHere, backends: ['wasm'] },
  'tfjs-layers': { make: tfjsLayers, backends: ['wasm', 'webgpu'] },
  'onnxruntime-web': { make: onnxruntimeWeb, backends: ['wasm'] },
  'onnxruntime-node': { make: onnxruntimeNode, backends: ['wasm'] },
  'jax-js': { make: jax, backends: ['wasm', 'webgpu'] },
  copy: { make: copy, backends: ['wasm', 'webgpu'] },
};

/** Milliseconds an element of the slowest call so far, by arm, op and pass: what to expect of a larger case. */
const paces = new Map<string, number>();

interface Contestant {
  readonly arm: Arm;
  readonly error: number;
  readonly gpu?: GpuWork;
}

/** Runs the arm once on its own: is it right, how long does a call take, and what does it ask of the GPU? */
async function enter(arm: Arm, wanted: Record<string, Float64Array>, { gpu }: MeasureOptions): Promise<Contestant & { time: number }> {
  const start = performance.now();
  const { error } = await verify(arm, wanted, TOLERANCE);
  const time = performance.now() - start;
  if (gpu === undefined) return { arm, error, time };
  const before = gpu.work();
  await arm.run();
  await arm.finish?.();
  const after = gpu.work();
  return { arm, error, time, gpu: { dispatches: after.dispatches - before.dispatches, bytes: after.bytes - before.bytes } };
}

function result({ arm, error, gpu }: Contestant, which: Case, samples: Samples, ours: Samples | undefined, copyTime: number): ArmResult {
  const wall = samples.wall.filter((sample) => sample !== undefined);
  const time = median(wall);
  const bytes = arm.name === 'copy' ? 2 * which.data.x.byteLength : leastBytes(which);
  const rate = bytes / time / 1e6;
  return {
    arm: arm.name,
    ...(arm.note !== undefined && { note: arm.note }),
    median: time,
    p10: quantile(wall, 0.1),
    p90: quantile(wall, 0.9),
    min: quantile(wall, 0),
    cpu: samples.cpu,
    samples: wall.length,
    callsPerSample: samples.callsPerSample,
    ...(ours !== undefined && arm.name !== 'evenkeel' && { timesEvenkeel: pairedRatio(samples.wall, ours.wall) }),
    gigabytesPerSecond: rate,
    shareOfCopy: rate / ((2 * which.data.x.byteLength) / copyTime / 1e6),
    ...(arm.read !== undefined && { error }),
    ...(gpu !== undefined && { gpu }),
  };
}

/** What every arm must find: by the formulas in double precision, or of ours as tfjs' plain CPU backend computes it, without a kernel. */
async function wantedOf(which: Case): Promise<Record<string, Float64Array>> {
  if (!isOther(which.op)) return expected(which);
  const arm = await tfjsArm('wanted', which, 'cpu', OTHERS[which.op].forward);
  const found = await arm.read!();
  arm.dispose?.();
  return Object.fromEntries(Object.entries(found).map(([name, values]) => [name, Float64Array.from(values)]));
}

/** Times all arms that take part in a case and are right. Throws when ours is wrong. */
export async function measure(which: Case, options: MeasureOptions): Promise<CaseResult> {
  const { backend, rounds, budget, patience, progress } = options;
  const { op, pass, shape } = which;
  const wanted = await wantedOf(which);
  const leftOut: LeftOut[] = [];
  const contestants: Contestant[] = [];
  resetInspection();
  for (const [name, { make, backends }] of Object.entries(arms)) {
    if (!backends.includes(backend)) continue;
    const key = `${backend} ${name} ${op} ${pass}`;
    const forecast = (paces.get(key) ?? 0) * size(shape);
    if (forecast > patience) {
      leftOut.push({ arm: name, reason: `a call would take about ${Math.round(forecast / 1000)} s` });
      continue;
    }
    progress.detail(`checking ${name}`);
    let arm: Arm | undefined;
    try {
      arm = await make(which, backend);
      if (arm === undefined) {
        leftOut.push({ arm: name, reason: name.startsWith('onnx') && pass !== 'forward' ? 'infers only' : 'has no such operation here' });
        continue;
      }
      const { time, ...contestant } = await enter(arm, wanted, options);
      // Compiling and first pages are in the time of a quick first call; they are not in that of a slow one.
      if (time > 1000) paces.set(key, Math.max(paces.get(key) ?? 0, time / size(shape)));
      contestants.push(contestant);
    } catch (error) {
      if (name === 'evenkeel') throw error;
      arm?.dispose?.();
      leftOut.push({ arm: name, reason: (error as Error).message, failed: true });
    }
  }

  const samples = await interleave(
    contestants.map(({ arm }) => arm),
    {
      rounds,
      budget,
      ...(backend === 'webgpu' && { turn: 1 }),
      onRound: (round) => progress.detail(`round ${round + 1} of ${rounds}`),
    },
  );
  const copied = median(samples.get('copy')!.wall.filter((sample) => sample !== undefined));
  const found = contestants.map((contestant) =>
    result(contestant, which, samples.get(contestant.arm.name)!, samples.get('evenkeel'), copied),
  );
  for (const { arm } of contestants) arm.dispose?.();
  return { backend, op, pass, shape, arms: found, leftOut, withoutKernel: withoutKernel() };
}
