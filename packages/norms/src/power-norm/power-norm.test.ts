import { backends } from '../../../../tools/test-backends.ts';
import { dispose, grads, keep, memory, mul, ones, sum, tensor, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { opcheck, type RandomInput } from '@evenkeel/core/testing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { noise, onEach, read, refusal, worst } from '../../test/host.ts';
import { groupScaling, powerNorm, powerNormInference, PowerNorm, PowerNormGrad, PowerNormInference, PowerNormVanilla } from './index.ts';
import type { PowerNormOptions, PowerNormState } from './index.ts';

const wrt = ['x', 'gamma', 'beta'];
const square = (channels: number): RandomInput => ({ shape: [channels], low: 0.5, high: 1.5 });
const kept = (shape: number[]): RandomInput => ({ shape, dtype: 'int32', values: (i) => (i % 3 === 1 ? 0 : 1) });

/** x, and the state of its channels. */
const given = (shape: number[]) => ({ x: { shape }, runningPhi: square(shape.at(-1)!), emaGz: { shape: shape.slice(-1) } });

const sizes = fc.record({
  rows: fc.integer({ min: 1, max: 40 }),
  groups: fc.integer({ min: 0, max: 3 }),
  width: fc.integer({ min: 1, max: 9 }),
  batchStatistic: fc.boolean(),
});

test('PowerNorm', async () => {
  await opcheck(
    PowerNorm,
    [
      { inputs: given([7, 5]), wrt: ['x'] },
      { inputs: { ...given([2, 3, 8]), gamma: { shape: [8] }, beta: { shape: [8] } }, attrs: { groups: 2 }, wrt },
      { inputs: { ...given([2, 3, 8]), gamma: { shape: [8] }, beta: { shape: [8] } }, attrs: { batchStatistic: true }, wrt },
      {
        inputs: { ...given([9, 6]), gamma: { shape: [6] }, mask: kept([9]) },
        attrs: { groups: 0, epsilon: 0.1, alphaBackward: 0.5 },
        wrt: ['x', 'gamma', 'emaGz'],
      },
      {
        inputs: { ...given([2, 5, 6]), beta: { shape: [6] }, mask: kept([2, 5]) },
        attrs: { groups: 2, batchStatistic: true, maskGradient: true },
        wrt: ['x', 'beta', 'emaGz'],
      },
      { inputs: given([4, 4]), attrs: { gradientScale: 'running' as const, groups: 0 }, wrt: ['x', 'emaGz'] },
      { name: 'one token', inputs: given([1, 5]), attrs: { batchStatistic: true, groups: 0 }, wrt: ['x'] },
      {
        name: 'an empty mask',
        inputs: { ...given([3, 4]), mask: { shape: [3], dtype: 'int32', values: () => 0 } },
        attrs: { batchStatistic: true, maskGradient: true },
        wrt: ['x'],
      },
      { name: 'zeros', inputs: { ...given([6, 4]), x: { shape: [6, 4], values: () => 0 } }, attrs: { batchStatistic: true }, wrt: ['x'] },
      {
        name: 'more rows than a block',
        inputs: { ...given([1000, 12]), gamma: { shape: [12] } },
        attrs: { groups: 3 },
        wrt: ['x', 'gamma'],
      },
      {
        name: 'many channels',
        inputs: { ...given([9, 1234]), gamma: { shape: [1234] } },
        attrs: { batchStatistic: true },
        wrt: ['x', 'gamma'],
      },
      { inputs: given([5]), throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { ...given([4, 5]), mask: kept([5]) }, throws: { code: 'SHAPE', argument: 'mask' } },
      { inputs: { ...given([4, 5]), gamma: { shape: [4] } }, throws: { code: 'SHAPE', argument: 'gamma' } },
      { inputs: given([4, 5]), attrs: { groups: 2 }, throws: { code: 'INVALID_ARGUMENT', argument: 'groups' } },
      { inputs: given([4, 5]), attrs: { epsilon: 0 }, throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' } },
      { inputs: { ...given([4, 5]), x: { shape: [4, 5], dtype: 'int32' } }, throws: { code: 'DTYPE', argument: 'x' } },
    ],
    {
      backends,
      property: (holds) =>
        fc.assert(
          fc.asyncProperty(sizes, ({ rows, groups, width, batchStatistic }) => {
            const channels = Math.max(1, groups) * width;
            return holds({
              inputs: { ...given([rows, channels]), gamma: { shape: [channels] }, beta: { shape: [channels] } },
              attrs: { groups, batchStatistic, epsilon: 0.1 },
              wrt,
            });
          }),
          { numRuns: 6 },
        ),
    },
  );
});

const backwardInputs = (shape: number[]) => {
  const [channels] = shape.slice(-1) as [number];
  return { x: { shape }, dy: { shape }, forwardPhi: square(channels), backwardPhi: square(channels), emaGz: { shape: [channels] } };
};

test('PowerNormGrad', async () => {
  await opcheck(
    PowerNormGrad,
    [
      { inputs: backwardInputs([7, 5]), attrs: { epsilon: 0.1 } },
      { inputs: { ...backwardInputs([2, 3, 8]), gamma: { shape: [8] } }, attrs: { groups: 2, alphaBackward: 0.5 } },
      { inputs: { ...backwardInputs([5, 6]), gamma: { shape: [6] }, mask: kept([5]) }, attrs: { groups: 0 } },
      { inputs: { ...backwardInputs([4, 5]), dy: { shape: [3, 5] } }, throws: { code: 'SHAPE', argument: 'dy' } },
      { inputs: { ...backwardInputs([4, 5]), emaGz: { shape: [4] } }, throws: { code: 'SHAPE', argument: 'emaGz' } },
    ],
    { backends },
  );
});

const fixedInputs = (shape: number[]) => ({ x: { shape }, runningPhi: square(shape.at(-1)!) });

test('PowerNormVanilla has the exact gradient', async () => {
  await opcheck(
    PowerNormVanilla,
    [
      { inputs: fixedInputs([7, 5]), attrs: { epsilon: 0.1 }, wrt: ['x'] },
      { inputs: { ...fixedInputs([2, 3, 8]), gamma: { shape: [8] }, beta: { shape: [8] } }, attrs: { groups: 2 }, wrt },
      { inputs: { ...fixedInputs([5, 6]), gamma: { shape: [6] }, mask: kept([5]) }, attrs: { groups: 0 }, wrt: ['x', 'gamma'] },
      { inputs: fixedInputs([4, 5]), attrs: { groups: 2 }, throws: { code: 'INVALID_ARGUMENT', argument: 'groups' } },
    ],
    { backends },
  );
});

test('PowerNormInference', async () => {
  await opcheck(
    PowerNormInference,
    [
      { inputs: fixedInputs([7, 5]), attrs: { epsilon: 0.1 } },
      { inputs: { ...fixedInputs([2, 3, 8]), gamma: { shape: [8] }, beta: { shape: [8] } }, attrs: { groups: 2 } },
      { inputs: { ...fixedInputs([5, 6]), gamma: { shape: [6] } }, attrs: { groups: 0 } },
      { inputs: { ...fixedInputs([4, 5]), runningPhi: square(4) }, throws: { code: 'SHAPE', argument: 'runningPhi' } },
      { inputs: fixedInputs([4]), throws: { code: 'SHAPE', argument: 'x' } },
    ],
    { backends },
  );
});

const start = (channels: number, iterations = 0): PowerNormState => ({
  runningPhi: ones([channels]),
  emaGz: zeros([channels]),
  iterations,
});

/** Values of x, dx and the next state after one step. */
async function step(x: Tensor, dy: Tensor, state: PowerNormState, options: PowerNormOptions = {}) {
  let emaGz: Tensor = state.emaGz;
  let runningPhi: Tensor = state.runningPhi;
  const [dx] = grads((a: Tensor) => {
    const found = powerNorm(a, undefined, undefined, state, { groups: 0, ...options, onBackward: (next) => (emaGz = next) });
    runningPhi = keep(found.runningPhi);
    return sum(mul(found.y, dy));
  })([x]) as [Tensor];
  return { dx, emaGz, runningPhi };
}

// Shen et al. 2020, algorithm 1: nu <- nu (1 - (1 - alpha) Gamma) + (1 - alpha) Lambda, with nu = (1 - alpha) emaGz.
test('moves emaGz as the paper moves nu, and divides as the paper where it is told so', async () => {
  await onEach(backends, async () => {
    const alpha = 0.7;
    const epsilon = 1e-5;
    const [rows, channels] = [6, 3];
    const [xs, dys] = [noise(rows * channels, 3), noise(rows * channels, 4)];
    const phi = [0.5, 2, 1.5];
    const ema = [0.3, -0.2, 0.1];
    const [x, dy] = [tensor(xs, [rows, channels]), tensor(dys, [rows, channels])];
    const state = { runningPhi: tensor(phi), emaGz: tensor(ema), iterations: 5 };
    const found = await step(x, dy, state, { alphaBackward: alpha, warmupSteps: 0, gradientScale: 'running' });
    const [wantedNu, wantedDx] = [[0, 0, 0], xs.map(() => 0)];
    for (let c = 0; c < channels; c++) {
      const psi = Math.sqrt(phi[c]! + epsilon);
      const nu = (1 - alpha) * ema[c]!;
      let [squares, products] = [0, 0];
      for (let i = c; i < rows * channels; i += channels) {
        const z = xs[i]! / psi;
        squares += (z * z) / rows;
        products += (dys[i]! * z) / rows;
        wantedDx[i] = (dys[i]! - nu * z) / psi;
      }
      wantedNu[c] = nu * (1 - (1 - alpha) * squares) + (1 - alpha) * products;
    }
    expect(
      worst(
        (await read(found.emaGz)).map((value) => (1 - alpha) * value),
        wantedNu,
      ),
    ).toBeLessThan(1e-6);
    expect(worst(await read(found.dx), wantedDx)).toBeLessThan(1e-5);
    dispose([x, dy, state.runningPhi, state.emaGz, found.runningPhi]);
  });
});

test('groups are scaled as by their own RMS norm', async () => {
  await onEach(backends, async () => {
    const values = noise(2 * 6, 5);
    const wanted = [0, 1, 2, 3].flatMap((group) => {
      const own = values.slice(3 * group, 3 * group + 3);
      const scale = 1 / Math.sqrt(own.reduce((total, value) => total + value * value, 0) / 3 + 1e-5);
      return own.map((value) => value * scale);
    });
    const x = tensor(values, [2, 6]);
    expect(worst(await read(groupScaling(x, 2)), wanted)).toBeLessThan(1e-5);
    expect(await read(groupScaling(x, 0))).toEqual(await read(x));
  });
});

test('padding does not count, whatever stands there', async () => {
  await onEach(backends, async () => {
    const values = noise(12, 6);
    const soiled = values.map((value, i) => (i >= 8 ? Number.NaN : value));
    const mask = tensor([true, true, false], [3], 'bool');
    const found = tidy(() => powerNorm(tensor(soiled, [3, 4]), undefined, undefined, start(4), { mask, groups: 0, warmupSteps: 5 }));
    const alone = tidy(() => powerNorm(tensor(values.slice(0, 8), [2, 4]), undefined, undefined, start(4), { groups: 0, warmupSteps: 5 }));
    expect(worst(await read(found.runningPhi), await read(alone.runningPhi))).toBeLessThan(1e-6);
    const y = await read(found.y);
    expect(worst(y.slice(0, 8), await read(alone.y))).toBeLessThan(1e-6);
    expect(y.slice(8).every(Number.isNaN)).toBe(true);
    mask.dispose();
  });
});

test('after warm-up NaN stays in its row, and infinity too; the state does not take it', async () => {
  await onEach(backends, async () => {
    const values = noise(20, 8).map((value, i) => (i === 6 ? Number.NaN : i === 13 ? Infinity : value));
    const found = tidy(() =>
      powerNorm(tensor(values, [5, 4]), undefined, undefined, start(4, 9), { warmupSteps: 0, groups: 2, onNonFinite: 'skip' }),
    );
    const rows = (await read(found.y)).map((value, i) => [Math.floor(i / 4), Number.isFinite(value)] as const);
    for (const [row, finite] of rows) if (row !== 1 && row !== 3) expect(finite).toBe(true);
    expect(await read(found.runningPhi)).toEqual([1, 1, 1, 1]);
  });
});

/** How reading the result is refused: on webgpu what depends on values is raised there. */
const raised = async (run: () => Tensor): Promise<string> => {
  try {
    await run().data();
    return 'nothing was thrown';
  } catch (error) {
    const { code, argument } = error as { code: string; argument: string };
    return `${code} ${argument}`;
  }
};

const nextPhi = (x: Tensor, options: PowerNormOptions): Tensor => powerNorm(x, undefined, undefined, start(1), options).runningPhi;

test('refuses a batch that is not finite, and a mask that is empty, and leaves the state as it was', async () => {
  await onEach(backends, async () => {
    const soiled = tensor([1, Number.NaN], [2, 1]);
    const clean = tensor([1, 2], [2, 1]);
    const nothing = zeros([2]);
    expect(await raised(() => nextPhi(soiled, {}))).toBe('NON_FINITE x');
    expect(await raised(() => nextPhi(clean, { mask: nothing }))).toBe('INVALID_ARGUMENT mask');
    expect(await read(nextPhi(clean, { mask: nothing, emptyMask: 'skip' }))).toEqual([1]);
    expect(await read(nextPhi(soiled, { onNonFinite: 'skip' }))).toEqual([1]);
    expect(await read(nextPhi(soiled, { onNonFinite: 'propagate' }))).toEqual([Number.NaN]);
    const dx = (): Tensor => {
      const options: PowerNormOptions = { groups: 0, onBackward: (next) => next.dispose() };
      return grads((a: Tensor) => mul(sum(powerNorm(a, undefined, undefined, start(1), options).y), Number.NaN))([clean])[0]!;
    };
    expect(await raised(dx)).toBe('NON_FINITE dy');
    dispose([soiled, clean, nothing]);
  });
});

test('a channel of zeros is scaled by 1 / sqrt(epsilon) at most, and never NaN', async () => {
  await onEach(backends, async () => {
    const x = zeros([4, 2]);
    const dy = ones([4, 2]);
    let state = start(2);
    let largest = 0;
    for (let t = 0; t < 130; t++) {
      const found = await step(x, dy, state, { warmupSteps: 3 });
      largest = Math.max(largest, ...(await read(found.dx)));
      state = { runningPhi: found.runningPhi, emaGz: found.emaGz, iterations: t + 1 };
    }
    expect(largest).toBeCloseTo(316.2, 0);
    const y = powerNormInference(ones([1, 2]), state.runningPhi, undefined, undefined, { groups: 0 });
    (await read(y)).forEach((value) => expect(value).toBeCloseTo(316.2, 0));
  });
}, 60_000);

test('one backward pass moves emaGz once, and nothing is left behind', async () => {
  await onEach(backends, async () => {
    const [x, dy] = [tensor(noise(12, 1), [3, 4]), tensor(noise(12, 2), [3, 4])];
    const state = start(4, 3);
    const run = async (): Promise<number> => {
      let calls = 0;
      const options: PowerNormOptions = { onBackward: (next) => (calls++, next.dispose()) };
      const found = grads((a: Tensor) => mul(powerNorm(a, undefined, undefined, state, options).y, dy))([x]);
      // On webgpu the check of what is finite ends with the next read.
      await read(found[0]!);
      return calls;
    };
    expect(await run()).toBe(1);
    const before = memory().numTensors;
    expect(await run()).toBe(1);
    expect(memory().numTensors).toBe(before);
  });
});

test("mode 'batch' normalizes by the batch, always, and has its exact gradient", async () => {
  await onEach(backends, async () => {
    const x = tensor(noise(40, 2), [10, 4]);
    const state = start(4, 50);
    const { y } = powerNorm(x, undefined, undefined, state, { mode: 'batch', groups: 0, warmupSteps: 1 });
    const squares = await read(y);
    for (let c = 0; c < 4; c++) {
      const meanSquare = squares.reduce((total, value, i) => total + (i % 4 === c ? (value * value) / 10 : 0), 0);
      expect(meanSquare).toBeCloseTo(1, 3);
    }
    // y does not change when x is scaled, so that its gradient is orthogonal to each channel of x.
    const dy = tensor(noise(40, 3), [10, 4]);
    const [dx] = grads((a: Tensor) => mul(powerNorm(a, undefined, undefined, state, { mode: 'batch', groups: 0 }).y, dy))([x]) as [Tensor];
    (await read(tidy(() => sum(mul(dx, x), 0)))).forEach((product) => expect(Math.abs(product)).toBeLessThan(1e-3));
    dispose([x, dy, dx]);
  });
});

test('an empty batch gives an empty result and leaves the state alone', async () => {
  await onEach(backends, async () => {
    const { y, runningPhi, iterations } = powerNorm(zeros([0, 3]), undefined, undefined, start(3, 4));
    expect([y.shape, iterations]).toEqual([[0, 3], 4]);
    expect(await read(runningPhi)).toEqual([1, 1, 1]);
  });
});

test.each([
  [{ alphaForward: 1 }, 'INVALID_ARGUMENT alphaForward'],
  [{ alphaBackward: -0.1 }, 'INVALID_ARGUMENT alphaBackward'],
  [{ warmupSteps: 1.5 }, 'INVALID_ARGUMENT warmupSteps'],
  [{ groups: 3 }, 'INVALID_ARGUMENT groups'],
  [{ groups: -1 }, 'INVALID_ARGUMENT groups'],
  [{ mode: 'exact' as never }, 'INVALID_ARGUMENT mode'],
  [{ gradientScale: 'none' as never }, 'INVALID_ARGUMENT gradientScale'],
  [{ onNonFinite: 'ignore' as never }, 'INVALID_ARGUMENT onNonFinite'],
  [{ emptyMask: 'ignore' as never }, 'INVALID_ARGUMENT emptyMask'],
  [{ epsilon: 0 }, 'INVALID_ARGUMENT epsilon'],
])('refuses %o', (options, wanted) => {
  expect(refusal(() => powerNorm(ones([2, 4]), undefined, undefined, start(4), options))).toBe(wanted);
});

test('refuses states and inputs that do not fit', () => {
  const x = ones([2, 4]);
  expect(refusal(() => powerNorm(x, undefined, undefined, { ...start(4), iterations: -1 }))).toBe('INVALID_ARGUMENT state.iterations');
  expect(refusal(() => powerNorm(x, undefined, undefined, { ...start(4), emaGz: zeros([3]) }))).toBe('SHAPE state.emaGz');
  expect(refusal(() => powerNorm(x, undefined, undefined, start(3)))).toBe('SHAPE runningPhi');
  expect(refusal(() => powerNorm(x, ones([3]), undefined, start(4)))).toBe('SHAPE gamma');
  expect(refusal(() => powerNorm(x, undefined, undefined, start(4), { mask: ones([4]) }))).toBe('SHAPE mask');
  expect(refusal(() => powerNorm(ones([2, 4], 'int32'), undefined, undefined, start(4)))).toBe('DTYPE x');
  expect(refusal(() => groupScaling(x, 3))).toBe('INVALID_ARGUMENT groups');
});
