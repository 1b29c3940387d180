import { backends } from '../../../../tools/test-backends.ts';
import { dispose, grads, mul, ones, sum, tensor, tidy, transpose, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { opcheck } from '@evenkeel/core/testing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { noise, onEach, read, refusal, standardized, worst } from '../../test/host.ts';
import { batchNorm, batchNormInference, BatchNorm, BatchNormGrad, BatchNormInference, BatchNormInferenceGrad } from './index.ts';

const sizes = fc.record({
  rows: fc.integer({ min: 2, max: 40 }),
  channels: fc.integer({ min: 1, max: 21 }),
  gamma: fc.boolean(),
  beta: fc.boolean(),
});

test('BatchNorm', async () => {
  await opcheck(
    BatchNorm,
    [
      { inputs: { x: { shape: [7, 5] } }, attrs: { epsilon: 0.1 } },
      { inputs: { x: { shape: [4, 3, 3, 10] }, gamma: { shape: [10] }, beta: { shape: [10] } } },
      { name: 'three channels, rows in fours', inputs: { x: { shape: [2, 4, 4, 3] }, gamma: { shape: [3] } } },
      { name: 'one channel, rows in sixteens', inputs: { x: { shape: [2, 4, 4, 1] }, beta: { shape: [1] } } },
      { name: 'more rows than a block', inputs: { x: { shape: [1000, 7] }, gamma: { shape: [7] }, beta: { shape: [7] } } },
      { name: 'many channels', inputs: { x: { shape: [9, 1234] }, gamma: { shape: [1234] }, beta: { shape: [1234] } } },
      { inputs: { x: { shape: [3, 64] }, gamma: { shape: [64] }, beta: { shape: [64] } }, attrs: { epsilon: 0.01 } },
      { name: 'constant channels', inputs: { x: { shape: [6, 4], values: (i) => i % 4 }, beta: { shape: [4] } }, gradient: false },
      { inputs: { x: { shape: [1, 5] } }, throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { x: { shape: [1, 1, 1, 5] } }, throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { x: { shape: [5] } }, throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { x: { shape: [4, 5] }, gamma: { shape: [4] } }, throws: { code: 'SHAPE', argument: 'gamma' } },
      { inputs: { x: { shape: [4, 5] }, beta: { shape: [1, 5] } }, throws: { code: 'SHAPE', argument: 'beta' } },
      { inputs: { x: { shape: [4, 5] } }, attrs: { epsilon: 0 }, throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' } },
      { inputs: { x: { shape: [4, 5], dtype: 'int32' } }, throws: { code: 'DTYPE', argument: 'x' } },
    ],
    {
      backends,
      property: (holds) =>
        fc.assert(
          fc.asyncProperty(sizes, ({ rows, channels, gamma, beta }) =>
            holds({
              inputs: {
                x: { shape: [rows, channels] },
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

/** Inputs of the gradients: x, dy and the statistics of 5 or so channels. */
const statistics = (channels: number, names: readonly string[]): Record<string, { shape: number[]; low: number }> =>
  Object.fromEntries(names.map((name) => [name, { shape: [channels], low: name === 'variance' ? 0.5 : -1 }]));

test('BatchNormGrad', async () => {
  const names = ['mean', 'variance', 'dmean', 'dvariance'];
  await opcheck(
    BatchNormGrad,
    [
      { inputs: { x: { shape: [7, 5] }, dy: { shape: [7, 5] }, ...statistics(5, names) }, attrs: { epsilon: 0.1 } },
      { inputs: { x: { shape: [4, 4, 3] }, dy: { shape: [4, 4, 3] }, ...statistics(3, names), gamma: { shape: [3] } } },
      { inputs: { x: { shape: [4, 20] }, dy: { shape: [4, 20] }, ...statistics(20, names), gamma: { shape: [20] } } },
      { inputs: { x: { shape: [4, 5] }, dy: { shape: [3, 5] }, ...statistics(5, names) }, throws: { code: 'SHAPE', argument: 'dy' } },
      { inputs: { x: { shape: [4, 5] }, dy: { shape: [4, 5] }, ...statistics(4, names) }, throws: { code: 'SHAPE', argument: 'mean' } },
    ],
    { backends },
  );
});

test('BatchNormInference', async () => {
  const names = ['mean', 'variance'];
  await opcheck(
    BatchNormInference,
    [
      { inputs: { x: { shape: [7, 5] }, ...statistics(5, names) }, attrs: { epsilon: 0.1 } },
      { inputs: { x: { shape: [1, 4, 4, 3] }, ...statistics(3, names), gamma: { shape: [3] }, beta: { shape: [3] } } },
      { inputs: { x: { shape: [3, 44] }, ...statistics(44, names), gamma: { shape: [44] } } },
      { inputs: { x: { shape: [300, 9] }, ...statistics(9, names), beta: { shape: [9] } } },
      { name: 'a single value', inputs: { x: { shape: [1] }, ...statistics(1, names) } },
      { inputs: { x: { shape: [4, 5] }, ...statistics(4, names) }, throws: { code: 'SHAPE', argument: 'mean' } },
      {
        inputs: { x: { shape: [4, 5] }, ...statistics(5, names) },
        attrs: { epsilon: -1 },
        throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' },
      },
    ],
    { backends },
  );
});

test('BatchNormInferenceGrad', async () => {
  const names = ['mean', 'variance'];
  await opcheck(
    BatchNormInferenceGrad,
    [
      { inputs: { x: { shape: [7, 5] }, dy: { shape: [7, 5] }, ...statistics(5, names) }, attrs: { epsilon: 0.1 } },
      { inputs: { x: { shape: [4, 4, 3] }, dy: { shape: [4, 4, 3] }, ...statistics(3, names), gamma: { shape: [3] } } },
      { inputs: { x: { shape: [4, 5] }, dy: { shape: [5, 5] }, ...statistics(5, names) }, throws: { code: 'SHAPE', argument: 'dy' } },
    ],
    { backends },
  );
});

test('statistics and outputs of channels of mean 4096 and deviation 1 are right to 2e-3, on all backends', async () => {
  const [rows, channels] = [5000, 3];
  const means = [4096, 0, -4096];
  const x = noise(rows * channels, 5).map((value, i) => Math.fround(means[i % channels]! + value * Math.sqrt(3)));
  const columns = means.map((_, channel) => x.filter((__, i) => i % channels === channel));
  const wanted = columns.map((column) => standardized(column, 1e-3));
  const exact = columns.map((column) => {
    const mean = column.reduce((total, value) => total + value, 0) / rows;
    return { mean, variance: column.reduce((total, value) => total + (value - mean) ** 2, 0) / rows };
  });
  await onEach(backends, async () => {
    const found = tidy(() => batchNorm(tensor(x, [rows, channels])));
    expect(
      worst(
        await read(found.y),
        x.map((_, i) => wanted[i % channels]![Math.floor(i / channels)]!),
      ),
    ).toBeLessThan(2e-3);
    (await read(found.mean)).forEach((mean, i) => expect(Math.abs(mean - exact[i]!.mean)).toBeLessThan(1e-3));
    (await read(found.variance)).forEach((variance, i) => expect(Math.abs(variance / exact[i]!.variance - 1)).toBeLessThan(1e-4));
  });
});

test('sums over very many rows as in double precision', async () => {
  const [rows, channels] = [200_000, 3];
  const x = noise(rows * channels, 7).map((value) => Math.fround(value + 3));
  const total = [0, 0, 0];
  x.forEach((value, i) => (total[i % channels]! += value / rows));
  const within = [0, 0, 0];
  x.forEach((value, i) => (within[i % channels]! += (value - total[i % channels]!) ** 2 / rows));
  // A software GPU would take half a minute.
  await onEach(['wasm'], async () => {
    const { mean, variance, dbeta } = tidy(() => {
      const input = tensor(x, [rows, channels]);
      const forward = BatchNorm({ x: input });
      const nothing = zeros([channels]);
      const { mean: mu, variance: sigma } = forward;
      const backward = BatchNormGrad({ x: input, dy: input, mean: mu, variance: sigma, dmean: nothing, dvariance: nothing });
      return { mean: mu, variance: sigma, dbeta: backward.dbeta };
    });
    expect(worst(await read(mean), total)).toBeLessThan(1e-6);
    expect(worst(await read(variance), within)).toBeLessThan(1e-6);
    expect(
      worst(
        await read(dbeta),
        total.map((each) => each * rows),
      ),
    ).toBeLessThan(0.1);
  });
});

test('NaN stays in its channel, forward and backward; frozen statistics keep it to its element', async () => {
  await onEach(backends, async () => {
    const values = noise(6 * 5, 3);
    const [clean, soiled] = [values, values.map((value, i) => (i === 13 ? Number.NaN : value))].map((each) => tensor(each, [6, 5]));
    const found = tidy(() => {
      const [mean, variance] = [zeros([5]), ones([5])];
      const inputs = { x: soiled!, dy: clean!, mean, variance };
      return {
        y: BatchNorm({ x: soiled! }).y,
        dx: BatchNormGrad({ ...inputs, dmean: mean, dvariance: mean }).dx,
        frozen: BatchNormInference({ x: soiled!, mean, variance }),
        frozenDx: BatchNormInferenceGrad(inputs).dx,
      };
    });
    (await read(found.y)).forEach((value, i) => expect(Number.isNaN(value)).toBe(i % 5 === 3));
    (await read(found.dx)).forEach((value, i) => expect(Number.isNaN(value)).toBe(i % 5 === 3));
    (await read(found.frozen)).forEach((value, i) => expect(Number.isNaN(value)).toBe(i === 13));
    expect((await read(found.frozenDx)).every(Number.isFinite)).toBe(true);
    dispose([clean!, soiled!]);
  });
});

test('batchNorm and batchNormInference take channels on any axis', async () => {
  const values = noise(3 * 4 * 5, 9);
  for (const [axis, order] of [
    [1, [0, 2, 1]],
    [-2, [0, 2, 1]],
    [0, [1, 2, 0]],
  ] as const) {
    await onEach(backends, async () => {
      const shape = [3, 4, 5];
      const channels = shape.at(axis)!;
      const back = order.map((_, i) => order.indexOf(i as never));
      const found = tidy(() => {
        const x = tensor(values, shape);
        const [gamma, beta] = [tensor(noise(channels, 2)), tensor(noise(channels, 4))];
        const last = transpose(x, [...order]);
        const wanted = batchNorm(last, gamma, beta);
        const got = batchNorm(x, gamma, beta, { axis });
        const frozen = batchNormInference(last, wanted.mean, wanted.variance, gamma, beta);
        return {
          wanted: [transpose(wanted.y, back), wanted.mean, wanted.variance, transpose(frozen, back)],
          got: [got.y, got.mean, got.variance, batchNormInference(x, wanted.mean, wanted.variance, gamma, beta, { axis })],
        };
      });
      for (const [i, tensors] of found.got.entries()) {
        expect(tensors.shape).toEqual(found.wanted[i]!.shape);
        expect(await read(tensors)).toEqual(await read(found.wanted[i]!));
      }
    });
  }
});

test('batchNorm differentiates through y, mean and variance', async () => {
  const [x, gamma, beta] = [tensor(noise(12, 3), [3, 4]), tensor(noise(3, 5)), tensor(noise(3, 6))];
  const weights = tensor(noise(12, 8), [3, 4]);
  await Promise.all([x, gamma, beta, weights].map((each) => each.data()));
  const wanted: number[][] = [];
  // On cpu the reference runs.
  await onEach(backends, async () => {
    const found = grads((a: Tensor, b: Tensor, c: Tensor) => {
      const { y, mean, variance } = batchNorm(a, b, c, { axis: 0, epsilon: 0.1 });
      return sum(mul(mul(y, weights), mul(sum(mean), sum(variance))));
    })([x, gamma, beta]);
    for (const [i, gradient] of found.entries()) {
      const values = await read(gradient);
      wanted[i] ??= values;
      expect(worst(values, wanted[i])).toBeLessThan(1e-5);
    }
    await Promise.all([x, gamma, beta, weights].map((each) => each.data()));
  });
  dispose([x, gamma, beta, weights]);
});

test('an empty batch gives an empty result and statistics of zeros', async () => {
  await onEach(backends, async () => {
    const { y, mean, variance } = batchNorm(zeros([0, 2, 3]));
    expect(y.shape).toEqual([0, 2, 3]);
    expect(await read(mean)).toEqual([0, 0, 0]);
    expect(await read(variance)).toEqual([0, 0, 0]);
    y.dispose();
  });
});

test('refuses by name', () => {
  const [x, channels] = [zeros([4, 3]), ones([3])];
  expect(refusal(() => batchNorm(x, ones([4])))).toBe('SHAPE gamma');
  expect(refusal(() => batchNorm(x, channels, ones([1])))).toBe('SHAPE beta');
  expect(refusal(() => batchNorm(x, channels, channels, { axis: 2 }))).toBe('INVALID_ARGUMENT axis');
  expect(refusal(() => batchNorm(x, channels, channels, { axis: 0.5 }))).toBe('INVALID_ARGUMENT axis');
  expect(refusal(() => batchNorm(x, channels, channels, { epsilon: Number.NaN }))).toBe('INVALID_ARGUMENT epsilon');
  expect(refusal(() => batchNorm(zeros([1, 3])))).toBe('SHAPE x');
  expect(refusal(() => batchNorm(zeros([3])))).toBe('SHAPE x');
  expect(refusal(() => batchNormInference(zeros([3]), channels, channels))).toBe('SHAPE x');
  expect(refusal(() => batchNormInference(x, ones([4]), channels))).toBe('SHAPE mean');
  expect(refusal(() => batchNormInference(x, channels, ones([4])))).toBe('SHAPE variance');
  expect(refusal(() => batchNormInference(zeros([4, 3], 'int32'), channels, channels))).toBe('DTYPE x');
});

// Ioffe, Szegedy 2015, section 3.3; Ba, Kiros, Hinton 2016, table 1.
test('does not change when a channel is scaled or shifted, and does when a sample is', async () => {
  const factor = fc.double({ min: 0.5, max: 4, noNaN: true });
  await onEach(backends, async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1000 }), factor, factor, async (seed, scale, shift) => {
        const values = noise(20 * 5, seed);
        const plain = await normalized(values);
        expect(worst(await normalized(values.map((value, i) => (i % 5 === 2 ? value * scale + shift : value))), plain)).toBeLessThan(1e-4);
        expect(worst(await normalized(values.map((value, i) => (i < 5 ? value * 5 : value))), plain)).toBeGreaterThan(1e-2);
      }),
      { numRuns: 5 },
    );
  });
});

function normalized(values: number[]): Promise<number[]> {
  return read(tidy(() => batchNorm(tensor(values, [values.length / 5, 5]), undefined, undefined, { epsilon: 1e-9 }).y));
}
