import { backends } from '../../../../tools/test-backends.ts';
import { fill, ones, tensor, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { opcheck } from '@evenkeel/core/testing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { noise, onEach, read, refusal, worst } from '../../test/host.ts';
import { evoNormGroups, EvoNormS, evoNormS0, evoNormS1, evoNormS2, EvoNormSGrad } from './index.ts';

const channel = (length: number): { shape: number[] } => ({ shape: [length] });

const sizes = fc.record({
  samples: fc.integer({ min: 1, max: 3 }),
  positions: fc.integer({ min: 2, max: 9 }),
  numGroups: fc.integer({ min: 1, max: 5 }),
  width: fc.integer({ min: 1, max: 6 }),
  gamma: fc.boolean(),
  beta: fc.boolean(),
  v: fc.boolean(),
  centred: fc.boolean(),
});

test('EvoNormS', async () => {
  await opcheck(
    EvoNormS,
    [
      { inputs: { x: { shape: [2, 3, 3, 6] } }, attrs: { numGroups: 3, epsilon: 0.1 } },
      { inputs: { x: { shape: [2, 3, 5, 10] }, gamma: channel(10), beta: channel(10), v: channel(10) }, attrs: { numGroups: 2 } },
      { inputs: { x: { shape: [2, 3, 5, 10] }, gamma: channel(10), beta: channel(10) }, attrs: { numGroups: 2, centred: false } },
      { name: 'three channels, rows in fours', inputs: { x: { shape: [2, 4, 4, 3] }, v: channel(3) }, attrs: { numGroups: 1 } },
      { name: 'default groups', inputs: { x: { shape: [2, 6, 64] }, gamma: channel(64), beta: channel(64), v: channel(64) } },
      { name: 'no space', inputs: { x: { shape: [3, 20] }, beta: channel(20) }, attrs: { numGroups: 5, epsilon: 0.01 } },
      { name: 'more positions than a block', inputs: { x: { shape: [2, 17, 19, 5] }, v: channel(5) }, attrs: { numGroups: 5 } },
      {
        name: 'many channels',
        inputs: { x: { shape: [1, 3, 1234] }, gamma: channel(1234), beta: channel(1234), v: channel(1234) },
        attrs: { numGroups: 2 },
      },
      {
        name: 'constant groups',
        inputs: { x: { shape: [2, 4, 6], values: (i) => i % 2 }, beta: channel(6), v: channel(6) },
        attrs: { numGroups: 6 },
        gradient: false,
      },
      {
        name: 'numbers as large as half precision has',
        inputs: { x: { shape: [2, 9, 4], low: -65504, high: 65504 }, v: { shape: [4], low: 0.5 } },
        attrs: { numGroups: 2 },
        gradient: false,
      },
      { inputs: { x: { shape: [2, 3, 6] } }, attrs: { numGroups: 4 }, throws: { code: 'INVALID_ARGUMENT', argument: 'numGroups' } },
      { inputs: { x: { shape: [2, 3, 6] } }, attrs: { numGroups: 0 }, throws: { code: 'INVALID_ARGUMENT', argument: 'numGroups' } },
      { inputs: { x: { shape: [2, 3, 6] } }, attrs: { numGroups: 1.5 }, throws: { code: 'INVALID_ARGUMENT', argument: 'numGroups' } },
      { inputs: { x: { shape: [2, 64] } }, attrs: { epsilon: -1e-5 }, throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' } },
      { inputs: { x: { shape: [2, 64] }, gamma: channel(63) }, throws: { code: 'SHAPE', argument: 'gamma' } },
      { inputs: { x: { shape: [2, 64] }, v: channel(63) }, throws: { code: 'SHAPE', argument: 'v' } },
      { inputs: { x: { shape: [2, 1, 1, 32] } }, throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { x: { shape: [2, 0, 32] } }, throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { x: { shape: [32] } }, throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { x: { shape: [2, 64], dtype: 'int32' } }, throws: { code: 'DTYPE', argument: 'x' } },
    ],
    {
      backends,
      property: (holds) =>
        fc.assert(
          fc.asyncProperty(sizes, ({ samples, positions, numGroups, width, gamma, beta, v, centred }) => {
            const channels = numGroups * width;
            return holds({
              inputs: {
                x: { shape: [samples, positions, channels] },
                ...(gamma && { gamma: channel(channels) }),
                ...(beta && { beta: channel(channels) }),
                ...(v && { v: channel(channels) }),
              },
              attrs: { numGroups, epsilon: 0.1, centred },
            });
          }),
          { numRuns: 6 },
        ),
    },
  );
});

test('EvoNormSGrad', async () => {
  await opcheck(
    EvoNormSGrad,
    [
      { inputs: { x: { shape: [2, 5, 6] }, dy: { shape: [2, 5, 6] } }, attrs: { numGroups: 2, epsilon: 0.1 } },
      { inputs: { x: { shape: [2, 5, 6] }, dy: { shape: [2, 5, 6] }, v: channel(6) }, attrs: { numGroups: 3, centred: false } },
      { inputs: { x: { shape: [2, 2, 2, 32] }, dy: { shape: [2, 2, 2, 32] }, gamma: channel(32), v: channel(32) } },
      { inputs: { x: { shape: [2, 5, 32] }, dy: { shape: [2, 4, 32] } }, throws: { code: 'SHAPE', argument: 'dy' } },
      {
        inputs: { x: { shape: [2, 5, 6] }, dy: { shape: [2, 5, 6] } },
        attrs: { numGroups: 4 },
        throws: { code: 'INVALID_ARGUMENT', argument: 'numGroups' },
      },
    ],
    // A gradient of this gradient's gradient is beyond tfjs: that of its sigmoid can be differentiated only once.
    { backends, secondOrder: false },
  );
});

test('groups are the largest divisor that is no more than wanted', () => {
  const wanted: [number, number | undefined, number][] = [
    [6, undefined, 6],
    [48, undefined, 24],
    [64, undefined, 32],
    [37, undefined, 1],
    [12, 5, 4],
    [1, 8, 1],
  ];
  for (const [channels, groups, found] of wanted) expect(evoNormGroups(channels, groups)).toBe(found);
  expect(refusal(() => evoNormGroups(0))).toBe('INVALID_ARGUMENT channels');
  expect(refusal(() => evoNormGroups(4, 2.5))).toBe('INVALID_ARGUMENT groups');
});

test('a constant map is 316 x sigmoid(x): it is not centred, but finite, and so is its gradient', async () => {
  await onEach(backends, async () => {
    const x = fill([1, 4, 4, 2], 2.5);
    const [y, { dx }] = tidy(() => [evoNormS0(x), EvoNormSGrad({ x, dy: x }, { numGroups: 2 })] as const);
    const wanted = 2.5 / (1 + Math.exp(-2.5)) / Math.sqrt(1e-5);
    for (const value of await read(y)) expect(value / wanted).toBeCloseTo(1, 5);
    expect((await read(dx)).every(Number.isFinite)).toBe(true);
    // S2 has the size of x itself.
    const [first] = await read(tidy(() => evoNormS2(x)));
    expect(first).toBeCloseTo(1 / (1 + Math.exp(-2.5)), 5);
    x.dispose();
  });
});

test('S0 of a v of one is S1; a v of zero leaves half of the normalized x, and a large one nothing below zero', async () => {
  const values = noise(2 * 9 * 4, 3);
  await onEach(backends, async () => {
    const found = tidy(() => {
      const x = tensor(values, [2, 9, 4]);
      const of = (v: number): Tensor => evoNormS0(x, undefined, undefined, fill([4], v), { groups: 2 });
      return { one: of(1), zero: of(0), large: of(1e4), negative: of(-1e4), s1: evoNormS1(x, undefined, undefined, { groups: 2 }) };
    });
    const [one, zero, large, negative, s1] = await Promise.all(
      ['one', 'zero', 'large', 'negative', 's1'].map((name) => read(found[name as 'one'])),
    );
    expect(worst(one!, s1!)).toBeLessThan(1e-6);
    values.forEach((x, i) => {
      expect(large![i]).toBeCloseTo(x > 0 ? 2 * zero![i]! : 0, 4);
      expect(negative![i]).toBeCloseTo(x < 0 ? 2 * zero![i]! : 0, 4);
    });
  });
});

test('the deviation of groups of mean 4096 and deviation 1 is right to 1e-4, on all backends', async () => {
  const x = noise(200 * 6, 5).map((value, i) => Math.fround((i % 6 < 3 ? 4096 : -4096) + value * Math.sqrt(3)));
  const wanted: number[] = [];
  for (const group of [0, 1]) {
    const members = x.map((_, i) => i).filter((i) => Math.floor((i % 6) / 3) === group);
    const mean = members.reduce((sum, i) => sum + x[i]!, 0) / members.length;
    const variance = members.reduce((sum, i) => sum + (x[i]! - mean) ** 2, 0) / members.length;
    // sigmoid is 1 or 0
    for (const i of members) wanted[i] = Math.max(0, x[i]!) / Math.sqrt(variance + 1e-5);
  }
  await onEach(backends, async () => {
    const found = await read(tidy(() => evoNormS0(tensor(x, [1, 200, 6]), undefined, undefined, undefined, { groups: 2 })));
    found.forEach((value, i) => expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-4 * (1 + wanted[i]!)));
  });
});

test('NaN stays in its sample and group, forward and backward', async () => {
  await onEach(backends, async () => {
    const values = noise(2 * 7 * 6, 3);
    const clean = tensor(values, [2, 7, 6]);
    // Sample 1, position 2, channel 4: the second of two groups.
    const soiled = tensor(
      values.map((value, i) => (i === 58 ? Number.NaN : value)),
      [2, 7, 6],
    );
    const works = [
      (x: Tensor) => evoNormS0(x, undefined, undefined, undefined, { groups: 2 }),
      (x: Tensor) => evoNormS2(x, undefined, undefined, { groups: 2 }),
      (x: Tensor) => EvoNormSGrad({ x, dy: clean }, { numGroups: 2 }).dx,
    ];
    for (const compute of works) {
      const wanted = await read(tidy(() => compute(clean)));
      const found = await read(tidy(() => compute(soiled)));
      found.forEach((value, i) => {
        if (i >= 42 && i % 6 >= 3) expect(value).toBeNaN();
        else expect(value).toBe(wanted[i]);
      });
    }
    clean.dispose();
    soiled.dispose();
  });
});

test('a sample has the same result in any batch, and an empty batch an empty one', async () => {
  const values = noise(3 * 4 * 6, 8);
  await onEach(backends, async () => {
    const found = tidy(() => {
      const options = { groups: 3 };
      return {
        all: evoNormS0(tensor(values, [3, 2, 2, 6]), undefined, undefined, undefined, options),
        last: evoNormS0(tensor(values.slice(48), [1, 2, 2, 6]), undefined, undefined, undefined, options),
        empty: evoNormS0(zeros([0, 2, 2, 6])),
      };
    });
    expect((await read(found.all)).slice(48)).toEqual(await read(found.last));
    expect(found.empty.shape).toEqual([0, 2, 2, 6]);
    found.empty.dispose();
  });
});

test('refuses by name', () => {
  const x = zeros([2, 3, 8]);
  expect(refusal(() => evoNormS0(x, ones([7])))).toBe('SHAPE gamma');
  expect(refusal(() => evoNormS1(x, ones([8]), ones([1])))).toBe('SHAPE beta');
  expect(refusal(() => evoNormS0(x, undefined, undefined, ones([4])))).toBe('SHAPE v');
  expect(refusal(() => evoNormS2(x, undefined, undefined, { groups: 0 }))).toBe('INVALID_ARGUMENT groups');
  expect(refusal(() => evoNormS0(x, undefined, undefined, undefined, { epsilon: 0 }))).toBe('INVALID_ARGUMENT epsilon');
  // 8 channels, 8 groups of 32 wanted, one position: each group is one value.
  expect(refusal(() => evoNormS0(zeros([2, 1, 1, 8])))).toBe('SHAPE x');
  expect(refusal(() => evoNormS0(undefined as never))).toBe('INVALID_ARGUMENT x');
  expect(refusal(() => evoNormS0(ones([8])))).toBe('SHAPE x');
});
