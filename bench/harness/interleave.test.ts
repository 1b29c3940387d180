import { expect, test } from 'vitest';
import type { Arm, Clock } from './arm.ts';
import { interleave, takesPart } from './interleave.ts';

/** A clock that only arms move, and arms that take a given time a call and write down that they ran. */
function stage(): { clock: Clock; log: string[]; arm: (name: string, time: number | ((call: number) => number)) => Arm } {
  let now = 0;
  const log: string[] = [];
  return {
    clock: { now: () => now, cpu: () => 2 * now },
    log,
    arm: (name, time) => {
      let call = 0;
      return {
        name,
        run: () => {
          now += typeof time === 'number' ? time : time(call++);
          log.push(name);
        },
      };
    },
  };
}

test('runs the arms in turns, each once a round, and tells the time of a call', async () => {
  const { clock, log, arm } = stage();
  const found = await interleave([arm('a', 10), arm('b', 20)], { rounds: 3, skip: 1, turn: 4, budget: 1000, clock });
  const wall = (name: string): unknown => found.get(name)?.wall;
  expect(wall('a')).toEqual([10, 10, 10]);
  expect(wall('b')).toEqual([20, 20, 20]);
  expect(found.get('a')).toMatchObject({ callsPerSample: 1, cpu: 20 });
  // After both were warmed up: one round that does not count, three that do.
  expect(log.slice(-8).join('')).toBe('abababab');
});

test('a fast arm makes as many calls as fit in its turn, after one that does not count', async () => {
  const { clock, log, arm } = stage();
  const found = await interleave([arm('fast', 1), arm('slow', 4)], { rounds: 2, skip: 0, turn: 4, budget: 1000, clock });
  expect(found.get('fast')).toMatchObject({ callsPerSample: 4, wall: [1, 1] });
  expect(found.get('slow')).toMatchObject({ callsPerSample: 1, wall: [4, 4] });
  expect(log.slice(-12).join(' ')).toBe('fast fast fast fast fast slow fast fast fast fast fast slow');
});

test('an arm that would exceed its budget sits out, evenly', async () => {
  const { clock, arm } = stage();
  const found = await interleave([arm('quick', 10), arm('slow', 100)], { rounds: 8, skip: 2, budget: 400, clock });
  expect(found.get('slow')?.wall).toEqual([100, undefined, 100, undefined, 100, undefined, 100, undefined]);
  expect(found.get('quick')?.wall).toHaveLength(8);
});

test('however slow, an arm runs once', async () => {
  const { clock, arm } = stage();
  const found = await interleave([arm('slow', 5000)], { rounds: 3, skip: 1, budget: 100, clock });
  expect(found.get('slow')?.wall).toEqual([5000, undefined, undefined]);
});

test('rounds before the first that counts are left out', async () => {
  const { clock, arm } = stage();
  // Warm-up is one call here, as it takes the whole time for it: calls 1 and 2 are skipped rounds.
  const found = await interleave([arm('a', (call) => (call <= 2 ? 1000 : 10))], { rounds: 2, skip: 2, budget: 20_000, clock });
  expect(found.get('a')?.wall).toEqual([10, 10]);
});

test('what runs behind is waited for within the time; entering and rounds are outside of it', async () => {
  let now = 0;
  const rounds: number[] = [];
  const arm: Arm = {
    name: 'gpu',
    enter: async () => void (now += 1000),
    run: async () => void (now += 1),
    finish: async () => void (now += 99),
  };
  const clock = { now: () => now, cpu: () => now };
  const found = await interleave([arm], { rounds: 2, skip: 0, turn: 1, budget: 5000, clock, onRound: (round) => rounds.push(round) });
  expect(found.get('gpu')?.wall).toEqual([100, 100]);
  expect(rounds).toEqual([0, 1]);
});

test.each([
  [1, 10],
  [3, 10],
  [7, 10],
  [10, 10],
  [40, 10],
])('%i samples in %i rounds are evenly spread and begin with the first', (samples, rounds) => {
  const taken = Array.from({ length: rounds }, (_, round) => takesPart(round, samples, rounds));
  expect(taken.filter(Boolean)).toHaveLength(Math.min(samples, rounds));
  expect(taken[0]).toBe(true);
  const gaps = taken.flatMap((took, round) => (took ? [round] : [])).map((round, i, all) => (all[i + 1] ?? rounds) - round);
  expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThanOrEqual(1);
});
