import { backends } from '../../../../tools/test-backends.ts';
import { dispose, fill, grads, mul, ones, sum, tensor, tidy, transpose, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { opcheck } from '@evenkeel/core/testing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { apart, noise, onEach, read, refusal, worst } from '../../test/host.ts';
import { foldBatchNorm } from '../batch-norm/index.ts';
import { asVariance, l1BatchNorm, L1BatchNorm, L1BatchNormGrad, l1BatchNormInference, updateMovingDeviations } from './index.ts';

const sizes = fc.record({
  rows: fc.integer({ min: 2, max: 40 }),
  channels: fc.integer({ min: 1, max: 21 }),
  gamma: fc.boolean(),
  beta: fc.boolean(),
});

/** Values of which none is near the mean of its channel. */
const images = (...shape: number[]): ReturnType<typeof apart> => apart(shape, shape.at(-1));

test('L1BatchNorm', async () => {
  await opcheck(
    L1BatchNorm,
    [
      { inputs: { x: images(8, 5) }, attrs: { epsilon: 0.1 } },
      { inputs: { x: images(4, 3, 3, 10), gamma: { shape: [10] }, beta: { shape: [10] } }, attrs: { gaussianScale: true } },
      { name: 'three channels, rows in fours', inputs: { x: images(2, 4, 4, 3), gamma: { shape: [3] } } },
      { name: 'one channel, rows in sixteens', inputs: { x: images(2, 4, 4, 1), beta: { shape: [1] } } },
      { name: 'more rows than a block', inputs: { x: images(1000, 7), gamma: { shape: [7] }, beta: { shape: [7] } } },
      { name: 'many channels', inputs: { x: images(10, 1234), gamma: { shape: [1234] }, beta: { shape: [1234] } } },
      { inputs: { x: images(4, 64), gamma: { shape: [64] }, beta: { shape: [64] } }, attrs: { epsilon: 0.01 } },
      { name: 'constant channels', inputs: { x: { shape: [6, 4], values: (i) => i % 4 }, beta: { shape: [4] } }, gradient: false },
      { inputs: { x: { shape: [1, 5] } }, throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { x: { shape: [1, 1, 1, 5] } }, throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { x: { shape: [5] } }, throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { x: { shape: [4, 5] }, gamma: { shape: [4] } }, throws: { code: 'SHAPE', argument: 'gamma' } },
      { inputs: { x: { shape: [4, 5] } }, attrs: { epsilon: 0 }, throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' } },
      { inputs: { x: { shape: [4, 5] } }, attrs: { gradFloor: -0.1 }, throws: { code: 'INVALID_ARGUMENT', argument: 'gradFloor' } },
      { inputs: { x: { shape: [4, 5], dtype: 'int32' } }, throws: { code: 'DTYPE', argument: 'x' } },
    ],
    {
      backends,
      property: (holds) =>
        fc.assert(
          fc.asyncProperty(sizes, ({ rows, channels, gamma, beta }) =>
            holds({
              inputs: {
                x: images(rows, channels),
                ...(gamma && { gamma: { shape: [channels] } }),
                ...(beta && { beta: { shape: [channels] } }),
              },
              attrs: { epsilon: 0.1 },
            }),
          ),
          { numRuns: 6 },
        ),
    },
  );
});

/** Statistics near those of `images`: nothing lies between them and the true mean. */
function statistics(channels: number): Record<string, { shape: number[]; low: number; high: number }> {
  return Object.fromEntries(
    Object.entries({ mean: [-0.1, 0.1], deviation: [0.5, 1], dmean: [-1, 1], ddeviation: [-1, 1] }).map(([name, [low, high]]) => [
      name,
      { shape: [channels], low: low!, high: high! },
    ]),
  );
}

test('L1BatchNormGrad', async () => {
  await opcheck(
    L1BatchNormGrad,
    [
      { inputs: { x: images(7, 5), dy: { shape: [7, 5] }, ...statistics(5) }, attrs: { epsilon: 0.1 } },
      { inputs: { x: images(4, 4, 3), dy: { shape: [4, 4, 3] }, ...statistics(3), gamma: { shape: [3] } }, attrs: { gaussianScale: true } },
      { inputs: { x: images(4, 20), dy: { shape: [4, 20] }, ...statistics(20), gamma: { shape: [20] } } },
      {
        name: 'some channels below the floor',
        inputs: { x: images(6, 4), dy: { shape: [6, 4] }, ...statistics(4), deviation: [0.1, 0.6, 0.2, 0.7] },
        attrs: { gradFloor: 0.45, epsilon: 0.5 },
      },
      { inputs: { x: images(4, 5), dy: { shape: [3, 5] }, ...statistics(5) }, throws: { code: 'SHAPE', argument: 'dy' } },
      { inputs: { x: images(4, 5), dy: { shape: [4, 5] }, ...statistics(4) }, throws: { code: 'SHAPE', argument: 'mean' } },
    ],
    { backends },
  );
});

/** Mean and deviation of values, in double precision. */
function statisticsOf(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  return { mean, deviation: values.reduce((total, value) => total + Math.abs(value - mean), 0) / values.length };
}

test('statistics and outputs of channels of mean 1e4 and deviation 1 are right to 5e-3, on all backends', async () => {
  const [rows, channels] = [5000, 3];
  const means = [1e4, 0, -1e4];
  const x = noise(rows * channels, 5).map((value, i) => Math.fround(means[i % channels]! + value * 2));
  const exact = means.map((_, channel) => statisticsOf(x.filter((__, i) => i % channels === channel)));
  const wanted = x.map((value, i) => (value - exact[i % channels]!.mean) / (exact[i % channels]!.deviation + 1e-5));
  await onEach(backends, async () => {
    const found = tidy(() => l1BatchNorm(tensor(x, [rows, channels])));
    expect(worst(await read(found.y), wanted)).toBeLessThan(5e-3);
    (await read(found.mean)).forEach((mean, i) => expect(Math.abs(mean - exact[i]!.mean)).toBeLessThan(2e-3));
    (await read(found.deviation)).forEach((deviation, i) => expect(Math.abs(deviation / exact[i]!.deviation - 1)).toBeLessThan(1e-4));
  });
});

test('is right where squares are infinite', async () => {
  const x = noise(400, 5).map((value, i) => Math.fround(value * (i % 2 === 0 ? 65504 : 1e30)));
  const exact = [0, 1].map((channel) => statisticsOf(x.filter((_, i) => i % 2 === channel)));
  const wanted = x.map((value, i) => (value - exact[i % 2]!.mean) / exact[i % 2]!.deviation);
  await onEach(backends, async () => {
    expect(worst(await read(tidy(() => l1BatchNorm(tensor(x, [200, 2])).y)), wanted)).toBeLessThan(1e-5);
  });
});

test('sums over very many rows as in double precision', async () => {
  const [rows, channels] = [200_000, 3];
  const x = noise(rows * channels, 7).map((value) => Math.fround(value + 3));
  const exact = [0, 1, 2].map((channel) => statisticsOf(x.filter((_, i) => i % channels === channel)));
  // A software GPU would take half a minute.
  await onEach(['wasm'], async () => {
    const { mean, deviation, dbeta } = tidy(() => {
      const input = tensor(x, [rows, channels]);
      const { mean: mu, deviation: spread } = L1BatchNorm({ x: input });
      const nothing = zeros([channels]);
      const backward = L1BatchNormGrad({ x: input, dy: input, mean: mu, deviation: spread, dmean: nothing, ddeviation: nothing });
      return { mean: mu, deviation: spread, dbeta: backward.dbeta };
    });
    expect(
      worst(
        await read(mean),
        exact.map((each) => each.mean),
      ),
    ).toBeLessThan(1e-6);
    expect(
      worst(
        await read(deviation),
        exact.map((each) => each.deviation),
      ),
    ).toBeLessThan(1e-6);
    expect(
      worst(
        await read(dbeta),
        exact.map((each) => each.mean * rows),
      ),
    ).toBeLessThan(0.1);
  });
});

test('a constant channel becomes beta; its gradient is finite and large, or 0 below the floor', async () => {
  await onEach(backends, async () => {
    const x = tensor([5, 1, 5, 2, 5, 3, 5, 4], [4, 2]);
    const weights = tensor([1, 1, 2, 2, 4, 4, 9, 9], [4, 2]);
    const gradient = async (gradFloor: number): Promise<number[]> => {
      const [dx] = grads((a: Tensor) => sum(mul(l1BatchNorm(a, undefined, undefined, { gradFloor }).y, weights)))([x]);
      return (await read(dx!)).filter((_, i) => i % 2 === 0);
    };
    const y = await read(tidy(() => l1BatchNorm(x, undefined, tensor([7, 0])).y));
    expect(y.filter((_, i) => i % 2 === 0)).toEqual([7, 7, 7, 7]);
    // (dy - mean(dy)) / epsilon
    (await gradient(0)).forEach((value, i) => expect(value / 1e5).toBeCloseTo([-3, -2, 0, 5][i]!, 3));
    expect((await gradient(1e-6)).map(Math.abs)).toEqual([0, 0, 0, 0]);
    dispose([x, weights]);
  });
});

test('NaN stays in its channel, forward and backward; given statistics keep it to its element', async () => {
  await onEach(backends, async () => {
    const values = noise(6 * 5, 3);
    const [clean, soiled] = [values, values.map((value, i) => (i === 13 ? Number.NaN : value))].map((each) => tensor(each, [6, 5]));
    const found = tidy(() => {
      const [mean, deviation] = [zeros([5]), ones([5])];
      const { y, mean: mu, deviation: spread } = L1BatchNorm({ x: soiled! });
      return {
        y,
        dx: L1BatchNormGrad({ x: soiled!, dy: clean!, mean: mu, deviation: spread, dmean: mean, ddeviation: mean }).dx,
        inferred: l1BatchNormInference(soiled!, mean, deviation),
      };
    });
    (await read(found.y)).forEach((value, i) => expect(Number.isNaN(value)).toBe(i % 5 === 3));
    (await read(found.dx)).forEach((value, i) => expect(Number.isNaN(value)).toBe(i % 5 === 3));
    (await read(found.inferred)).forEach((value, i) => expect(Number.isNaN(value)).toBe(i === 13));
    dispose([clean!, soiled!]);
  });
});

test('takes channels on any axis', async () => {
  const values = noise(3 * 4 * 5, 9);
  await onEach(backends, async () => {
    for (const [axis, order] of [
      [1, [0, 2, 1]],
      [0, [1, 2, 0]],
    ] as const) {
      const channels = [3, 4, 5].at(axis)!;
      const back = order.map((_, i) => order.indexOf(i as never));
      const found = tidy(() => {
        const x = tensor(values, [3, 4, 5]);
        const [gamma, beta] = [tensor(noise(channels, 2)), tensor(noise(channels, 4))];
        const last = transpose(x, [...order]);
        const wanted = l1BatchNorm(last, gamma, beta);
        const frozen = l1BatchNormInference(last, wanted.mean, wanted.deviation, gamma, beta);
        return {
          wanted: [transpose(wanted.y, back), transpose(frozen, back)],
          got: [l1BatchNorm(x, gamma, beta, { axis }).y, l1BatchNormInference(x, wanted.mean, wanted.deviation, gamma, beta, { axis })],
        };
      });
      for (const [i, got] of found.got.entries()) expect(await read(got)).toEqual(await read(found.wanted[i]!));
    }
  });
});

test('inference divides by the moving deviation, differentiates, and folds into the layer before', async () => {
  await onEach(backends, async () => {
    const [x, mean, deviation] = [tensor(noise(12, 3), [4, 3]), tensor([0, 0.5, -1]), tensor([0.5, 1, 2])];
    const options = { epsilon: 0.1, gaussianScale: true };
    const found = tidy(() => {
      const inferred = l1BatchNormInference(x, mean, deviation, undefined, undefined, options);
      const [dx, , ddeviation] = grads((a: Tensor, b: Tensor, c: Tensor) =>
        sum(l1BatchNormInference(a, b, c, undefined, undefined, options)),
      )([x, mean, deviation]);
      const kernel = fill([1, 3], 2);
      const folded = foldBatchNorm({ kernel }, { mean, ...asVariance(deviation, options) });
      return { inferred, dx: dx!, ddeviation: ddeviation!, folded: folded.kernel };
    });
    const divisors = [0.5, 1, 2].map((value) => value * Math.sqrt(Math.PI / 2) + 0.1);
    const values = await read(x);
    const centred = values.map((value, i) => value - [0, 0.5, -1][i % 3]!);
    expect(
      worst(
        await read(found.inferred),
        centred.map((value, i) => value / divisors[i % 3]!),
      ),
    ).toBeLessThan(1e-5);
    expect(
      worst(
        await read(found.dx),
        centred.map((_, i) => 1 / divisors[i % 3]!),
      ),
    ).toBeLessThan(1e-5);
    expect(
      worst(
        await read(found.folded),
        divisors.map((divisor) => 2 / divisor),
      ),
    ).toBeLessThan(1e-5);
    const ddeviation = divisors.map(
      (divisor, channel) =>
        (-Math.sqrt(Math.PI / 2) / divisor ** 2) * centred.filter((_, i) => i % 3 === channel).reduce((total, value) => total + value, 0),
    );
    expect(worst(await read(found.ddeviation), ddeviation)).toBeLessThan(1e-4);
    dispose([mean, deviation]);
  });
});

test('moves statistics step by step, and lets no NaN in', async () => {
  await onEach(['cpu', 'wasm'], async () => {
    const start = { mean: tensor([0, 1]), deviation: tensor([1, 2]) };
    const batch = { mean: tensor([10, 11]), deviation: tensor([3, 4]) };
    const next = updateMovingDeviations(start, batch, 4, { momentum: 0.9 });
    expect(worst(await read(next.mean), [1, 2])).toBeLessThan(1e-6);
    expect(worst(await read(next.deviation), [1.2, 2.2])).toBeLessThan(1e-6);
    const bad = { mean: tensor([Number.NaN, 1]), deviation: batch.deviation };
    expect(refusal(() => updateMovingDeviations(start, bad, 4))).toBe('NON_FINITE batch');
    const skipped = updateMovingDeviations(start, bad, 4, { onNonFinite: 'skip' });
    expect(await read(skipped.deviation)).toEqual([1, 2]);
    skipped.mean.dispose();
    dispose([start, batch, bad.mean]);
  });
});

test('an empty batch gives an empty result and statistics of zeros', async () => {
  await onEach(backends, async () => {
    const { y, mean, deviation } = l1BatchNorm(zeros([0, 2, 3]));
    expect(y.shape).toEqual([0, 2, 3]);
    expect(await read(mean)).toEqual([0, 0, 0]);
    expect(await read(deviation)).toEqual([0, 0, 0]);
    y.dispose();
  });
});

test('refuses by name', () => {
  const [x, channels] = [zeros([4, 3]), ones([3])];
  expect(refusal(() => l1BatchNorm(x, ones([4])))).toBe('SHAPE gamma');
  expect(refusal(() => l1BatchNorm(x, channels, channels, { axis: 2 }))).toBe('INVALID_ARGUMENT axis');
  expect(refusal(() => l1BatchNorm(x, channels, channels, { epsilon: Number.NaN }))).toBe('INVALID_ARGUMENT epsilon');
  expect(refusal(() => l1BatchNorm(zeros([1, 3])))).toBe('SHAPE x');
  expect(refusal(() => l1BatchNorm(zeros([3])))).toBe('SHAPE x');
  expect(refusal(() => l1BatchNormInference(x, ones([4]), ones([4])))).toBe('SHAPE mean');
  expect(refusal(() => l1BatchNormInference(x, channels, ones([4])))).toBe('SHAPE deviation');
  expect(refusal(() => l1BatchNormInference(x, channels, channels, channels, channels, { epsilon: 0 }))).toBe('INVALID_ARGUMENT epsilon');
});
