import { backends } from '../../../../tools/test-backends.ts';
import { dispose, grads, keep, memory, mul, ones, sum, tensor, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { opcheck, type RandomInput } from '@evenkeel/core/testing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { noise, onEach, read, refusal, worst } from '../../test/host.ts';
import {
  Blend,
  MeanSquare,
  TokenSums,
  unifiedNorm,
  unifiedNormInference,
  unifiedNormState,
  UnifiedGradWindow,
  UnifiedWindow,
  type UnifiedNormOptions,
  type UnifiedNormState,
} from './index.ts';

const positive = (shape: number[]): RandomInput => ({ shape, low: 0.5, high: 1.5 });
const counted = (shape: number[]): RandomInput => ({ shape, dtype: 'int32', values: (i) => (i % 3 === 1 ? 0 : 1) });
const none = (shape: number[]): RandomInput => ({ shape, dtype: 'int32', values: () => 0 });

const sizes = fc.record({ rows: fc.integer({ min: 1, max: 300 }), channels: fc.integer({ min: 1, max: 21 }) });

test('MeanSquare', async () => {
  const inputs = (shape: number[]) => ({ x: { shape }, fallback: positive(shape.slice(-1)) });
  await opcheck(
    MeanSquare,
    [
      { inputs: inputs([7, 5]), wrt: ['x'] },
      { inputs: inputs([2, 3, 8]), wrt: ['x'] },
      { inputs: { ...inputs([2, 3, 4]), mask: counted([2, 3]) }, wrt: ['x'] },
      { name: 'nothing counts', inputs: { ...inputs([3, 4]), mask: none([3]) } },
      { inputs: inputs([1, 3]), wrt: ['x'] },
      { name: 'more rows than a block', inputs: inputs([1000, 12]), wrt: ['x'] },
      { name: 'many channels', inputs: inputs([9, 1234]), wrt: ['x'] },
      { inputs: { ...inputs([3, 4]), mask: counted([4]) }, throws: { code: 'SHAPE', argument: 'mask' } },
      { inputs: { ...inputs([3, 4]), fallback: positive([3]) }, throws: { code: 'SHAPE', argument: 'fallback' } },
      { inputs: { ...inputs([3, 4]), x: { shape: [3, 4], dtype: 'int32' } }, throws: { code: 'DTYPE', argument: 'x' } },
    ],
    {
      backends,
      property: (holds) =>
        fc.assert(
          fc.asyncProperty(sizes, ({ rows, channels }) => holds({ inputs: inputs([rows, channels]), wrt: ['x'] })),
          { numRuns: 6 },
        ),
    },
  );
});

const pairs = (shape: number[]) => ({ x: { shape }, dy: { shape } });

test('TokenSums', async () => {
  await opcheck(
    TokenSums,
    [
      { inputs: pairs([7, 5]) },
      { inputs: pairs([2, 3, 8]) },
      { inputs: pairs([1, 1]) },
      { name: 'rows in fours', inputs: pairs([8, 3]) },
      { name: 'more rows than a block', inputs: pairs([1000, 12]) },
      { name: 'many channels', inputs: pairs([9, 1234]) },
      { inputs: { x: { shape: [3, 4] }, dy: { shape: [4, 4] } }, throws: { code: 'SHAPE', argument: 'dy' } },
    ],
    { backends },
  );
});

const blended = (shape: number[]) => ({
  x: { shape },
  dy: { shape },
  scale: { shape: shape.slice(-1) },
  slope: { shape: shape.slice(-1) },
});

test('Blend', async () => {
  await opcheck(
    Blend,
    [
      { inputs: blended([7, 5]) },
      { inputs: blended([2, 3, 8]) },
      { inputs: blended([16, 1]) },
      { name: 'many channels', inputs: blended([9, 1234]) },
      { inputs: { ...blended([3, 4]), dy: { shape: [4, 4] } }, throws: { code: 'SHAPE', argument: 'dy' } },
      { inputs: { ...blended([3, 4]), scale: { shape: [3] } }, throws: { code: 'SHAPE', argument: 'scale' } },
    ],
    { backends },
  );
});

test('UnifiedWindow', async () => {
  const inputs = (window: number, channels: number) => ({
    meanSquare: positive([channels]),
    runningVar: positive([channels]),
    squares: positive([window, channels]),
  });
  const outlying = { ...inputs(4, 6), meanSquare: { shape: [6], values: (i: number) => (i === 2 ? 400 : 1) } };
  // It stands in no tape: the backward pass is another.
  const still = { gradient: false };
  await opcheck(
    UnifiedWindow,
    [
      { inputs: inputs(4, 5), ...still },
      { inputs: inputs(4, 5), attrs: { slot: 3, smooth: true, rescale: true }, ...still },
      { inputs: inputs(3, 300), attrs: { slot: 1, smooth: true, filter: true, momentum: 0.5, epsilon: 0.1 }, ...still },
      { inputs: inputs(1, 5), attrs: { smooth: true, filter: true, rescale: true }, ...still },
      { name: 'an outlier', inputs: outlying, attrs: { slot: 2, smooth: true, filter: true, rescale: true }, ...still },
      { name: 'an outlier, clipped', inputs: outlying, attrs: { smooth: true, filter: true, protect: true }, ...still },
      { name: 'an outlier by channel', inputs: outlying, attrs: { smooth: true, filter: true, byChannel: true }, ...still },
      {
        name: 'dead channels',
        inputs: { ...inputs(4, 3), meanSquare: { shape: [3], values: () => 0 }, squares: { shape: [4, 3], values: (i) => i % 3 } },
        attrs: { smooth: true, rescale: true },
        ...still,
      },
      {
        name: 'large and small',
        inputs: { ...inputs(2, 2), meanSquare: [1e-20, 1e20], squares: { shape: [2, 2], values: [1e-24, 1e24, 1, 1] } },
        attrs: { smooth: true },
        ...still,
      },
      { inputs: inputs(4, 5), attrs: { slot: 4 }, throws: { code: 'INVALID_ARGUMENT', argument: 'slot' } },
      { inputs: inputs(4, 5), attrs: { epsilon: 0 }, throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' } },
      { inputs: { ...inputs(4, 5), squares: positive([4, 4]) }, throws: { code: 'SHAPE', argument: 'squares' } },
    ],
    { backends },
  );
});

const gradWindow = (window: number, channels: number, skip = 0) => ({
  products: { shape: [channels] },
  square: positive([channels]),
  factor: positive([channels]),
  skip: [skip],
  emaGz: { shape: [channels] },
  gradients: { shape: [window, channels] },
});

test('UnifiedGradWindow', async () => {
  const gamma = { shape: [5] };
  const still = { gradient: false };
  await opcheck(
    UnifiedGradWindow,
    [
      { inputs: gradWindow(4, 5), ...still },
      { inputs: { ...gradWindow(4, 5), gamma }, attrs: { slot: 3, smooth: true, count: 12, momentum: 0.5, epsilon: 0.1 }, ...still },
      { name: 'skipped', inputs: { ...gradWindow(3, 5, 1), gamma }, attrs: { slot: 1, smooth: true, count: 7 }, ...still },
      { name: 'alone', inputs: gradWindow(1, 300), attrs: { smooth: true, alone: true, count: 7 }, ...still },
      { inputs: { ...gradWindow(4, 5), skip: [0, 0] }, throws: { code: 'SHAPE', argument: 'skip' } },
      { inputs: gradWindow(4, 5), attrs: { slot: -1 }, throws: { code: 'INVALID_ARGUMENT', argument: 'slot' } },
      { inputs: { ...gradWindow(4, 5), emaGz: { shape: [4] } }, throws: { code: 'SHAPE', argument: 'emaGz' } },
    ],
    { backends },
  );
});

/** y, dx and the whole next state of one step. Tensors are the caller's. */
function step(x: Tensor, dy: Tensor, state: UnifiedNormState, options: UnifiedNormOptions = {}) {
  let next = state;
  let y: Tensor = x;
  const [dx] = grads((a: Tensor) => {
    const { y: normalized, ...forward } = unifiedNorm(a, undefined, undefined, state, {
      ...options,
      onBackward: (moved) => (next = { ...next, ...moved }),
    });
    y = normalized.clone();
    for (const each of [y, forward.runningVar, forward.squares, forward.skipped]) keep(each);
    next = { ...next, ...forward };
    return sum(mul(normalized, dy));
  })([x]) as [Tensor];
  return { y, dx, next };
}

// With a window of 1 a batch stands for itself, and a single step's gradient is that of normalizing by the root of the batch's mean square.
test('a window of 1 has the exact gradient', async () => {
  await onEach(backends, async () => {
    const [rows, channels] = [10, 4];
    const x = tensor(noise(rows * channels, 2), [rows, channels]);
    const dy = tensor(noise(rows * channels, 3), [rows, channels]);
    const { y, dx } = step(x, dy, unifiedNormState(channels, 1), { warmupSteps: 0 });
    const found = await read(y);
    for (let c = 0; c < channels; c++) {
      const square = found.reduce((total, value, i) => total + (i % channels === c ? (value * value) / rows : 0), 0);
      expect(square).toBeCloseTo(1, 3);
    }
    // y does not change when x is scaled, so that its gradient is orthogonal to each channel of x.
    (await read(tidy(() => sum(mul(dx, x), 0)))).forEach((product) => expect(Math.abs(product)).toBeLessThan(1e-3));
    dispose([x, dy, dx]);
  });
});

test('smooths over the window by the geometric mean, and forgets what is older', async () => {
  await onEach(backends, async () => {
    let state = unifiedNormState(1, 2);
    const roots = [1, 3, 2, 5];
    const found: number[] = [];
    for (const root of roots) {
      const { y, next } = step(tensor([root], [1, 1]), ones([1, 1]), state, { warmupSteps: 0 });
      state = next;
      found.push(...(await read(y)));
    }
    // The window is full after two steps, and counts from the third on.
    expect(worst(found, [1, 1, 2 / Math.sqrt(6), 5 / Math.sqrt(10)])).toBeLessThan(1e-4);
    expect(worst(await read(state.squares), [25, 4])).toBeLessThan(1e-3);
  });
});

test('an outlier is filtered: the step stands for itself, is counted, and enters the running statistic clipped where that is wanted', async () => {
  await onEach(backends, async () => {
    for (const [protectRunning, entering] of [
      [false, 10_000],
      [true, 4],
    ] as const) {
      let state = unifiedNormState(3, 4);
      const options: UnifiedNormOptions = { warmupSteps: 4, outlierFiltration: true, protectRunning };
      for (let t = 1; t <= 9; t++) {
        const values = noise(36, t).map((value) => Math.sign(value) * (t === 8 ? 100 : 1));
        const { y, next } = step(tensor(values, [12, 3]), ones([12, 3]), state, options);
        const before = await read(state.runningVar.clone());
        if (t === 8) {
          expect(Math.abs((await read(y))[0]!)).toBeCloseTo(1, 3);
          expect(await read(next.skipped.clone())).toEqual([1]);
          const after = await read(next.runningVar.clone());
          expect(after[0]! / (0.9 * before[0]! + 0.1 * entering)).toBeCloseTo(1, 3);
          // The slot holds the running value instead of the outlier's.
          expect((await read(next.squares.clone()))[0]).toBeCloseTo(before[0]!, 4);
        }
        state = next;
      }
    }
  });
});

test('padding does not count, whatever stands there; NaN elsewhere is refused and leaves the state as it was', async () => {
  await onEach(backends, async () => {
    const values = noise(12, 6).map((value, i) => (i >= 8 ? Number.NaN : value));
    const mask = tensor([true, true, false], [3], 'bool');
    const x = tensor(values, [3, 4]);
    const found = unifiedNorm(x, undefined, undefined, unifiedNormState(4), { mask });
    const alone = unifiedNorm(tensor(values.slice(0, 8), [2, 4]), undefined, undefined, unifiedNormState(4));
    expect(worst(await read(found.runningVar), await read(alone.runningVar))).toBeLessThan(1e-6);
    expect(worst((await read(found.y)).slice(0, 8), await read(alone.y))).toBeLessThan(1e-6);

    const skipping = unifiedNorm(x, undefined, undefined, unifiedNormState(4), { onNonFinite: 'skip' });
    expect(await read(skipping.runningVar)).toEqual([1, 1, 1, 1]);
    expect((await read(skipping.squares)).every((value) => value === 0)).toBe(true);
    expect(await raised(() => unifiedNorm(x, undefined, undefined, unifiedNormState(4)).runningVar)).toBe('NON_FINITE x');
    expect(await raised(() => unifiedNorm(ones([3, 4]), undefined, undefined, unifiedNormState(4), { mask: zeros([3]) }).y)).toBe(
      'INVALID_ARGUMENT mask',
    );
    const empty = unifiedNorm(ones([3, 4]), undefined, undefined, unifiedNormState(4), { mask: zeros([3]), emptyMask: 'skip' });
    expect(worst(await read(empty.runningVar), [1, 1, 1, 1])).toBeLessThan(1e-6);
    dispose([x, mask]);
  });
});

/** How reading the result is refused: on webgpu what depends on values is raised there. */
async function raised(run: () => Tensor): Promise<string> {
  try {
    await run().data();
    return 'nothing was thrown';
  } catch (error) {
    const { code, argument } = error as { code: string; argument: string };
    return `${code} ${argument}`;
  }
}

test('dead channels stay zeros, with a finite gradient, in and after the warm-up', async () => {
  await onEach(backends, async () => {
    let state = unifiedNormState(2, 2);
    for (let t = 0; t < 5; t++) {
      const { y, dx, next } = step(zeros([3, 2]), ones([3, 2]), state, { warmupSteps: 2 });
      expect((await read(y)).every((value) => value === 0)).toBe(true);
      expect((await read(dx)).every(Number.isFinite)).toBe(true);
      state = next;
    }
  });
});

test('NaN stays in its token in inference', async () => {
  await onEach(backends, async () => {
    const values = noise(20, 8).map((value, i) => (i === 6 ? Number.NaN : value));
    const y = unifiedNormInference(tensor(values, [5, 4]), ones([4]));
    (await read(y)).forEach((value, i) => expect(Number.isNaN(value)).toBe(i === 6));
  });
});

test('one backward pass moves its state once, and nothing is left behind', async () => {
  await onEach(backends, async () => {
    const [x, dy] = [tensor(noise(12, 1), [3, 4]), tensor(noise(12, 2), [3, 4])];
    const state = unifiedNormState(4);
    const run = async (): Promise<number> => {
      let calls = 0;
      const onBackward = (next: object): void => {
        calls++;
        dispose(Object.values(next) as Tensor[]);
      };
      const [dx] = grads((a: Tensor) => mul(unifiedNorm(a, undefined, undefined, state, { onBackward }).y, dy))([x]);
      // On webgpu the check of what is finite ends with the next read.
      await read(dx!);
      return calls;
    };
    expect(await run()).toBe(1);
    const before = memory().numTensors;
    expect(await run()).toBe(1);
    expect(memory().numTensors).toBe(before);
  });
});

test('an empty batch gives an empty result and leaves the state alone', async () => {
  await onEach(backends, async () => {
    const { y, runningVar, iterations } = unifiedNorm(zeros([0, 3]), undefined, undefined, unifiedNormState(3));
    expect([y.shape, iterations]).toEqual([[0, 3], 0]);
    expect(await read(runningVar)).toEqual([1, 1, 1]);
  });
});

test.each([
  [{ momentum: 1 }, 'INVALID_ARGUMENT momentum'],
  [{ warmupSteps: -1 }, 'INVALID_ARGUMENT warmupSteps'],
  [{ outlierFiltration: true, warmupSteps: 3 }, 'INVALID_ARGUMENT warmupSteps'],
  [{ outlierScope: 'row' as never }, 'INVALID_ARGUMENT outlierScope'],
  [{ onNonFinite: 'ignore' as never }, 'INVALID_ARGUMENT onNonFinite'],
  [{ emptyMask: 'ignore' as never }, 'INVALID_ARGUMENT emptyMask'],
  [{ epsilon: 0 }, 'INVALID_ARGUMENT epsilon'],
  [{ mask: ones([4]) }, 'SHAPE mask'],
])('refuses %o', (options, wanted) => {
  expect(refusal(() => unifiedNorm(ones([2, 4]), undefined, undefined, unifiedNormState(4), options))).toBe(wanted);
});

test('refuses states and inputs that do not fit', () => {
  const x = ones([2, 4]);
  const state = unifiedNormState(4);
  expect(refusal(() => unifiedNorm(x, undefined, undefined, { ...state, iterations: 0.5 }))).toBe('INVALID_ARGUMENT state.iterations');
  expect(refusal(() => unifiedNorm(x, undefined, undefined, unifiedNormState(3)))).toBe('SHAPE state.runningVar');
  expect(refusal(() => unifiedNorm(x, undefined, undefined, { ...state, gradients: zeros([4, 3]) }))).toBe('SHAPE state.gradients');
  expect(refusal(() => unifiedNorm(ones([4]), undefined, undefined, state))).toBe('SHAPE x');
  expect(refusal(() => unifiedNorm(x, ones([3]), undefined, state))).toBe('SHAPE gamma');
  expect(refusal(() => unifiedNorm(ones([2, 4], 'int32'), undefined, undefined, state))).toBe('DTYPE x');
  expect(refusal(() => unifiedNormState(4, 0))).toBe('INVALID_ARGUMENT window');
  expect(refusal(() => unifiedNormState(4, [2, 1.5]))).toBe('INVALID_ARGUMENT window');
});
