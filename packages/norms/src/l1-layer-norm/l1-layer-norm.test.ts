import { backends } from '../../../../tools/test-backends.ts';
import { dispose, grads, matMul, mul, ones, sum, tensor, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { opcheck } from '@evenkeel/core/testing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { apart, noise, onEach, read, refusal, worst } from '../../test/host.ts';
import { layerNorm } from '../layer-norm/index.ts';
import { l1LayerNorm, L1LayerNorm, L1LayerNormGrad } from './index.ts';

const sizes = fc.record({
  rows: fc.integer({ min: 1, max: 5 }),
  width: fc.integer({ min: 1, max: 37 }),
  gamma: fc.boolean(),
  beta: fc.boolean(),
});

test('L1LayerNorm', async () => {
  await opcheck(
    L1LayerNorm,
    [
      { inputs: { x: apart([3, 5]) }, attrs: { epsilon: 0.1 } },
      { inputs: { x: apart([4, 19]), gamma: { shape: [19] }, beta: { shape: [19] } }, attrs: { gaussianScale: true } },
      { inputs: { x: apart([2, 3, 8]), gamma: { shape: [3, 8] }, beta: { shape: [3, 8] } }, attrs: { axes: [-1, -2] } },
      { inputs: { x: apart([2, 64]), gamma: { shape: [64] } } },
      { inputs: { x: apart([33]), beta: { shape: [33] } }, attrs: { axes: [0] } },
      { name: 'wider than the L1 cache', inputs: { x: apart([2, 9001]), gamma: { shape: [9001] }, beta: { shape: [9001] } } },
      { name: 'more rows than a block', inputs: { x: apart([300, 7]), gamma: { shape: [7] }, beta: { shape: [7] } } },
      { name: 'width 1', inputs: { x: apart([5, 1]), gamma: { shape: [1] }, beta: { shape: [1] } }, attrs: { epsilon: 0.5 } },
      { name: 'constant rows', inputs: { x: { shape: [2, 12], values: (i) => (i < 12 ? 3 : 0) }, beta: { shape: [12] } }, gradient: false },
      { name: 'a row with NaN', inputs: { x: { shape: [3, 9], values: (i) => (i === 13 ? Number.NaN : Math.sin(i)) } }, gradient: false },
      { inputs: { x: { shape: [3, 5] } }, attrs: { axes: [0] }, throws: { code: 'INVALID_ARGUMENT', argument: 'axes' } },
      { inputs: { x: { shape: [3, 5] } }, attrs: { epsilon: 0 }, throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' } },
      { inputs: { x: { shape: [3, 5] } }, attrs: { gradFloor: -1 }, throws: { code: 'INVALID_ARGUMENT', argument: 'gradFloor' } },
      { inputs: { x: { shape: [3, 5] }, gamma: { shape: [4] } }, throws: { code: 'SHAPE', argument: 'gamma' } },
      { inputs: { x: { shape: [3, 5] }, beta: { shape: [3, 5] } }, throws: { code: 'SHAPE', argument: 'beta' } },
      { inputs: { x: { shape: [3, 0] } }, throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { x: { shape: [3, 5], dtype: 'int32' } }, throws: { code: 'DTYPE', argument: 'x' } },
    ],
    {
      backends,
      property: (holds) =>
        fc.assert(
          fc.asyncProperty(sizes, ({ rows, width, gamma, beta }) =>
            holds({
              inputs: {
                x: apart([rows, width]),
                ...(gamma && { gamma: { shape: [width] } }),
                ...(beta && { beta: { shape: [width] } }),
              },
              attrs: { epsilon: 0.1 },
            }),
          ),
          { numRuns: 6 },
        ),
    },
  );
});

test('L1LayerNormGrad', async () => {
  await opcheck(
    L1LayerNormGrad,
    [
      { inputs: { x: apart([3, 5]), dy: { shape: [3, 5] } }, attrs: { epsilon: 0.1 } },
      { inputs: { x: apart([2, 2, 18]), dy: { shape: [2, 2, 18] }, gamma: { shape: [2, 18] } }, attrs: { axes: [-2, -1] } },
      { inputs: { x: apart([4, 33]), dy: { shape: [4, 33] }, gamma: { shape: [33] } }, attrs: { gaussianScale: true } },
      {
        name: 'one row below the floor',
        inputs: {
          x: { shape: [2, 6], values: (i) => (i % 2 === 0 ? 1 : -1) * (0.5 + 0.1 * Math.sin(i)) * (i < 6 ? 0.3 : 1) },
          dy: { shape: [2, 6] },
        },
        attrs: { gradFloor: 0.3, epsilon: 0.5 },
      },
      { inputs: { x: { shape: [3, 5] }, dy: { shape: [5, 3] } }, throws: { code: 'SHAPE', argument: 'dy' } },
      { inputs: { x: { shape: [3, 5] }, dy: { shape: [3, 5] }, gamma: { shape: [3] } }, throws: { code: 'SHAPE', argument: 'gamma' } },
    ],
    { backends },
  );
});

/** The formula in double precision. */
function expected(row: readonly number[], epsilon = 1e-5): number[] {
  const mean = row.reduce((total, value) => total + value, 0) / row.length;
  const deviation = row.reduce((total, value) => total + Math.abs(value - mean), 0) / row.length;
  return row.map((value) => (value - mean) / (deviation + epsilon));
}

test('normalizes rows of mean 1e4 and deviation 1 to 5e-3, on all backends', async () => {
  const rows = [1e4, 1, -1e4].map((mean, row) => noise(768, row + 1).map((value) => Math.fround(mean + value * 2)));
  await onEach(backends, async () => {
    const found = await read(tidy(() => l1LayerNorm(tensor(rows.flat(), [3, 768]))));
    expect(
      worst(
        found,
        rows.flatMap((row) => expected(row)),
      ),
    ).toBeLessThan(5e-3);
  });
});

test('is right where squares are infinite', async () => {
  const row = noise(100, 5).map((value) => Math.fround(value * 1e30));
  const half = noise(100, 6).map((value) => Math.fround(value * 65504));
  await onEach(backends, async () => {
    const found = await read(tidy(() => l1LayerNorm(tensor([row, half]))));
    expect(worst(found, [...expected(row), ...expected(half)])).toBeLessThan(1e-5);
    // The root of an infinite variance makes zeros.
    expect(worst(await read(tidy(() => layerNorm(tensor([row])))), expected(row))).toBeGreaterThan(1);
  });
});

test('a constant row becomes beta; its gradient is finite and large, or 0 below the floor', async () => {
  await onEach(backends, async () => {
    const x = tensor([5, 5, 5, 5, 1, 2, 3, 4], [2, 4]);
    const [beta, weights] = [tensor([1, 2, 3, 4]), tensor([1, 2, 4, 9])];
    expect((await read(tidy(() => l1LayerNorm(x, undefined, beta)))).slice(0, 4)).toEqual([1, 2, 3, 4]);
    const gradient = async (gradFloor: number): Promise<number[]> => {
      const [dx] = grads((a: Tensor) => sum(mul(l1LayerNorm(a, undefined, beta, { gradFloor }), weights)))([x]);
      return read(dx!);
    };
    const [free, floored] = [await gradient(0), await gradient(1e-6)];
    // (dy - mean(dy)) / epsilon
    [-3, -2, 0, 5].forEach((value, i) => expect(free[i]! / 1e5).toBeCloseTo(value, 3));
    expect(floored.slice(0, 4).map(Math.abs)).toEqual([0, 0, 0, 0]);
    expect(floored.slice(4)).toEqual(free.slice(4));
    dispose([x, beta, weights]);
  });
});

test('NaN and infinity stay in their row, forward and backward', async () => {
  await onEach(backends, async () => {
    const values = noise(4 * 17, 3);
    const clean = tensor(values, [4, 17]);
    const soiled = tensor(
      values.map((value, i) => (i === 20 ? Number.NaN : i === 40 ? Infinity : value)),
      [4, 17],
    );
    for (const compute of [l1LayerNorm, (x: Tensor) => L1LayerNormGrad({ x, dy: clean }).dx]) {
      const wanted = await read(tidy(() => compute(clean)));
      const found = await read(tidy(() => compute(soiled)));
      expect(found.slice(0, 17)).toEqual(wanted.slice(0, 17));
      expect(found.slice(17, 34).every(Number.isNaN)).toBe(true);
      expect(found.slice(34, 51).every((value) => !Number.isFinite(value) || value === 0)).toBe(true);
      expect(found.slice(51)).toEqual(wanted.slice(51));
    }
    dispose([clean, soiled]);
  });
});

test('sums dgamma and dbeta of very many rows as in double precision', async () => {
  const shape: [number, number] = [60_000, 3];
  const x = noise(shape[0] * shape[1], 7);
  const dy = noise(shape[0] * shape[1], 9).map((value) => Math.fround(1 + value / 4));
  const [dgamma, dbeta] = [
    [0, 0, 0],
    [0, 0, 0],
  ];
  for (let row = 0; row < shape[0]; row++) {
    const xhat = expected(x.slice(3 * row, 3 * row + 3), 0.1);
    for (let i = 0; i < 3; i++) {
      dgamma[i]! += dy[3 * row + i]! * xhat[i]!;
      dbeta[i]! += dy[3 * row + i]!;
    }
  }
  // A software GPU would take half a minute.
  await onEach(['cpu', 'wasm'], async () => {
    const found = tidy(() => L1LayerNormGrad({ x: tensor(x, shape), dy: tensor(dy, shape) }, { epsilon: 0.1 }));
    found.dx.dispose();
    expect(worst(await read(found.dbeta), dbeta) / 60_000).toBeLessThan(1e-6);
    expect(worst(await read(found.dgamma), dgamma) / 60_000).toBeLessThan(1e-6);
  });
});

test('with gaussianScale it is layer normalization of values from a normal distribution', async () => {
  // Sums of twelve uniform values: normal enough for the mean absolute deviation.
  const row = Array.from({ length: 20_000 }, (_, i) => noise(12, i + 1).reduce((total, value) => total + value, 0));
  await onEach(backends, async () => {
    const [found, wanted] = [
      await read(tidy(() => l1LayerNorm(tensor([row]), undefined, undefined, { gaussianScale: true }))),
      await read(tidy(() => layerNorm(tensor([row])))),
    ];
    found.forEach((value, i) => expect(Math.abs(value - wanted[i]!)).toBeLessThan(0.02 * (1 + Math.abs(wanted[i]!))));
  });
});

/** Of what 20 neurons make of samples of 6. */
function normalized(weights: number[], x: Tensor): Promise<number[]> {
  return read(tidy(() => l1LayerNorm(matMul(x, tensor(weights, [6, 20])), undefined, undefined, { epsilon: 1e-9 })));
}

// As layer normalization: exact for epsilon -> 0.
test('does not change when all weights of a layer are scaled or shifted alike, and does when one neuron is', async () => {
  await onEach(backends, async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1000 }), fc.double({ min: 0.5, max: 4, noNaN: true }), async (seed, factor) => {
        const x = tensor(noise(18, seed), [3, 6]);
        const weights = noise(120, seed + 1);
        const plain = await normalized(weights, x);
        const scaled = weights.map((weight) => weight * factor);
        const shifted = weights.map((weight, i) => weight + factor * (1 + Math.floor(i / 20)));
        const one = weights.map((weight, i) => (i % 20 === 0 ? weight * 3 : weight));
        expect(worst(await normalized(scaled, x), plain)).toBeLessThan(1e-4);
        expect(worst(await normalized(shifted, x), plain)).toBeLessThan(1e-3);
        expect(worst(await normalized(one, x), plain)).toBeGreaterThan(1e-2);
        x.dispose();
      }),
      { numRuns: 5 },
    );
  });
});

test('takes its tensors by position, and refuses by name', async () => {
  await onEach(backends, async () => {
    const y = tidy(() => l1LayerNorm(tensor([[1, 3, 8]]), tensor([2, 2, 2]), ones([3]), { epsilon: 1e-9 }));
    expect(worst(await read(y), [-1.25, 0.25, 4])).toBeLessThan(1e-5);
  });
  expect(refusal(() => l1LayerNorm(zeros([2, 3]), ones([2])))).toBe('SHAPE gamma');
  expect(refusal(() => l1LayerNorm(zeros([2, 3]), undefined, undefined, { gradFloor: Number.NaN }))).toBe('INVALID_ARGUMENT gradFloor');
});
