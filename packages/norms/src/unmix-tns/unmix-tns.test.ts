import { backends } from '../../../../tools/test-backends.ts';
import { clone, dispose, grads, mul, ones, randomNormal, sum, tensor, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { opcheck, type RandomInput } from '@evenkeel/core/testing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { noise, onEach, read, refusal, worst } from '../../test/host.ts';
import { smallestDistance, UnMixNorm, UnMixNormGrad, unMixTNS, unMixTNSState, type UnMixTNSOptions } from './index.ts';

const positive = (shape: number[]): RandomInput => ({ shape, low: 0.5, high: 1.5 });
const wrt = ['x', 'gamma', 'beta'];

const sizes = fc.record({
  images: fc.integer({ min: 1, max: 5 }),
  positions: fc.integer({ min: 1, max: 70 }),
  channels: fc.integer({ min: 1, max: 21 }),
  components: fc.integer({ min: 1, max: 9 }),
});

// The means of neighbours differ in sign, so that no image's mean is near zero, where cosines jump.
const pictures = (shape: number[]): RandomInput => ({
  shape,
  values: (i) => (i % 2 === 0 ? 1 : -1) * (0.5 + Math.sin(1 + i * i)) + Math.cos(i % shape.at(-1)!),
});

const inputs = (shape: number[], components: number) => {
  const channels = shape.at(-1)!;
  return { x: pictures(shape), means: { shape: [components, channels] }, variances: positive([components, channels]) };
};
const affine = (channels: number) => ({ gamma: positive([channels]), beta: { shape: [channels] } });

test('UnMixNorm', async () => {
  await opcheck(
    UnMixNorm,
    [
      { inputs: { ...inputs([3, 5, 5, 6], 8), ...affine(6) }, wrt },
      { inputs: inputs([2, 7, 3], 4), attrs: { momentum: 0.5, epsilon: 1e-5, temperature: 0.5 }, wrt: ['x'] },
      { inputs: { ...inputs([2, 4, 4, 8], 3), gamma: positive([8]) }, attrs: { exactMixtureVariance: true }, wrt: ['x', 'gamma'] },
      { inputs: { ...inputs([2, 3, 5], 3), beta: { shape: [5] } }, attrs: { exactMixtureVariance: true }, wrt: ['x', 'beta'] },
      { name: 'one component', inputs: inputs([3, 4, 4, 4], 1), wrt: ['x'] },
      { name: 'one image', inputs: { ...inputs([1, 9, 5], 3), ...affine(5) }, wrt },
      { name: 'one pixel', inputs: { ...inputs([4, 1, 1, 6], 4), ...affine(6) }, wrt },
      { name: 'one of everything', inputs: inputs([1, 1, 1], 1), wrt: ['x'] },
      { name: 'many channels', inputs: inputs([2, 3, 1030], 5), wrt: ['x'] },
      { name: 'more positions than a block', inputs: { ...inputs([2, 1000, 12], 4), ...affine(12) }, wrt },
      { name: 'many components', inputs: inputs([2, 6, 4], 130), wrt: ['x'] },
      { name: 'images of zeros', inputs: { ...inputs([2, 3, 4], 3), x: { shape: [2, 3, 4], values: () => 0 } }, wrt: ['x'] },
      {
        name: 'NaN in one image, infinity in another',
        inputs: {
          ...inputs([4, 3, 4], 3),
          x: { shape: [4, 3, 4], values: (i: number) => (i === 7 ? Number.NaN : i === 30 ? Infinity : Math.sin(i)) },
        },
        gradient: false,
      },
      { inputs: inputs([3, 4], 2), throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: inputs([3, 0, 4], 2), throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: inputs([3, 2, 4], 0), throws: { code: 'INVALID_ARGUMENT', argument: 'means' } },
      { inputs: { ...inputs([3, 2, 4], 2), means: { shape: [2, 3] } }, throws: { code: 'SHAPE', argument: 'means' } },
      { inputs: { ...inputs([3, 2, 4], 2), variances: positive([3, 4]) }, throws: { code: 'SHAPE', argument: 'variances' } },
      { inputs: { ...inputs([3, 2, 4], 2), gamma: positive([3]) }, throws: { code: 'SHAPE', argument: 'gamma' } },
      { inputs: inputs([3, 2, 4], 2), attrs: { temperature: 0 }, throws: { code: 'INVALID_ARGUMENT', argument: 'temperature' } },
      { inputs: inputs([3, 2, 4], 2), attrs: { momentum: 1.5 }, throws: { code: 'INVALID_ARGUMENT', argument: 'momentum' } },
      { inputs: inputs([3, 2, 4], 2), attrs: { epsilon: 0 }, throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' } },
    ],
    {
      backends,
      property: (holds) =>
        fc.assert(
          fc.asyncProperty(sizes, ({ images, positions, channels, components }) =>
            holds({ inputs: { ...inputs([images, positions, channels], components), ...affine(channels) }, wrt }),
          ),
          { numRuns: 6 },
        ),
    },
  );
});

const gradInputs = (shape: number[]) => {
  const [images, channels] = [shape[0]!, shape.at(-1)!];
  return { x: { shape }, dy: { shape }, statistics: positive([images, 4, channels]) };
};

test('UnMixNormGrad', async () => {
  await opcheck(
    UnMixNormGrad,
    [
      { inputs: { ...gradInputs([3, 5, 5, 6]), gamma: positive([6]) } },
      { inputs: gradInputs([2, 7, 8]), attrs: { components: 1, epsilon: 1e-5 } },
      { inputs: gradInputs([1, 1, 1]), attrs: { components: 3 } },
      { name: 'many channels', inputs: gradInputs([2, 3, 1030]) },
      { name: 'more positions than a block', inputs: gradInputs([2, 1000, 12]) },
      { inputs: gradInputs([2, 7]), throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { ...gradInputs([2, 7, 8]), dy: { shape: [2, 6, 8] } }, throws: { code: 'SHAPE', argument: 'dy' } },
      { inputs: { ...gradInputs([2, 7, 8]), statistics: { shape: [2, 3, 8] } }, throws: { code: 'SHAPE', argument: 'statistics' } },
      { inputs: gradInputs([2, 7, 8]), attrs: { components: 0 }, throws: { code: 'INVALID_ARGUMENT', argument: 'components' } },
      { inputs: gradInputs([2, 7, 8]), attrs: { epsilon: -1 }, throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' } },
    ],
    { backends },
  );
});

const average = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0) / values.length;
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((total, value, i) => total + value * b[i]!, 0);

/** A small layer in double precision, as the paper has it; `assignment` where it is given, in place of its own. */
function onHost(
  x: readonly number[][][],
  { means, variances }: { means: readonly number[][]; variances: readonly number[][] },
  { exact = false, epsilon = 1e-3, temperature = 0.07 },
  given?: readonly number[][],
) {
  const channels = means[0]!.map((_, c) => c);
  const assignment: number[][] = [];
  const y = x.map((image, b) => {
    const own = channels.map((c) => average(image.map((position) => position[c]!)));
    const variance = channels.map((c) => average(image.map((position) => (position[c]! - own[c]!) ** 2)));
    const scores = means.map((bank) => Math.exp(dot(own, bank) / Math.sqrt(dot(own, own) * dot(bank, bank)) / temperature));
    const p = given?.[b] ?? scores.map((score) => score / scores.reduce((total, each) => total + each, 0));
    assignment.push(p);
    const m = means.map((bank, k) => bank.map((mean, c) => (1 - p[k]!) * mean + p[k]! * own[c]!));
    const v = variances.map((bank, k) =>
      bank.map((spread, c) => {
        const between = exact ? p[k]! * (1 - p[k]!) * (own[c]! - means[k]![c]!) ** 2 : 0;
        return (1 - p[k]!) * spread + p[k]! * variance[c]! + between;
      }),
    );
    const mean = channels.map((c) => average(m.map((row) => row[c]!)));
    const spread = channels.map((c) => average(v.map((row) => row[c]!)) + average(m.map((row) => row[c]! ** 2)) - mean[c]! ** 2);
    return image.map((position) => position.map((value, c) => (value - mean[c]!) / Math.sqrt(spread[c]! + epsilon)));
  });
  return { y, assignment };
}

const nest = (values: readonly number[], [b, n, c]: readonly [number, number, number]): number[][][] =>
  Array.from({ length: b }, (_, i) => Array.from({ length: n }, (__, j) => values.slice((i * n + j) * c, (i * n + j + 1) * c)));

test.each([false, true])('computes the paper, and the gradient with the assignment for a constant; exact variance: %s', async (exact) => {
  const shape = [2, 6, 3] as const;
  const values = noise(36, 4).map((value, i) => value + ((i % 3) - 1));
  const weights = noise(36, 9);
  const bank = {
    means: nest(noise(12, 5), [1, 4, 3])[0]!,
    variances: nest(noise(12, 6), [1, 4, 3])[0]!.map((row) => row.map((v) => v + 2)),
  };
  const { y: wanted, assignment } = onHost(nest(values, shape), bank, { exact });
  const loss = (moved: number[]): number =>
    onHost(nest(moved, shape), bank, { exact }, assignment)
      .y.flat(2)
      .reduce((total, value, i) => total + value * weights[i]!, 0);
  const step = 1e-4;
  const slopes = values.map((_, i) => {
    const at = (by: number): number => loss(values.map((value, j) => (i === j ? value + by : value)));
    return (at(step) - at(-step)) / (2 * step);
  });
  await onEach(backends, async () => {
    const state = { means: tensor(bank.means), variances: tensor(bank.variances) };
    const options = { exactMixtureVariance: exact };
    const y = tidy(() => unMixTNS(tensor(values, [...shape]), undefined, undefined, state, options).y);
    expect(worst(await read(y), wanted.flat(2))).toBeLessThan(2e-5);
    const dx = tidy(() => {
      const f = (x: Tensor): Tensor => sum(mul(unMixTNS(x, undefined, undefined, state, options).y, tensor(weights, [...shape])));
      return grads(f)([tensor(values, [...shape])])[0]!;
    });
    expect(worst(await read(dx), slopes)).toBeLessThan(5e-5);
    dispose([state.means, state.variances]);
  });
});

test('the start: centered it is the statistics of training exactly, random in expectation', async () => {
  const [mean, variance] = [
    [1, -2, 3],
    [4, 0.25, 0],
  ];
  await onEach(backends, async () => {
    for (const [init, components, tolerance] of [
      ['centered', 2, 1e-5],
      ['centered', 7, 1e-5],
      ['random', 4000, 0.2],
    ] as const) {
      const { means, variances } = unMixTNSState(tensor(mean), tensor(variance), { components, init, seed: 3, alpha: 0.4 });
      const [m, v] = [await read(means), await read(variances)];
      for (let c = 0; c < 3; c++) {
        const column = m.filter((_, i) => i % 3 === c);
        const center = column.reduce((total, value) => total + value, 0) / components;
        const between = column.reduce((total, value) => total + (value - center) ** 2, 0) / components;
        expect(Math.abs(center - mean[c]!), init).toBeLessThan(tolerance);
        expect(Math.abs(between + v[c]! - variance[c]!), init).toBeLessThan(tolerance);
        expect(v[c]).toBeCloseTo(0.6 * variance[c]!, 5);
      }
    }
    const one = unMixTNSState(tensor(mean), tensor(variance), { components: 1 });
    expect([...(await read(one.means)), ...(await read(one.variances))]).toEqual([...mean, ...variance]);
    const [first, again, other] = [1, 1, 2].map((seed) => unMixTNSState(zeros([5]), ones([5]), { seed }));
    const drawn = await read(first!.means);
    expect(await read(again!.means)).toEqual(drawn);
    expect(await read(other!.means)).not.toEqual(drawn);
  });
});

/** x [batch, 4, 3] with a bank of three, and what comes out, on the host. */
async function call(values: readonly number[], options: UnMixTNSOptions = {}) {
  const images = values.length / 12;
  const state = { means: tensor(noise(9, 7), [3, 3]), variances: tensor([1, 2, 1, 2, 1, 2, 1, 2, 1], [3, 3]) };
  const x = tensor([...values], [images, 4, 3]);
  try {
    const { y, means, variances, assignment, skipped } = unMixTNS(x, undefined, undefined, state, options);
    return {
      y: await read(y),
      means: await read(means),
      variances: await read(variances),
      assignment: await read(assignment),
      skipped: (await read(skipped))[0],
      before: { means: await read(clone(state.means)), variances: await read(clone(state.variances)) },
    };
  } finally {
    dispose([x, state.means, state.variances]);
  }
}

test('NaN and infinity stay in their image, which is counted and moves nothing', async () => {
  await onEach(backends, async () => {
    const good = noise(24, 2);
    for (const strange of [Number.NaN, Infinity, -Infinity]) {
      const bad = noise(12, 3).map((value, i) => (i === 4 ? strange : value));
      const wanted = await call(good, { batchSize: 3 });
      const found = await call([...good.slice(0, 12), ...bad, ...good.slice(12)], { batchSize: 3 });
      expect(found.skipped).toBe(1);
      expect(worst(found.means, wanted.means)).toBeLessThan(1e-6);
      expect(worst(found.variances, wanted.variances)).toBeLessThan(1e-6);
      expect(worst(found.y.slice(0, 12), wanted.y.slice(0, 12))).toBeLessThan(1e-6);
      expect(worst(found.y.slice(24), wanted.y.slice(12))).toBeLessThan(1e-6);
      expect(found.y.slice(12, 24).some((value) => !Number.isFinite(value))).toBe(true);
      const alone = await call(bad);
      expect(alone.skipped).toBe(1);
      expect([alone.means, alone.variances]).toEqual([alone.before.means, alone.before.variances]);
    }
  });
});

test("'throw' leaves the state as it was", async () => {
  await onEach(backends, async (name) => {
    const values = noise(24, 2).map((value, i) => (i === 3 ? Number.NaN : value));
    let code = '';
    try {
      await call(values, { onNonFinite: 'throw' });
    } catch (error) {
      code = (error as { code: string }).code;
    }
    expect(code, name).toBe('NON_FINITE');
    const fine = await call(noise(24, 2), { onNonFinite: 'throw' });
    expect(fine.skipped).toBe(0);
    expect(fine.means).not.toEqual(fine.before.means);
  });
});

test('the state moves by 1 - momentum^(batch size / full batch size) of the mean of p (own - component)', async () => {
  await onEach(backends, async () => {
    const values = noise(24, 2);
    const { means, variances, assignment, before } = await call(values, { momentum: 0.8, maxBatchSize: 8 });
    const share = 1 - 0.8 ** (2 / 8);
    const own = [0, 1].map((b) => [0, 1, 2].map((c) => [0, 1, 2, 3].reduce((total, n) => total + values[b * 12 + n * 3 + c]! / 4, 0)));
    const wanted = before.means.map((mean, i) => {
      const [k, c] = [Math.floor(i / 3), i % 3];
      return mean + (share * [0, 1].reduce((total, b) => total + assignment[b * 3 + k]! * (own[b]![c]! - mean), 0)) / 2;
    });
    expect(worst(means, wanted)).toBeLessThan(1e-6);
    expect(variances).not.toEqual(before.variances);
    const configured = await call(values, { momentum: 0.8, maxBatchSize: 8, batchSize: 16 });
    const ratio = (1 - 0.8 ** 2) / share;
    const scaled = before.means.map((mean, i) => mean + ratio * (means[i]! - mean));
    expect(worst(configured.means, scaled)).toBeLessThan(1e-5);
    const still = await call(values, { momentum: 0.9999999 });
    expect(worst(still.means, before.means)).toBeLessThan(1e-6);
  });
});

test('an image of zeros belongs to all components alike, a batch of one and a map of one pixel are fine', async () => {
  await onEach(backends, async () => {
    const { assignment, y } = await call(Array.from({ length: 12 }, () => 0));
    expect(worst(assignment, [1 / 3, 1 / 3, 1 / 3])).toBeLessThan(1e-6);
    expect(y.every(Number.isFinite)).toBe(true);
    const state = unMixTNSState(tensor([1, 2]), tensor([1, 0]), { components: 3 });
    const pixel = unMixTNS(tensor([3, 4], [1, 1, 1, 2]), undefined, undefined, state);
    for (const each of [pixel.y, pixel.means, pixel.variances]) expect((await read(each)).every(Number.isFinite)).toBe(true);
    dispose([state.means, state.variances, pixel.assignment, pixel.skipped]);
  });
});

test('a mean of 1e4 with a deviation of 1, and numbers up to those of float16', async () => {
  const [images, positions, channels] = [2, 64, 4];
  const plain = noise(images * positions * channels, 8).map((value) => value * 1.7);
  const state = { means: noise(12, 3), variances: noise(12, 4).map((value) => value + 2) };
  const run = (factor: number, offset: number): Promise<number[]> =>
    read(
      tidy(() => {
        const x = tensor(
          plain.map((value) => value * factor + offset),
          [images, positions, channels],
        );
        const bank = {
          means: tensor(
            state.means.map((value) => value * factor + offset),
            [3, channels],
          ),
          variances: tensor(
            state.variances.map((value) => value * factor ** 2),
            [3, channels],
          ),
        };
        return unMixTNS(x, undefined, undefined, bank, { epsilon: 1e-9 * factor ** 2, temperature: 1e4 }).y;
      }),
    );
  await onEach(backends, async () => {
    const wanted = await run(1, 0);
    // With so high a temperature all shares are one third, whatever the offset does to cosines.
    expect(worst(await run(1, 1e4), wanted)).toBeLessThan(5e-3);
    expect(worst(await run(38_000, 0), wanted)).toBeLessThan(1e-4);
    expect(worst(await run(2 ** -14, 0), wanted)).toBeLessThan(1e-4);
  });
});

test('an empty batch moves nothing', async () => {
  await onEach(backends, async () => {
    const state = unMixTNSState(zeros([3]), ones([3]), { components: 4 });
    const next = unMixTNS(zeros([0, 2, 3]), undefined, undefined, state);
    expect(next.y.shape).toEqual([0, 2, 3]);
    expect(await read(next.means)).toEqual(Array.from(await state.means.data()));
    expect(await read(next.variances)).toEqual(Array.from(await state.variances.data()));
    expect(await read(next.skipped)).toEqual([0]);
    dispose([state.means, state.variances, next.y, next.assignment]);
  });
});

test('smallestDistance is that of the two nearest components, in deviations of training', async () => {
  await onEach(backends, async () => {
    const means = tensor([0, 0, 6, 8, 3, 0], [3, 2]);
    // Components 0 and 2 are 3 apart in the first channel, whose deviation is 2.
    expect((await read(smallestDistance(means, tensor([4, 1]))))[0]).toBeCloseTo(Math.sqrt(1.5 ** 2 / 2), 5);
    expect(await read(smallestDistance(tensor([1, 2], [1, 2]), tensor([4, 1])))).toEqual([Infinity]);
    // A channel without variance counts as it is.
    expect((await read(smallestDistance(tensor([0, 2], [2, 1]), tensor([0]))))[0]).toBeCloseTo(2, 5);
  });
});

test('refuses bad calls by name', () => {
  const state = unMixTNSState(zeros([3]), ones([3]), { components: 2 });
  const x = randomNormal([2, 4, 3]);
  const run =
    (options: UnMixTNSOptions): (() => unknown) =>
    () =>
      unMixTNS(x, undefined, undefined, state, options);
  expect(refusal(run({ temperature: 0 }))).toBe('INVALID_ARGUMENT temperature');
  expect(refusal(run({ momentum: 1 }))).toBe('INVALID_ARGUMENT momentum');
  expect(refusal(run({ batchSize: 0 }))).toBe('INVALID_ARGUMENT batchSize');
  expect(refusal(run({ maxBatchSize: 0.5 }))).toBe('INVALID_ARGUMENT maxBatchSize');
  expect(refusal(run({ epsilon: 0 }))).toBe('INVALID_ARGUMENT epsilon');
  expect(refusal(run({ onNonFinite: 'propagate' as 'skip' }))).toBe('INVALID_ARGUMENT onNonFinite');
  expect(refusal(() => unMixTNS(randomNormal([2, 3]), undefined, undefined, state))).toBe('SHAPE x');
  expect(refusal(() => unMixTNS(randomNormal([2, 4, 5]), undefined, undefined, state))).toBe('SHAPE means');
  expect(refusal(() => unMixTNSState(zeros([3]), ones([4])))).toBe('SHAPE variance');
  expect(refusal(() => unMixTNSState(zeros([1, 3]), ones([1, 3])))).toBe('SHAPE mean');
  expect(refusal(() => unMixTNSState(zeros([3]), ones([3]), { components: 0 }))).toBe('INVALID_ARGUMENT components');
  expect(refusal(() => unMixTNSState(zeros([3]), ones([3]), { alpha: 2 }))).toBe('INVALID_ARGUMENT alpha');
  expect(refusal(() => unMixTNSState(zeros([3]), ones([3]), { init: 'other' as 'random' }))).toBe('INVALID_ARGUMENT init');
  expect(refusal(() => unMixTNSState(zeros([3]), ones([3]), { components: 2, noise: zeros([3, 3]) }))).toBe('SHAPE noise');
  expect(refusal(() => smallestDistance(zeros([2, 3]), ones([2])))).toBe('SHAPE variance');
});
