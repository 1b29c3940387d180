import { backends } from '../../../../tools/test-backends.ts';
import { dispose, fill, grads, mul, ones, sum, tensor, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { opcheck } from '@evenkeel/core/testing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { noise, onEach, read, refusal, worst } from '../../test/host.ts';
import { batchNormInference } from '../batch-norm/index.ts';
import {
  BatchChannelNorm,
  batchChannelNorm,
  BatchChannelNormGrad,
  BatchChannelNormInference,
  batchChannelNormInference,
  EstimatedBatchNorm,
  estimatedBatchNorm,
} from './index.ts';

type Rule = { shape: readonly number[]; low?: number; high?: number; values?: (index: number) => number };
const x = (...shape: number[]): Rule => ({ shape, low: -2, high: 2 });
const vector = (length: number): Rule => ({ shape: [length] });
const scale = (length: number): Rule => ({ shape: [length], low: 0.5, high: 1.5 });
const statistics = (channels: number): { mean: Rule; variance: Rule } => ({
  mean: vector(channels),
  variance: { shape: [channels], low: 0.5, high: 2 },
});
const affine = (channels: number, groups: number) => ({
  gamma: scale(channels),
  beta: vector(channels),
  channelGamma: scale(groups),
  channelBeta: vector(groups),
});

const sizes = fc.record({
  samples: fc.integer({ min: 1, max: 3 }),
  positions: fc.integer({ min: 1, max: 9 }),
  groups: fc.integer({ min: 1, max: 4 }),
  width: fc.integer({ min: 2, max: 6 }),
  perChannel: fc.boolean(),
  gamma: fc.boolean(),
  channelGamma: fc.boolean(),
});

const cases = [
  { inputs: { x: x(2, 3, 2, 6), ...statistics(6), ...affine(6, 3) }, attrs: { numGroups: 3 } },
  { inputs: { x: x(1, 4, 4), ...statistics(4) }, attrs: { numGroups: 2, epsilon: 0.01 } },
  { name: 'by channel', inputs: { x: x(2, 5, 6), ...statistics(6), ...affine(6, 6) }, attrs: { numGroups: 2, perChannel: true } },
  { name: 'one group', inputs: { x: x(3, 2, 5), ...statistics(5), gamma: scale(5), channelBeta: vector(1) }, attrs: { numGroups: 1 } },
  {
    name: 'a channel a group',
    inputs: { x: x(2, 7, 3), ...statistics(3), beta: vector(3), channelGamma: scale(3) },
    attrs: { numGroups: 3 },
  },
  { name: 'no space', inputs: { x: x(4, 8), ...statistics(8), ...affine(8, 2) }, attrs: { numGroups: 2 } },
];

const large = [
  {
    name: 'more positions than a block',
    inputs: { x: x(2, 41, 23, 8), ...statistics(8), ...affine(8, 2) },
    attrs: { numGroups: 2 },
    gradient: false,
  },
  { name: 'many channels', inputs: { x: x(3, 2, 192), ...statistics(192), ...affine(192, 32) }, gradient: false },
  { name: 'many samples', inputs: { x: x(140, 3, 6), ...statistics(6), ...affine(6, 2) }, attrs: { numGroups: 2 }, gradient: false },
  {
    name: 'numbers as large as half precision has',
    inputs: { x: { shape: [2, 9, 4], low: -65504, high: 65504 }, ...statistics(4) },
    attrs: { numGroups: 2 },
    gradient: false,
  },
  {
    name: 'constant groups',
    inputs: {
      x: { shape: [2, 4, 4], values: () => 0.5 },
      mean: { shape: [4], values: () => 0.25 },
      variance: { shape: [4], values: () => 2 },
    },
    attrs: { numGroups: 2 },
    gradient: false,
  },
];

const refusals = [
  { inputs: { x: x(2, 3, 4), ...statistics(3) }, attrs: { numGroups: 2 }, throws: { code: 'SHAPE', argument: 'mean' } },
  { inputs: { x: x(2, 3, 4), ...statistics(4), gamma: vector(3) }, attrs: { numGroups: 2 }, throws: { code: 'SHAPE', argument: 'gamma' } },
  {
    inputs: { x: x(2, 3, 4), ...statistics(4), channelGamma: vector(4) },
    attrs: { numGroups: 2 },
    throws: { code: 'SHAPE', argument: 'channelGamma' },
  },
  {
    inputs: { x: x(2, 3, 4), ...statistics(4), channelGamma: vector(2) },
    attrs: { numGroups: 2, perChannel: true },
    throws: { code: 'SHAPE', argument: 'channelGamma' },
  },
  { inputs: { x: x(2, 3, 4), ...statistics(4) }, attrs: { numGroups: 3 }, throws: { code: 'INVALID_ARGUMENT', argument: 'numGroups' } },
  { inputs: { x: x(2, 3, 4), ...statistics(4) }, attrs: { numGroups: 0 }, throws: { code: 'INVALID_ARGUMENT', argument: 'numGroups' } },
  { inputs: { x: x(2, 1, 4), ...statistics(4) }, attrs: { numGroups: 4 }, throws: { code: 'SHAPE', argument: 'x' } },
  { inputs: { x: x(2, 0, 4), ...statistics(4) }, attrs: { numGroups: 2 }, throws: { code: 'SHAPE', argument: 'x' } },
  {
    inputs: { x: x(2, 3, 4), ...statistics(4) },
    attrs: { numGroups: 2, epsilon: 0 },
    throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' },
  },
  {
    inputs: { x: { shape: [2, 3, 4], dtype: 'int32' as const }, ...statistics(4) },
    attrs: { numGroups: 2 },
    throws: { code: 'DTYPE', argument: 'x' },
  },
] as const;

test('BatchChannelNormInference', async () => {
  await opcheck(BatchChannelNormInference, [...cases, ...large, ...refusals], {
    backends,
    property: (holds) =>
      fc.assert(
        fc.asyncProperty(sizes, ({ samples, positions, groups, width, perChannel, gamma, channelGamma }) => {
          const channels = groups * width;
          const channelPart = perChannel ? channels : groups;
          return holds({
            inputs: {
              x: x(samples, positions, channels),
              ...statistics(channels),
              ...(gamma && { gamma: scale(channels), channelBeta: vector(channelPart) }),
              ...(channelGamma && { channelGamma: scale(channelPart), beta: vector(channels) }),
            },
            attrs: { numGroups: groups, perChannel, epsilon: 0.1 },
            step: 0.005,
          });
        }),
        { numRuns: 6 },
      ),
  });
});

test('BatchChannelNorm', async () => {
  const moving = [...cases, ...large].map((each) => ({
    ...each,
    attrs: { ...each.attrs, updateRate: 0.3 },
    wrt: ['x', 'gamma', 'beta', 'channelGamma', 'channelBeta'].filter((name) => name in each.inputs),
  }));
  await opcheck(
    BatchChannelNorm,
    [
      ...moving,
      ...refusals,
      { ...moving[0]!, name: 'at rest', attrs: { numGroups: 3, updateRate: 0 } },
      {
        inputs: { x: x(2, 3, 4), ...statistics(4) },
        attrs: { numGroups: 2, updateRate: 1.5 },
        throws: { code: 'INVALID_ARGUMENT', argument: 'updateRate' },
      },
    ],
    { backends },
  );
});

test('BatchChannelNormGrad', async () => {
  const given = (each: (typeof cases)[number] | (typeof large)[number]) => {
    const { channelBeta: _, ...inputs } = each.inputs as Record<string, Rule>;
    return { ...each, inputs: { ...inputs, dy: { shape: inputs['x']!.shape } } };
  };
  await opcheck(
    BatchChannelNormGrad,
    [
      ...[...cases, ...large].map((each) => ({ ...given(each), step: 0.005 })),
      { inputs: { x: x(2, 3, 4), dy: x(2, 3, 5), ...statistics(4) }, throws: { code: 'SHAPE', argument: 'dy' } },
      {
        inputs: { x: x(2, 3, 4), dy: x(2, 3, 4), ...statistics(4), channelGamma: vector(3) },
        attrs: { numGroups: 2 },
        throws: { code: 'SHAPE', argument: 'channelGamma' },
      },
    ],
    { backends },
  );
});

test('EstimatedBatchNorm', async () => {
  const wrt = ['x', 'gamma', 'beta'];
  await opcheck(
    EstimatedBatchNorm,
    [
      { inputs: { x: x(2, 3, 2, 5), ...statistics(5), gamma: scale(5), beta: vector(5) }, wrt, attrs: { updateRate: 0.3 } },
      { inputs: { x: x(1, 8), ...statistics(8) }, wrt: ['x'], attrs: { epsilon: 0.01 } },
      { inputs: { x: x(4, 4, 3), ...statistics(3), gamma: scale(3) }, wrt: ['x', 'gamma'], attrs: { updateRate: 1 } },
      { name: 'more rows than a block', inputs: { x: x(5, 31, 17, 8), ...statistics(8), beta: vector(8) }, gradient: false },
      { inputs: { x: x(2, 3, 4), ...statistics(3) }, throws: { code: 'SHAPE', argument: 'mean' } },
      { inputs: { x: x(2, 0, 4), ...statistics(4) }, throws: { code: 'SHAPE', argument: 'x' } },
      {
        inputs: { x: x(2, 4), ...statistics(4) },
        attrs: { updateRate: -0.1 },
        throws: { code: 'INVALID_ARGUMENT', argument: 'updateRate' },
      },
      { inputs: { x: x(2, 4), ...statistics(4) }, attrs: { epsilon: -1 }, throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' } },
    ],
    { backends },
  );
});

/** Of [samples, positions, channels], in double precision. */
function normalized(
  values: readonly number[],
  [samples, positions, channels]: readonly [number, number, number],
  state: { mean: readonly number[]; variance: readonly number[] },
  groups: number,
  epsilon: number,
): number[] {
  const width = channels / groups;
  const x1 = values.map((value, i) => (value - state.mean[i % channels]!) / Math.sqrt(state.variance[i % channels]! + epsilon));
  const out: number[] = [];
  for (let n = 0; n < samples; n++) {
    for (let g = 0; g < groups; g++) {
      const places = Array.from(
        { length: positions * width },
        (_, k) => (n * positions + Math.floor(k / width)) * channels + g * width + (k % width),
      );
      const mean = places.reduce((total, i) => total + x1[i]!, 0) / places.length;
      const variance = places.reduce((total, i) => total + (x1[i]! - mean) ** 2, 0) / places.length;
      for (const i of places) out[i] = (x1[i]! - mean) / Math.sqrt(variance + epsilon);
    }
  }
  return out;
}

const start = (channels: number): { mean: Tensor; variance: Tensor } => ({ mean: zeros([channels]), variance: ones([channels]) });

/** The largest |found / wanted - 1|. */
function relative(found: readonly number[], wanted: readonly number[]): number {
  return worst(
    found.map((value, i) => value / wanted[i]!),
    wanted.map(() => 1),
  );
}

test('mean 10000 with deviation 1, and numbers as large as half precision has, by the formulas in double precision', async () => {
  for (const [spread, offset, tolerance] of [
    [1, 1e4, 4e-3],
    [65504, 0, 2e-5],
    [6e-5, 0, 2e-5],
  ] as const) {
    const values = noise(2 * 30 * 8, 3).map((value, i) => value * spread + offset + (i % 8) * spread * 0.1);
    await onEach(backends, async () => {
      const input = tensor(values, [2, 30, 8]);
      const seen = Array.from(await input.data());
      const rate = 0.5;
      const state = start(8);
      const own = Array.from({ length: 8 }, (_, c) => seen.filter((_value, i) => i % 8 === c));
      const wanted = {
        mean: own.map((each) => (rate * each.reduce((a, b) => a + b, 0)) / each.length),
        variance: own.map((each) => 1 - rate + (rate * each.reduce((a, b) => a + b ** 2, 0)) / each.length),
      };
      const { y, mean, variance } = batchChannelNorm(input, state, {}, { groups: 2, updateRate: rate, epsilon: 1e-12 });
      expect(relative(await read(variance), wanted.variance)).toBeLessThan(2e-6);
      expect(worst(await read(mean), wanted.mean) / (spread + offset)).toBeLessThan(1e-6);
      expect(worst(await read(y), normalized(seen, [2, 30, 8], wanted, 2, 1e-12))).toBeLessThan(tolerance);
      dispose([input, state.mean, state.variance]);
    });
  }
});

test('zero variance: a constant group gives channelBeta, with gradients of 0', async () => {
  await onEach(backends, async () => {
    const [input, dy] = [fill([2, 4, 6], 0.7), tensor(noise(48, 5), [2, 4, 6])];
    const [state, channelBeta] = [start(6), tensor([1, -2])];
    const run = (a: Tensor): Tensor => batchChannelNormInference(a, state, { channelBeta }, { groups: 2 });
    (await read(run(input))).forEach((value, i) => expect(value).toBeCloseTo(i % 6 < 3 ? 1 : -2, 4));
    const gradient = await read(grads(run)([input], dy)[0]!);
    expect(gradient.every(Number.isFinite)).toBe(true);
    dispose([input, dy, state.mean, state.variance, channelBeta]);
  });
});

test('a channel of variance 0 among others keeps its place', async () => {
  await onEach(backends, async () => {
    const values = noise(40, 3).map((value, i) => (i % 4 === 1 ? 0.5 : value));
    const [input, state] = [tensor(values, [2, 5, 4]), { mean: zeros([4]), variance: tensor([1, 0, 1, 1]) }];
    const seen = Array.from(await input.data());
    const found = await read(batchChannelNormInference(input, state, {}, { groups: 2, epsilon: 0.01 }));
    expect(worst(found, normalized(seen, [2, 5, 4], { mean: [0, 0, 0, 0], variance: [1, 0, 1, 1] }, 2, 0.01))).toBeLessThan(1e-5);
    dispose([input, state.mean, state.variance]);
  });
});

test('batch 1 and one-pixel maps: the group has its channels', async () => {
  await onEach(backends, async () => {
    const input = tensor([1, 3, -2, 6, 0, 1], [1, 1, 1, 6]);
    const state = start(6);
    const { y, mean, variance } = batchChannelNorm(input, state, {}, { groups: 2, updateRate: 0.25 });
    const moved = { mean: [0.25, 0.75, -0.5, 1.5, 0, 0.25], variance: [1, 3, 1.75, 9.75, 0.75, 1] };
    expect(worst(await read(mean), moved.mean)).toBeLessThan(1e-6);
    expect(worst(await read(variance), moved.variance)).toBeLessThan(1e-6);
    expect(worst(await read(y), normalized([1, 3, -2, 6, 0, 1], [1, 1, 6], moved, 2, 1e-5))).toBeLessThan(1e-5);
    dispose([input, state.mean, state.variance]);
  });
});

/** Whether a value of [3, 4, 6] is in the first of two groups of the second sample. */
const isBad = (i: number): boolean => Math.floor(i / 24) === 1 && i % 6 < 3;

test('NaN in one sample stays in its group, and moves nothing', async () => {
  const values = noise(3 * 4 * 6, 2);
  values[1 * 24 + 2 * 6 + 1] = Number.NaN;
  await onEach(backends, async () => {
    const [input, dy, state] = [tensor(values, [3, 4, 6]), tensor(noise(72, 4), [3, 4, 6]), start(6)];
    const options = { groups: 2, updateRate: 0.5, onNonFinite: 'skip' } as const;
    const { y, mean, variance } = batchChannelNorm(input, state, {}, options);
    (await read(y)).forEach((value, i) => expect(Number.isNaN(value)).toBe(isBad(i)));
    expect(await read(mean)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(await read(variance)).toEqual([1, 1, 1, 1, 1, 1]);
    const dx = await read(grads((a: Tensor) => batchChannelNorm(a, state, {}, options).y)([input], dy)[0]!);
    dx.forEach((value, i) => expect(Number.isNaN(value)).toBe(isBad(i)));
    const alone = estimatedBatchNorm(input, state, undefined, undefined, { onNonFinite: 'skip' });
    (await read(alone.y)).forEach((value, i) => expect(Number.isNaN(value)).toBe(Number.isNaN(values[i]!)));
    expect(await read(alone.mean)).toEqual([0, 0, 0, 0, 0, 0]);
    dispose([input, dy, state.mean, state.variance, alone.variance]);
  });
});

test('NaN is told by default, before any state is written', async () => {
  await onEach(['cpu', 'wasm'], async () => {
    const [input, state] = [fill([2, 3, 4], Number.NaN), start(4)];
    for (const mode of ['estimate', 'batch'] as const) {
      expect(refusal(() => batchChannelNorm(input, state, {}, { groups: 2, mode }))).toMatch(/NON_FINITE (x|batch)/);
    }
    expect(refusal(() => estimatedBatchNorm(input, state))).toBe('NON_FINITE x');
    dispose([input, state.mean, state.variance]);
  });
});

test('mode batch is batch norm, then group norm, whose gradient reaches the statistics', async () => {
  await onEach(backends, async () => {
    const [input, weights, state] = [tensor(noise(4 * 3 * 4, 1), [4, 3, 4]), tensor(noise(48, 2), [4, 3, 4]), start(4)];
    // The same for a shifted and scaled batch: its own statistics undo that.
    const run = (a: Tensor): Tensor => batchChannelNorm(a, state, {}, { groups: 2, mode: 'batch', epsilon: 1e-12 }).y;
    const moved = tidy(() => mul(input, 3));
    expect(worst(await read(run(moved)), await read(run(input)))).toBeLessThan(1e-4);
    const gradient = grads((a: Tensor) => sum(mul(run(a), weights)))([input])[0]!;
    const along = tidy(() => sum(mul(gradient, input)));
    expect(Math.abs((await read(along))[0]!)).toBeLessThan(1e-4);
    dispose([input, weights, moved, gradient, state.mean, state.variance]);
  });
});

test('an empty batch moves nothing', async () => {
  await onEach(backends, async () => {
    const state = { mean: fill([4], 2), variance: fill([4], 3) };
    const empty = zeros([0, 3, 4]);
    for (const { y, mean, variance } of [
      batchChannelNorm(empty, state, {}, { groups: 2 }),
      batchChannelNorm(empty, state, {}, { groups: 2, mode: 'batch' }),
      estimatedBatchNorm(empty, state),
    ]) {
      expect(y.shape).toEqual([0, 3, 4]);
      expect(await read(mean)).toEqual([2, 2, 2, 2]);
      expect(await read(variance)).toEqual([3, 3, 3, 3]);
      y.dispose();
    }
    dispose([empty, state.mean, state.variance]);
  });
});

test('the batch part alone is batch norm with the statistics that it gives', async () => {
  await onEach(backends, async () => {
    const [input, gamma, beta, state] = [tensor(noise(90, 3), [2, 9, 5]), tensor(noise(5, 1)), tensor(noise(5, 2)), start(5)];
    const { y, mean, variance } = estimatedBatchNorm(input, state, gamma, beta, { updateRate: 0.2 });
    const wanted = await read(batchNormInference(input, mean, variance, gamma, beta, { epsilon: 1e-5 }));
    expect(worst(await read(y), wanted)).toBeLessThan(1e-6);
    dispose([input, gamma, beta, mean, variance, state.mean, state.variance]);
  });
});

test('replicas that average their states after a step have averaged the statistics of their batches', async () => {
  await onEach(['cpu', 'wasm'], async () => {
    const [input, state] = [tensor(noise(4 * 5 * 6, 9), [4, 5, 6]), start(6)];
    const values = Array.from(await input.data());
    const options = { groups: 2, updateRate: 0.3 };
    const halves = [0, 1].map((k) => batchChannelNorm(tensor(values.slice(60 * k, 60 * k + 60), [2, 5, 6]), state, {}, options));
    const whole = batchChannelNorm(input, state, {}, options);
    for (const name of ['mean', 'variance'] as const) {
      const [one, other] = [await read(halves[0]![name]), await read(halves[1]![name])];
      expect(
        worst(
          await read(whole[name]),
          one.map((value, i) => (value + other[i]!) / 2),
        ),
      ).toBeLessThan(1e-6);
    }
    dispose([input, whole.y, ...halves.map(({ y }) => y), state.mean, state.variance]);
  });
});

test('refuses by name', () => {
  const [input, state] = [zeros([2, 3, 12]), start(12)];
  const of = (options: object): string => refusal(() => batchChannelNorm(input, state, {}, options));
  expect(of({ groups: 5 })).toBe('INVALID_ARGUMENT groups');
  expect(() => batchChannelNorm(input, state, {}, { groups: 5 })).toThrow('expected a divisor of the 12 channels; 4 is the nearest');
  expect(of({ groups: 4, updateRate: 2 })).toBe('INVALID_ARGUMENT updateRate');
  expect(of({ groups: 4, updateRate: Number.NaN })).toBe('INVALID_ARGUMENT updateRate');
  expect(of({ groups: 4, mode: 'other' })).toBe('INVALID_ARGUMENT mode');
  expect(of({ groups: 4, onNonFinite: 'propagate' })).toBe('INVALID_ARGUMENT onNonFinite');
  expect(of({ groups: 4, channelAffine: 'none' })).toBe('INVALID_ARGUMENT channelAffine');
  expect(refusal(() => batchChannelNorm(input, start(11), {}, { groups: 4 }))).toBe('SHAPE state.mean');
  expect(refusal(() => batchChannelNorm(zeros([12]), state, {}, { groups: 4 }))).toBe('SHAPE x');
  expect(refusal(() => batchChannelNormInference(input, state, { channelBeta: zeros([12]) }, { groups: 4 }))).toBe('SHAPE channelBeta');
  expect(refusal(() => batchChannelNormInference(zeros([2, 1, 12]), state, {}, { groups: 12 }))).toBe('SHAPE x');
  expect(refusal(() => estimatedBatchNorm(input, { mean: zeros([12]), variance: zeros([1]) }))).toBe('SHAPE state.variance');
  expect(refusal(() => estimatedBatchNorm(input, state, undefined, undefined, { updateRate: -1 }))).toBe('INVALID_ARGUMENT updateRate');
});
