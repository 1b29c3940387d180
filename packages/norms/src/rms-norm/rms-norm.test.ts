import { backends } from '../../../../tools/test-backends.ts';
import { mul, tensor, tidy } from '@tensorflow/tfjs-core';
import { opcheck } from '@evenkeel/core/testing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { noise, onEach, read, worst } from '../../test/host.ts';
import { rmsNorm, RMSNorm, RMSNormGrad } from './op.ts';

const sizes = fc.record({ rows: fc.integer({ min: 1, max: 5 }), width: fc.integer({ min: 1, max: 37 }), gamma: fc.boolean() });

test('RMSNorm', async () => {
  await opcheck(
    RMSNorm,
    [
      { inputs: { x: { shape: [3, 5] } }, attrs: { epsilon: 0.1 } },
      { inputs: { x: { shape: [2, 2, 19] }, gamma: { shape: [19] } }, attrs: { epsilon: 1e-3 } },
      { inputs: { x: { shape: [2, 64] }, gamma: { shape: [64] } } },
      { inputs: { x: { shape: [33] } }, attrs: { epsilon: 0.01 } },
      { name: 'wider than the L1 cache', inputs: { x: { shape: [2, 9001] }, gamma: { shape: [9001] } } },
      { name: 'more rows than a block', inputs: { x: { shape: [300, 7] }, gamma: { shape: [7] } } },
      { name: 'width 1', inputs: { x: { shape: [5, 1] }, gamma: { shape: [1] } }, attrs: { epsilon: 0.1 } },
      { name: 'rows of zeros', inputs: { x: { shape: [2, 6], values: () => 0 }, gamma: { shape: [6] } }, gradient: false },
      { name: 'a row with NaN', inputs: { x: { shape: [3, 9], values: (i) => (i === 13 ? Number.NaN : Math.sin(i)) } }, gradient: false },
      { inputs: { x: { shape: [3, 5] } }, attrs: { epsilon: 0 }, throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' } },
      { inputs: { x: { shape: [3, 5] } }, attrs: { epsilon: -1 }, throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' } },
      { inputs: { x: { shape: [3, 5] }, gamma: { shape: [4] } }, throws: { code: 'SHAPE', argument: 'gamma' } },
      { inputs: { x: { shape: [3, 0] } }, throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { x: { shape: [] } }, throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { x: { shape: [3, 5], dtype: 'int32' } }, throws: { code: 'DTYPE', argument: 'x' } },
    ],
    {
      backends,
      property: (holds) =>
        fc.assert(
          fc.asyncProperty(sizes, ({ rows, width, gamma }) =>
            holds({ inputs: { x: { shape: [rows, width] }, ...(gamma && { gamma: { shape: [width] } }) }, attrs: { epsilon: 0.1 } }),
          ),
          { numRuns: 6 },
        ),
    },
  );
});

test('RMSNormGrad', async () => {
  await opcheck(
    RMSNormGrad,
    [
      { inputs: { x: { shape: [3, 5] }, dy: { shape: [3, 5] } }, attrs: { epsilon: 0.1 } },
      { inputs: { x: { shape: [2, 2, 34] }, dy: { shape: [2, 2, 34] }, gamma: { shape: [34] } } },
      { inputs: { x: { shape: [3, 5] }, dy: { shape: [3, 4] } }, throws: { code: 'SHAPE', argument: 'dy' } },
      { inputs: { x: { shape: [3, 5] }, dy: { shape: [2, 5] } }, throws: { code: 'SHAPE', argument: 'dy' } },
    ],
    { backends },
  );
});

test('sums dgamma of very many rows as in double precision', async () => {
  const shape: [number, number] = [60_000, 2];
  const x = noise(shape[0] * shape[1], 7).map((value) => Math.fround(value + 2));
  const wanted = [0, 0];
  for (let row = 0; row < shape[0]; row++) {
    const [a = 0, b = 0] = x.slice(2 * row, 2 * row + 2);
    const r = 1 / Math.sqrt((a * a + b * b) / 2 + 0.1);
    wanted[0]! += a * r;
    wanted[1]! += b * r;
  }
  // A software GPU would take half a minute.
  await onEach(['cpu', 'wasm'], async () => {
    const found = tidy(
      () =>
        RMSNormGrad(
          {
            x: tensor(x, shape),
            dy: tensor(
              x.map(() => 1),
              shape,
            ),
          },
          { epsilon: 0.1 },
        ).dgamma,
    );
    expect(worst(await read(found), wanted) / 60_000).toBeLessThan(1e-6);
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
    for (const compute of [rmsNorm, (x: typeof clean) => RMSNormGrad({ x, dy: clean }).dx]) {
      const wanted = await read(tidy(() => compute(clean)));
      const found = await read(tidy(() => compute(soiled)));
      expect(found.slice(0, 18)).toEqual(wanted.slice(0, 18));
      expect(found.slice(18, 36).every(Number.isNaN)).toBe(true);
      expect(found.slice(36)).toEqual(wanted.slice(36));
    }
    clean.dispose();
    soiled.dispose();
  });
});

function normalized(row: number[]): Promise<number[]> {
  return read(tidy(() => rmsNorm(tensor(row), undefined, { epsilon: 1e-9 })));
}

// Zhang, Sennrich 2019, section 4: invariant to re-scaling, not to re-centring.
test('does not change when a row is scaled, and does when it is shifted', async () => {
  await onEach(backends, async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1000 }), fc.double({ min: 0.5, max: 4, noNaN: true }), async (seed, factor) => {
        const row = noise(31, seed);
        const plain = await normalized(row);
        expect(worst(await normalized(row.map((value) => value * factor)), plain)).toBeLessThan(1e-4);
        expect(worst(await normalized(row.map((value) => value + 1)), plain)).toBeGreaterThan(1e-2);
      }),
      { numRuns: 5 },
    );
  });
});

test('takes its tensors by position', async () => {
  await onEach(backends, async () => {
    const y = tidy(() => rmsNorm(tensor([[3, 4]]), mul(tensor([1, 2]), 1)));
    expect(worst(await read(y), [3 / Math.sqrt(12.5), 8 / Math.sqrt(12.5)])).toBeLessThan(1e-5);
  });
});
