import type { GpuWork } from '../harness/gpu-counter.ts';
import { interleave } from '../harness/interleave.ts';
import { median, pairedRatio } from '../harness/statistics.ts';
import type { BackendName } from '../norms/cases.ts';
import { CONTESTANTS, COPIED_STREAMS, copyOf, firstAdamStep, stepsOf, TENSORS, type ArmName } from './arms.ts';

export interface ArmResult {
  readonly arm: string;
  /** Milliseconds of a step: the median. */
  readonly median: number;
  /** How many times faster than tfjs' Adam. */
  readonly timesTfjs?: number;
  /** How many times the time in which the bytes that it must move at least could be copied. */
  readonly timesBound?: number;
  readonly dispatches?: number;
}

export interface CaseResult {
  readonly backend: BackendName;
  readonly parameters: number;
  readonly tensors: number;
  readonly arms: readonly ArmResult[];
}

export interface MeasureOptions {
  readonly rounds: number;
  readonly budget: number;
  readonly gpu?: { work(): GpuWork };
}

const TOLERANCE = 1e-5;

/** Times a step of each optimizer, tfjs' Adam, and a copy of as many bytes, in turns. Throws where Adam's first step is wrong. */
export async function measure(backend: BackendName, parameters: number, { rounds, budget, gpu }: MeasureOptions): Promise<CaseResult> {
  const names = Object.keys(CONTESTANTS) as ArmName[];
  const dispatches = new Map<string, number>();
  const arms = [];
  for (const name of names) {
    const arm = await stepsOf(name, parameters, backend);
    arm.run();
    await arm.finish?.();
    if (name === 'Adam' || name === 'tfjs Adam') {
      const found = await arm.values();
      const error = firstAdamStep(parameters / TENSORS).reduce((most, value, i) => Math.max(most, Math.abs(found[i]! - value)), 0);
      if (!(error <= TOLERANCE)) throw new Error(`${name} on ${backend} is off by ${error} after one step`);
    }
    const before = gpu?.work().dispatches ?? 0;
    arm.run();
    await arm.finish?.();
    if (gpu) dispatches.set(name, gpu.work().dispatches - before);
    arms.push(arm);
  }
  const copy = copyOf(parameters, backend);
  const samples = await interleave([...arms, copy], { rounds, budget, ...(backend === 'webgpu' && { turn: 1 }) });
  const wall = (name: string): readonly (number | undefined)[] => samples.get(name)!.wall;
  const timeOf = (name: string): number => median(wall(name).filter((each) => each !== undefined));
  const results = names.map((name): ArmResult => {
    const count = dispatches.get(name);
    return {
      arm: name,
      median: timeOf(name),
      timesTfjs: pairedRatio(wall('tfjs Adam'), wall(name)).ratio,
      timesBound: (pairedRatio(wall(name), wall('copy')).ratio * COPIED_STREAMS) / CONTESTANTS[name].streams,
      ...(count !== undefined && { dispatches: count }),
    };
  });
  for (const arm of [...arms, copy]) arm.dispose?.();
  return { backend, parameters, tensors: TENSORS, arms: [...results, { arm: 'copy', median: timeOf('copy') }] };
}
