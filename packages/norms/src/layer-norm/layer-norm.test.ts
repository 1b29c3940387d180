import { backends } from '../../../../tools/test-backends.ts';
import { grads, matMul, mul, ones, sum, tensor, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { opcheck } from '@evenkeel/core/testing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { noise, onEach, read, standardized, worst } from '../../test/host.ts';
import { addLayerNorm, AddLayerNorm, layerNorm, LayerNorm, LayerNormGrad } from './op.ts';

/** Inputs whose rows are far from constant: finite differences of others would measure the step. */
const sizes = fc.record({
  rows: fc.integer({ min: 1, max: 5 }),
  width: fc.integer({ min: 1, max: 37 }),
  gamma: fc.boolean(),
  beta: fc.boolean(),
});

test('LayerNorm', async () => {
  await opcheck(
    LayerNorm,
    [
      { inputs: { x: { shape: [3, 5] } }, attrs: { epsilon: 0.1 } },
      { inputs: { x: { shape: [4, 19] }, gamma: { shape: [19] }, beta: { shape: [19] } }, attrs: { epsilon: 1e-3 } },
      { inputs: { x: { shape: [2, 3, 8] }, gamma: { shape: [3, 8] }, beta: { shape: [3, 8] } }, attrs: { axes: [-1, -2] } },
      { inputs: { x: { shape: [2, 64] }, gamma: { shape: [64] } } },
      { inputs: { x: { shape: [33] }, beta: { shape: [33] } }, attrs: { axes: [0] } },
      { name: 'wider than the L1 cache', inputs: { x: { shape: [2, 9001] }, gamma: { shape: [9001] }, beta: { shape: [9001] } } },
      { name: 'more rows than a block', inputs: { x: { shape: [300, 7] }, gamma: { shape: [7] }, beta: { shape: [7] } } },
      { name: 'width 1', inputs: { x: { shape: [5, 1] }, gamma: { shape: [1] }, beta: { shape: [1] } }, attrs: { epsilon: 0.1 } },
      { name: 'constant rows', inputs: { x: { shape: [2, 12], values: (i) => (i < 12 ? 3 : 0) }, beta: { shape: [12] } }, gradient: false },
      { name: 'a row with NaN', inputs: { x: { shape: [3, 9], values: (i) => (i === 13 ? Number.NaN : Math.sin(i)) } }, gradient: false },
      { inputs: { x: { shape: [3, 5] } }, attrs: { axes: [0] }, throws: { code: 'INVALID_ARGUMENT', argument: 'axes' } },
      { inputs: { x: { shape: [3, 5] } }, attrs: { axes: [1, -1] }, throws: { code: 'INVALID_ARGUMENT', argument: 'axes' } },
      { inputs: { x: { shape: [3, 5] } }, attrs: { axes: [2] }, throws: { code: 'INVALID_ARGUMENT', argument: 'axes' } },
      { inputs: { x: { shape: [3, 5] } }, attrs: { axes: [] }, throws: { code: 'INVALID_ARGUMENT', argument: 'axes' } },
      { inputs: { x: { shape: [3, 5] } }, attrs: { epsilon: 0 }, throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' } },
      { inputs: { x: { shape: [3, 5] } }, attrs: { epsilon: Number.NaN }, throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' } },
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
                x: { shape: [rows, width] },
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

test('LayerNormGrad', async () => {
  await opcheck(
    LayerNormGrad,
    [
      { inputs: { x: { shape: [3, 5] }, dy: { shape: [3, 5] } }, attrs: { epsilon: 0.1 } },
      { inputs: { x: { shape: [2, 2, 18] }, dy: { shape: [2, 2, 18] }, gamma: { shape: [2, 18] } }, attrs: { axes: [-2, -1] } },
      { inputs: { x: { shape: [4, 33] }, dy: { shape: [4, 33] }, gamma: { shape: [33] }, dsum: { shape: [4, 33] } } },
      { inputs: { x: { shape: [3, 5] }, dy: { shape: [5, 3] } }, throws: { code: 'SHAPE', argument: 'dy' } },
      { inputs: { x: { shape: [3, 5] }, dy: { shape: [3, 5] }, gamma: { shape: [3] } }, throws: { code: 'SHAPE', argument: 'gamma' } },
      { inputs: { x: { shape: [3, 5] }, dy: { shape: [3, 5] }, dsum: { shape: [5] } }, throws: { code: 'SHAPE', argument: 'dsum' } },
    ],
    { backends },
  );
});

test('AddLayerNorm', async () => {
  await opcheck(
    AddLayerNorm,
    [
      { inputs: { x: { shape: [3, 5] }, residual: { shape: [3, 5] } }, attrs: { epsilon: 0.1 } },
      {
        inputs: { x: { shape: [2, 2, 21] }, residual: { shape: [2, 2, 21] }, gamma: { shape: [2, 21] }, beta: { shape: [2, 21] } },
        attrs: { axes: [1, 2] },
      },
      { inputs: { x: { shape: [2, 16] }, residual: { shape: [2, 16] }, gamma: { shape: [16] }, beta: { shape: [16] } } },
      { inputs: { x: { shape: [2, 4] }, residual: { shape: [4] } }, throws: { code: 'SHAPE', argument: 'residual' } },
      { inputs: { x: { shape: [2, 4] }, residual: { shape: [2, 4] }, beta: { shape: [2] } }, throws: { code: 'SHAPE', argument: 'beta' } },
    ],
    { backends },
  );
});

test('normalizes rows of mean 4096 and deviation 1 to 2e-3, on all backends', async () => {
  const width = 768;
  const rows = [4096, 1, -4096].map((mean, row) => noise(width, row + 1).map((value) => Math.fround(mean + value * Math.sqrt(3))));
  const wanted = rows.flatMap((row) => standardized(row, 1e-5));
  await onEach(backends, async () => {
    const found = await read(tidy(() => layerNorm(tensor(rows.flat(), [3, width]))));
    expect(worst(found, wanted)).toBeLessThan(2e-3);
  });
});

test('sums dgamma and dbeta of very many rows as in double precision', async () => {
  const shape: [number, number] = [60_000, 3];
  const x = noise(shape[0] * shape[1], 7);
  const dy = noise(shape[0] * shape[1], 9).map((value) => Math.fround(1 + value / 4));
  const dgamma = [0, 0, 0];
  const dbeta = [0, 0, 0];
  for (let row = 0; row < shape[0]; row++) {
    const xhat = standardized(x.slice(3 * row, 3 * row + 3), 0.1);
    for (let i = 0; i < 3; i++) {
      dgamma[i]! += dy[3 * row + i]! * xhat[i]!;
      dbeta[i]! += dy[3 * row + i]!;
    }
  }
  // A software GPU would take half a minute.
  await onEach(['cpu', 'wasm'], async () => {
    const found = tidy(() => LayerNormGrad({ x: tensor(x, shape), dy: tensor(dy, shape) }, { epsilon: 0.1 }));
    found.dx.dispose();
    // One float32 sum over all rows would be off by about 1e-4 of 60,000.
    expect(worst(await read(found.dbeta), dbeta) / 60_000).toBeLessThan(1e-6);
    expect(worst(await read(found.dgamma), dgamma) / 60_000).toBeLessThan(1e-6);
  });
});

test('a constant row becomes beta and has a finite gradient', async () => {
  await onEach(backends, async () => {
    const x = tensor([5, 5, 5, 5, 1, 2, 3, 4], [2, 4]);
    const beta = tensor([1, 2, 3, 4]);
    const y = tidy(() => layerNorm(x, undefined, beta));
    expect((await read(y)).slice(0, 4)).toEqual([1, 2, 3, 4]);
    const [dx] = grads((a: Tensor) => sum(mul(layerNorm(a, undefined, beta), tensor([1, 2, 4, 8]))))([x]);
    expect((await read(dx!)).every(Number.isFinite)).toBe(true);
    x.dispose();
    beta.dispose();
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
    for (const compute of [layerNorm, (x: Tensor) => LayerNormGrad({ x, dy: clean }).dx]) {
      const wanted = await read(tidy(() => compute(clean)));
      const found = await read(tidy(() => compute(soiled)));
      expect(found.slice(0, 17)).toEqual(wanted.slice(0, 17));
      expect(found.slice(17, 34).every(Number.isNaN)).toBe(true);
      expect(found.slice(34, 51).every((value) => !Number.isFinite(value) || value === 0)).toBe(true);
      expect(found.slice(51)).toEqual(wanted.slice(51));
    }
    clean.dispose();
    soiled.dispose();
  });
});

/** Layer normalization of what 20 neurons make of samples of 6. */
function normalized(weights: number[], x: Tensor): Promise<number[]> {
  return read(tidy(() => layerNorm(matMul(x, tensor(weights, [6, 20])), undefined, undefined, { epsilon: 1e-9 })));
}

// Ba, Kiros, Hinton 2016, section 5.1. Exact for epsilon -> 0.
test('what layer normalization is invariant to, and what not', async () => {
  const factor = fc.double({ min: 0.5, max: 4, noNaN: true });
  await onEach(backends, async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1000 }), factor, factor, async (seed, scale, shift) => {
        const x = tensor(noise(3 * 6, seed), [3, 6]);
        const weights = noise(6 * 20, seed + 1);
        const plain = await normalized(weights, x);
        const scaledMatrix = weights.map((weight) => weight * scale);
        const shiftedMatrix = weights.map((weight, i) => weight + shift * (1 + Math.floor(i / 20)));
        const scaledNeuron = weights.map((weight, i) => (i % 20 === 0 ? weight * 3 : weight));
        const oneSampleScaled = tidy(() => mul(x, tensor([scale, 1, 1], [3, 1])));
        expect(worst(await normalized(scaledMatrix, x), plain)).toBeLessThan(1e-4);
        expect(worst(await normalized(shiftedMatrix, x), plain)).toBeLessThan(1e-3);
        expect(worst(await normalized(weights, oneSampleScaled), plain)).toBeLessThan(1e-4);
        expect(worst(await normalized(scaledNeuron, x), plain)).toBeGreaterThan(1e-2);
        x.dispose();
        oneSampleScaled.dispose();
      }),
      { numRuns: 5 },
    );
  });
});

test('the functions take their tensors by position', async () => {
  await onEach(backends, async () => {
    const found = tidy(() => {
      const { y, sum: total } = addLayerNorm(tensor([[1, 1]]), tensor([[0, 2]]), ones([2]), zeros([2]), { epsilon: 1e-9 });
      return [layerNorm(tensor([[1, 3]]), ones([2]), zeros([2]), { epsilon: 1e-9 }), y, total];
    });
    expect(worst(await read(found[0]!), [-1, 1])).toBeLessThan(1e-5);
    expect(worst(await read(found[1]!), [-1, 1])).toBeLessThan(1e-5);
    expect(await read(found[2]!)).toEqual([1, 3]);
  });
});
