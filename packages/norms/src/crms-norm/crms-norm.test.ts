import { backends } from '../../../../tools/test-backends.ts';
import { dispose, grads, mul, slice, sub, sum, tensor, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { opcheck } from '@evenkeel/core/testing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { noise, onEach, read, refusal, standardized, worst } from '../../test/host.ts';
import { layerNorm } from '../layer-norm/index.ts';
import { rmsNorm } from '../rms-norm/index.ts';
import { addCrmsNorm, AddCRMSNorm, compressZeroMean, crmsNorm, CRMSNorm, CRMSNormGrad, decompressZeroMean } from './index.ts';

const sizes = fc.record({ rows: fc.integer({ min: 1, max: 5 }), width: fc.integer({ min: 1, max: 37 }) });

test('CRMSNorm', async () => {
  await opcheck(
    CRMSNorm,
    [
      { inputs: { x: { shape: [3, 5] } }, attrs: { epsilon: 0.1 } },
      { inputs: { x: { shape: [2, 2, 19] } }, attrs: { epsilon: 1e-3 } },
      { inputs: { x: { shape: [2, 64] } } },
      { inputs: { x: { shape: [33] } }, attrs: { epsilon: 0.01 } },
      { name: 'padding', inputs: { x: { shape: [3, 8], values: (i) => (i % 8 > 5 ? 0 : Math.sin(i)) } }, attrs: { padding: 2 } },
      { name: 'wider than the L1 cache', inputs: { x: { shape: [2, 9001] } } },
      { name: 'many rows', inputs: { x: { shape: [300, 7] } } },
      { name: 'd = 2', inputs: { x: { shape: [5, 1] } }, attrs: { epsilon: 0.1 } },
      { name: 'rows of zeros', inputs: { x: { shape: [2, 6], values: () => 0 } }, gradient: false },
      { name: 'a row with NaN', inputs: { x: { shape: [3, 9], values: (i) => (i === 13 ? Number.NaN : Math.sin(i)) } }, gradient: false },
      { inputs: { x: { shape: [3, 5] } }, attrs: { epsilon: 0 }, throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' } },
      { inputs: { x: { shape: [3, 5] } }, attrs: { epsilon: -1 }, throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' } },
      { inputs: { x: { shape: [3, 5] } }, attrs: { padding: 5 }, throws: { code: 'INVALID_ARGUMENT', argument: 'padding' } },
      { inputs: { x: { shape: [3, 5] } }, attrs: { padding: 0.5 }, throws: { code: 'INVALID_ARGUMENT', argument: 'padding' } },
      { inputs: { x: { shape: [3, 0] } }, throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { x: { shape: [] } }, throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { x: { shape: [3, 5], dtype: 'int32' } }, throws: { code: 'DTYPE', argument: 'x' } },
    ],
    {
      backends,
      property: (holds) =>
        fc.assert(
          fc.asyncProperty(sizes, ({ rows, width }) => holds({ inputs: { x: { shape: [rows, width] } }, attrs: { epsilon: 0.1 } })),
          { numRuns: 6 },
        ),
    },
  );
});

test('CRMSNormGrad', async () => {
  await opcheck(
    CRMSNormGrad,
    [
      { inputs: { x: { shape: [3, 5] }, dy: { shape: [3, 5] } }, attrs: { epsilon: 0.1 } },
      { inputs: { x: { shape: [2, 2, 34] }, dy: { shape: [2, 2, 34] }, dsum: { shape: [2, 2, 34] } } },
      { inputs: { x: { shape: [2, 16] }, dy: { shape: [2, 16] } }, attrs: { padding: 3 } },
      { inputs: { x: { shape: [3, 5] }, dy: { shape: [3, 4] } }, throws: { code: 'SHAPE', argument: 'dy' } },
      { inputs: { x: { shape: [3, 5] }, dy: { shape: [3, 5] }, dsum: { shape: [5] } }, throws: { code: 'SHAPE', argument: 'dsum' } },
    ],
    { backends },
  );
});

test('AddCRMSNorm', async () => {
  await opcheck(
    AddCRMSNorm,
    [
      { inputs: { x: { shape: [3, 5] }, residual: { shape: [3, 5] } }, attrs: { epsilon: 0.1 } },
      { inputs: { x: { shape: [2, 2, 21] }, residual: { shape: [2, 2, 21] } } },
      { inputs: { x: { shape: [2, 16] }, residual: { shape: [2, 16] } }, attrs: { padding: 1 } },
      { inputs: { x: { shape: [2, 4] }, residual: { shape: [4] } }, throws: { code: 'SHAPE', argument: 'residual' } },
    ],
    { backends },
  );
});

/** Rows of noise, centred. */
function zeroMean(rows: number, width: number, seed: number): Tensor {
  return tensor(
    Array.from({ length: rows }, (_, row) => noise(width, seed + row)).flatMap((row) => {
      const mean = row.reduce((total, value) => total + value, 0) / width;
      return row.map((value) => value - mean);
    }),
    [rows, width],
  );
}

// Jiang et al. 2023.
test('on vectors of mean 0, layer, RMS and compressed RMS normalization are the same function', async () => {
  await onEach(backends, async () => {
    for (const width of [2, 7, 64, 257]) {
      const padding = (4 - ((width - 1) % 4)) % 4;
      const x = zeroMean(4, width, width);
      const found = tidy(() => {
        const layer = layerNorm(x);
        return {
          compressed: sub(decompressZeroMean(crmsNorm(compressZeroMean(x))), layer),
          rms: sub(rmsNorm(x, undefined, { epsilon: 1e-5 }), layer),
          padded: sub(decompressZeroMean(crmsNorm(compressZeroMean(x, { padTo: 4 }), { padding }), { padding }), layer),
        };
      });
      for (const difference of Object.values(found)) {
        expect((await read(difference)).every((value) => Math.abs(value) < 1e-4)).toBe(true);
      }
      x.dispose();
    }
  });
});

test('the gradient through compression and back is that of layer normalization, centred', async () => {
  await onEach(backends, async () => {
    const [x, weights] = [zeroMean(3, 9, 5), tensor(noise(27, 8), [3, 9])];
    const loss = (normalize: (a: Tensor) => Tensor) => (a: Tensor) => sum(mul(normalize(a), weights));
    const [wanted] = grads(loss(layerNorm))([x]);
    // d loss / d compressed_j = d loss / d x_j - d loss / d x_last: moving one number moves the last one the other way.
    const [found] = grads(loss((c) => decompressZeroMean(crmsNorm(c))))([tidy(() => compressZeroMean(x))]);
    const difference = tidy(() => sub(sub(slice(wanted!, [0, 0], [3, 8]), slice(wanted!, [0, 8], [3, 1])), found!));
    expect((await read(difference)).every((value) => Math.abs(value) < 1e-4)).toBe(true);
    dispose([x, weights, wanted!, found!]);
  });
});

test('pads compressed rows with zeros, and takes them off again', async () => {
  await onEach(backends, async () => {
    const x = tensor([1, 2, -3, 4, -6, 2], [2, 3]);
    const padded = compressZeroMean(x, { padTo: 4 });
    expect(padded.shape).toEqual([2, 4]);
    expect(await read(tidy(() => decompressZeroMean(padded, { padding: 2 })))).toEqual([1, 2, -3, 4, -6, 2]);
    expect(await read(padded)).toEqual([1, 2, 0, 0, 4, -6, 0, 0]);
    const even = compressZeroMean(x, { padTo: 2 });
    expect(await read(even)).toEqual([1, 2, 4, -6]);
    x.dispose();
  });
});

test('NaN and infinity stay in their row, forward and backward', async () => {
  await onEach(backends, async () => {
    const values = noise(3 * 18, 3);
    const clean = tensor(values, [3, 18]);
    const soiled = tensor(
      values.map((value, i) => (i === 20 ? Number.NaN : value)),
      [3, 18],
    );
    for (const compute of [crmsNorm, (x: Tensor) => CRMSNormGrad({ x, dy: clean }).dx]) {
      const wanted = await read(tidy(() => compute(clean)));
      const found = await read(tidy(() => compute(soiled)));
      expect(found.slice(0, 18)).toEqual(wanted.slice(0, 18));
      expect(found.slice(18, 36).every(Number.isNaN)).toBe(true);
      expect(found.slice(36)).toEqual(wanted.slice(36));
    }
    dispose([clean, soiled]);
  });
});

test('a row of zeros stays zero, with the gradient dy / sqrt(epsilon)', async () => {
  await onEach(backends, async () => {
    const found = tidy(() => ({
      y: crmsNorm(zeros([1, 3])),
      dx: CRMSNormGrad({ x: zeros([1, 3]), dy: tensor([[1, 2, -4]]) }, { epsilon: 1e-4 }).dx,
    }));
    expect(await read(found.y)).toEqual([0, 0, 0]);
    expect(worst(await read(found.dx), [100, 200, -400])).toBeLessThan(1e-3);
  });
});

/** The formula in double precision: the compressed row with its last number, divided by the root of its mean square. */
function expected(row: readonly number[]): number[] {
  const last = -row.reduce((total, value) => total + value, 0);
  const square = [...row, last].reduce((total, value) => total + value ** 2, 0) / (row.length + 1);
  return row.map((value) => value / Math.sqrt(square + 1e-5));
}

test('is right for numbers as large as half precision has, and for rows of mean 1e4 and deviation 1', async () => {
  const rows = [noise(100, 1).map((value) => value * 65504), noise(100, 2).map((value) => 1e4 + value)].map((row) => row.map(Math.fround));
  await onEach(backends, async () => {
    const y = await read(tidy(() => crmsNorm(tensor(rows.flat(), [2, 100]))));
    expect(worst(y, rows.flatMap(expected))).toBeLessThan(1e-5);
  });
});

test('layer normalization needs two passes for rows of mean 5e4 and deviation 1e4, compressed rows have no such mean', async () => {
  const row = noise(64, 4).map((value) => Math.fround(5e4 + value * 1e4 * Math.sqrt(3)));
  const wanted = standardized(row, 1e-5);
  const mean = row.reduce((total, value) => total + value, 0) / 64;
  await onEach(backends, async () => {
    const layer = await read(tidy(() => layerNorm(tensor([row]))));
    expect(worst(layer, wanted)).toBeLessThan(1e-5);
    const compressed = tidy(() => decompressZeroMean(crmsNorm(compressZeroMean(tensor([row.map((value) => value - mean)])))));
    expect(worst(await read(compressed), wanted)).toBeLessThan(1e-5);
  });
});

test('the functions take their tensors by position, and refuse by name', async () => {
  await onEach(backends, async () => {
    const found = tidy(() => addCrmsNorm(tensor([[0, 1]]), tensor([[1, 1]]), { epsilon: 1e-9 }));
    expect(worst(await read(found.y), [1 / Math.sqrt(14 / 3), 2 / Math.sqrt(14 / 3)])).toBeLessThan(1e-5);
    expect(await read(found.sum)).toEqual([1, 2]);
  });
  expect(refusal(() => compressZeroMean(zeros([2, 1])))).toBe('SHAPE x');
  expect(refusal(() => compressZeroMean(zeros([])))).toBe('SHAPE x');
  expect(refusal(() => compressZeroMean(zeros([2, 3]), { padTo: 0 }))).toBe('INVALID_ARGUMENT padTo');
  expect(refusal(() => decompressZeroMean(zeros([2, 0])))).toBe('SHAPE c');
  expect(refusal(() => decompressZeroMean(zeros([2, 3]), { padding: 3 }))).toBe('INVALID_ARGUMENT padding');
  expect(refusal(() => crmsNorm(zeros([2, 3]), { epsilon: Infinity }))).toBe('INVALID_ARGUMENT epsilon');
});
