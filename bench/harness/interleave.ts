import { systemClock, type Arm, type Clock } from './arm.ts';

export interface InterleaveOptions {
  /** How many samples a fast arm gives. */
  readonly rounds: number;
  /** Rounds before the first that counts: engines still compile, heaps still grow. Slow arms sit them out. */
  readonly skip?: number;
  /** Milliseconds a fast arm's turn lasts: as many calls as fit make one sample. */
  readonly turn?: number;
  /** Milliseconds an arm may take in all rounds together; a slower arm takes part in fewer, evenly spread. */
  readonly budget?: number;
  readonly clock?: Clock;
  /** Called at the start of each round that counts. */
  readonly onRound?: (round: number) => void;
}

/** What was measured of one arm. Times are milliseconds a call. */
export interface Samples {
  /** By round; undefined where the arm sat out. */
  readonly wall: (number | undefined)[];
  /** Processor time of all threads a call, over all rounds together: the system's counter is too coarse for one. */
  readonly cpu: number;
  readonly callsPerSample: number;
}

interface Plan {
  readonly arm: Arm;
  readonly calls: number;
  readonly samples: number;
  readonly wall: (number | undefined)[];
  cpu: number;
  done: number;
}

async function calls(arm: Arm, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const result = arm.run();
    if (result instanceof Promise) await result;
  }
  await arm.finish?.();
}

/** Warms an arm up and finds how long a call takes: the fastest of a few that fit in `time` milliseconds. */
async function callTime(arm: Arm, time: number, clock: Clock): Promise<number> {
  let best = Infinity;
  await arm.enter?.();
  for (let spent = 0, count = 0; count < 1 || (spent < time && count < 50); count++) {
    const start = clock.now();
    await calls(arm, 1);
    const elapsed = clock.now() - start;
    best = Math.min(best, elapsed);
    spent += elapsed;
  }
  return best;
}

/** Whether an arm with `samples` samples in `rounds` rounds takes part in this one: as evenly spread as integers allow, the first included. */
export function takesPart(round: number, samples: number, rounds: number): boolean {
  return samples >= rounds || Math.ceil((round * samples) / rounds) !== Math.ceil(((round + 1) * samples) / rounds);
}

/**
 * Times the arms in turns, A B C A B C ..., so that whatever slows the machine down slows all of them.
 * Each turn begins with a call that does not count, to bring the arm's data back into the caches, unless a call is longer than a turn.
 */
export async function interleave(
  arms: readonly Arm[],
  { rounds, skip = 2, turn = 4, budget = 3000, clock = systemClock, onRound }: InterleaveOptions,
): Promise<Map<string, Samples>> {
  const plans: Plan[] = [];
  for (const arm of arms) {
    const perCall = await callTime(arm, Math.min(100, budget / 10), clock);
    const count = Math.max(1, Math.min(1000, Math.floor(turn / perCall)));
    const perTurn = perCall * (perCall < turn ? count + 1 : count);
    const samples = Math.max(1, Math.min(rounds, Math.floor(budget / perTurn)));
    plans.push({ arm, calls: count, samples, wall: [], cpu: 0, done: 0 });
  }
  for (let round = 0 - skip; round < rounds; round++) {
    if (round >= 0) onRound?.(round);
    for (const plan of plans) {
      const slow = plan.samples < rounds;
      if (round < 0 ? slow : !takesPart(round, plan.samples, rounds)) {
        if (round >= 0) plan.wall.push(undefined);
        continue;
      }
      await plan.arm.enter?.();
      if (plan.calls > 1) await calls(plan.arm, 1);
      const cpu = clock.cpu();
      const start = clock.now();
      await calls(plan.arm, plan.calls);
      const elapsed = clock.now() - start;
      if (round < 0) continue;
      plan.wall.push(elapsed / plan.calls);
      plan.cpu += clock.cpu() - cpu;
      plan.done += plan.calls;
    }
  }
  return new Map(plans.map(({ arm, wall, cpu, done, calls: callsPerSample }) => [arm.name, { wall, cpu: cpu / done, callsPerSample }]));
}
