import { dispose, type Tensor } from '@tensorflow/tfjs-core';
import type { Arm, Clock } from '../harness/arm.ts';
import { interleave, type Samples } from '../harness/interleave.ts';
import { median, pairedRatio, quantile } from '../harness/statistics.ts';
import { compare, verify } from '../harness/verify.ts';
import { bookkeeping } from './bookkeeping.ts';
import { switchTo, type Engine } from './engines.ts';
import { onnxruntimeNode, onnxruntimeWeb } from './onnx.ts';
import type { ArmResult, RowResult } from './results.ts';
import { run, type Bound, type Row } from './rows.ts';
import { firstLosses, type Training, type TrainingStep } from './steps.ts';

export interface MeasureOptions {
  readonly engines: readonly Engine[];
  readonly rounds: number;
  /** Milliseconds an arm may take in a row. */
  readonly budget: number;
  /** Whose losses those of a training step are held to. Default: tfjs' plain CPU backend. */
  readonly reference?: Engine;
  /** Default: the process' own. */
  readonly clock?: Clock;
}

/** |a - b| <= TOLERANCE (1 + |b|), b being what tfjs' plain CPU backend computes. */
export const TOLERANCE = 2e-3;

const BASE: Engine = 'evenkeel';

const messageOf = (error: unknown): string => (error instanceof Error ? error.message.split('\n')[0]!.slice(0, 120) : String(error));

/** The values of the first; frees all. */
async function valuesOf(tensors: readonly Tensor[]): Promise<Float32Array> {
  const values = (await tensors[0]!.data()).slice() as Float32Array;
  dispose([...tensors]);
  return values;
}

/** An arm on one of our engines. Throws where the engine cannot run the row. */
async function engineArm(row: Row, engine: Engine, wanted: Float32Array | undefined): Promise<Arm> {
  await switchTo(engine);
  const inputs = row.inputs();
  const arm: Arm = {
    name: engine,
    enter: () => switchTo(engine),
    run: () => run(row, inputs),
    read: async () => {
      const y = row.call(inputs);
      return { y: await valuesOf(row.check ? [row.check.of(y, inputs), y] : [y]) };
    },
    dispose: () => dispose(inputs),
  };
  try {
    if (wanted !== undefined) await verify(arm, { y: wanted }, TOLERANCE);
    return arm;
  } catch (error) {
    arm.dispose!();
    throw error;
  }
}

function result(
  name: string,
  note: string | undefined,
  samples: Samples,
  base: Samples,
  { flops, bytes }: { flops: number; bytes: number },
): ArmResult {
  const wall = samples.wall.filter((sample) => sample !== undefined);
  const time = median(wall);
  const best = quantile(wall, 0);
  return {
    arm: name,
    ...(note !== undefined && { note }),
    median: time,
    best,
    p90: quantile(wall, 0.9),
    samples: wall.length,
    ...(name !== BASE && { timesEvenkeel: pairedRatio(samples.wall, base.wall) }),
    ...(flops > 0 && { gigaflops: flops / time / 1e6, bestGigaflops: flops / best / 1e6 }),
    ...(bytes > 0 && { gigabytesPerSecond: bytes / time / 1e6 }),
  };
}

async function timed(
  title: { group: string; name: string; bound: Bound; flops: number; bytes: number },
  arms: readonly Arm[],
  leftOut: RowResult['leftOut'],
  { rounds, budget, clock }: MeasureOptions,
): Promise<RowResult> {
  const samples = await interleave(arms, { rounds, budget, ...(clock && { clock }) });
  const base = samples.get(BASE)!;
  const found = arms.map((arm) => result(arm.name, arm.note, samples.get(arm.name)!, base, title));
  for (const arm of arms) {
    await arm.enter?.();
    arm.dispose?.();
  }
  return { ...title, arms: found, leftOut };
}

/** Times one op on all engines and in onnxruntime. Throws when one of ours is wrong; peers that cannot run it are left out. */
export async function measureRow(row: Row, options: MeasureOptions): Promise<RowResult> {
  await switchTo('tfjs-cpu');
  const inputs = row.inputs();
  const wanted = await valuesOf([row.check ? row.check.wanted(inputs) : row.call(inputs), ...inputs]);

  const arms: Arm[] = [];
  const leftOut: { arm: string; reason: string }[] = [];
  const enter = async (name: string, make: () => Promise<Arm>, ours: boolean): Promise<void> => {
    try {
      arms.push(await make());
    } catch (error) {
      if (ours) throw error;
      leftOut.push({ arm: name, reason: messageOf(error) });
    }
  };
  for (const engine of options.engines) {
    const reason = row.leaveOut?.[engine];
    if (reason !== undefined) leftOut.push({ arm: engine, reason });
    else await enter(engine, () => engineArm(row, engine, engine === 'tfjs-cpu' ? undefined : wanted), engine.startsWith('evenkeel'));
  }
  const { onnx } = row;
  if (onnx !== undefined) {
    await enter('onnxruntime-web', () => onnxruntimeWeb(onnx), false);
    await enter('onnxruntime-node', () => onnxruntimeNode(onnx), false);
  }
  const { group, name, bound, flops, bytes } = row;
  return timed({ group, name, bound, flops, bytes }, arms, leftOut, options);
}

function readLoss(model: Training): void {
  const loss = model.step();
  loss.dataSync();
  loss.dispose();
}

/** Times one training step on all engines. Throws when the losses of ours are not those of the reference. */
export async function measureStep(step: TrainingStep, options: MeasureOptions): Promise<RowResult> {
  await switchTo(options.reference ?? 'tfjs-cpu');
  const wanted = await firstLosses(step);
  const arms: Arm[] = [];
  const leftOut: { arm: string; reason: string }[] = [];
  for (const engine of options.engines) {
    await switchTo(engine);
    try {
      const { error } = compare({ losses: await firstLosses(step) }, { losses: wanted });
      if (error > TOLERANCE) throw new Error(`its losses are wrong by ${error.toExponential(1)}`);
    } catch (error) {
      if (engine.startsWith('evenkeel')) throw error;
      leftOut.push({ arm: engine, reason: messageOf(error) });
      continue;
    }
    const model = step.build();
    arms.push({
      name: engine,
      enter: () => switchTo(engine),
      // The loss is read: a program would.
      run: () => readLoss(model),
      dispose: () => model.dispose(),
    });
  }
  const title = { group: 'training step', name: step.name, bound: 'multiply-adds', flops: 0, bytes: 0 } as const;
  const found = await timed(title, arms, leftOut, options);
  await switchTo(BASE);
  const model = step.build();
  const spent = bookkeeping(() => readLoss(model));
  model.dispose();
  return { ...found, bookkeeping: spent };
}
