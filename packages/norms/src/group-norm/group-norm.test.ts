import { backends } from '../../../../tools/test-backends.ts';
import { tensor, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { opcheck } from '@evenkeel/core/testing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { noise, onEach, read, standardized, worst } from '../../test/host.ts';
import { groupNorm, GroupNorm, GroupNormGrad } from './op.ts';

const sizes = fc.record({
  samples: fc.integer({ min: 1, max: 3 }),
  positions: fc.integer({ min: 1, max: 9 }),
  numGroups: fc.integer({ min: 1, max: 5 }),
  width: fc.integer({ min: 1, max: 6 }),
  gamma: fc.boolean(),
  beta: fc.boolean(),
});

test('GroupNorm', async () => {
  await opcheck(
    GroupNorm,
    [
      { inputs: { x: { shape: [2, 3, 3, 6] } }, attrs: { numGroups: 3, epsilon: 0.1 } },
      { inputs: { x: { shape: [2, 3, 5, 10] }, gamma: { shape: [10] }, beta: { shape: [10] } }, attrs: { numGroups: 2 } },
      { name: 'three channels, rows in fours', inputs: { x: { shape: [2, 4, 4, 3] }, gamma: { shape: [3] } }, attrs: { numGroups: 1 } },
      { name: 'default groups', inputs: { x: { shape: [2, 6, 64] }, gamma: { shape: [64] }, beta: { shape: [64] } } },
      { name: 'no space', inputs: { x: { shape: [3, 20] }, beta: { shape: [20] } }, attrs: { numGroups: 5, epsilon: 0.01 } },
      { name: 'more positions than a block', inputs: { x: { shape: [2, 17, 19, 5] }, gamma: { shape: [5] } }, attrs: { numGroups: 5 } },
      {
        name: 'many channels',
        inputs: { x: { shape: [1, 3, 1234] }, gamma: { shape: [1234] }, beta: { shape: [1234] } },
        attrs: { numGroups: 2 },
      },
      {
        name: 'constant groups',
        inputs: { x: { shape: [2, 4, 6], values: (i) => i % 2 }, beta: { shape: [6] } },
        attrs: { numGroups: 6 },
        gradient: false,
      },
      { inputs: { x: { shape: [2, 3, 6] } }, attrs: { numGroups: 4 }, throws: { code: 'INVALID_ARGUMENT', argument: 'numGroups' } },
      { inputs: { x: { shape: [2, 3, 6] } }, attrs: { numGroups: 0 }, throws: { code: 'INVALID_ARGUMENT', argument: 'numGroups' } },
      { inputs: { x: { shape: [2, 3, 6] } }, attrs: { numGroups: 1.5 }, throws: { code: 'INVALID_ARGUMENT', argument: 'numGroups' } },
      { inputs: { x: { shape: [2, 3, 8] } }, throws: { code: 'INVALID_ARGUMENT', argument: 'numGroups' } },
      { inputs: { x: { shape: [2, 32] } }, attrs: { epsilon: -1e-5 }, throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' } },
      { inputs: { x: { shape: [2, 32] }, gamma: { shape: [31] } }, throws: { code: 'SHAPE', argument: 'gamma' } },
      { inputs: { x: { shape: [2, 0, 32] } }, throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { x: { shape: [32] } }, throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { x: { shape: [2, 32], dtype: 'int32' } }, throws: { code: 'DTYPE', argument: 'x' } },
    ],
    {
      backends,
      property: (holds) =>
        fc.assert(
          fc.asyncProperty(sizes, ({ samples, positions, numGroups, width, gamma, beta }) => {
            const channels = numGroups * width;
            return holds({
              inputs: {
                x: { shape: [samples, positions, channels] },
                ...(gamma && { gamma: { shape: [channels] } }),
                ...(beta && { beta: { shape: [channels] } }),
              },
              attrs: { numGroups, epsilon: 0.1 },
            });
          }),
          { numRuns: 6 },
        ),
    },
  );
});

test('GroupNormGrad', async () => {
  await opcheck(
    GroupNormGrad,
    [
      { inputs: { x: { shape: [2, 5, 6] }, dy: { shape: [2, 5, 6] } }, attrs: { numGroups: 2, epsilon: 0.1 } },
      { inputs: { x: { shape: [2, 2, 2, 32] }, dy: { shape: [2, 2, 2, 32] }, gamma: { shape: [32] } } },
      { inputs: { x: { shape: [2, 5, 32] }, dy: { shape: [2, 4, 32] } }, throws: { code: 'SHAPE', argument: 'dy' } },
      {
        inputs: { x: { shape: [2, 5, 6] }, dy: { shape: [2, 5, 6] } },
        attrs: { numGroups: 4 },
        throws: { code: 'INVALID_ARGUMENT', argument: 'numGroups' },
      },
    ],
    { backends },
  );
});

test('normalizes groups of mean 4096 and deviation 1 to 2e-3, on all backends', async () => {
  const [positions, channels] = [200, 6];
  const x = noise(positions * channels, 5).map((value, i) => Math.fround((i % channels < 3 ? 4096 : -4096) + value * Math.sqrt(3)));
  const group = (first: number): number[] => x.map((_, i) => i).filter((i) => Math.floor((i % channels) / 3) === first);
  const wanted: number[] = [];
  for (const members of [group(0), group(1)]) {
    standardized(
      members.map((i) => x[i]!),
      1e-5,
    ).forEach((value, at) => (wanted[members[at]!] = value));
  }
  await onEach(backends, async () => {
    const found = await read(tidy(() => groupNorm(tensor(x, [1, positions, channels]), undefined, undefined, { numGroups: 2 })));
    expect(worst(found, wanted)).toBeLessThan(2e-3);
  });
});

function inTwoGroups(x: Tensor, epsilon = 1e-5): Tensor {
  return groupNorm(x, undefined, undefined, { numGroups: 2, epsilon });
}

function normalized(x: number[]): Promise<number[]> {
  return read(tidy(() => inTwoGroups(tensor(x, [2, 9, 8]), 1e-9)));
}

test('NaN stays in its sample and group, forward and backward', async () => {
  await onEach(backends, async () => {
    const values = noise(2 * 7 * 6, 3);
    const clean = tensor(values, [2, 7, 6]);
    // Sample 1, position 2, channel 4: the second of two groups.
    const soiled = tensor(
      values.map((value, i) => (i === 58 ? Number.NaN : value)),
      [2, 7, 6],
    );
    for (const compute of [(x: Tensor) => inTwoGroups(x), (x: Tensor) => GroupNormGrad({ x, dy: clean }, { numGroups: 2 }).dx]) {
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

// Wu, He 2018: statistics are a sample's own.
test('does not change when a sample or another group is scaled or shifted', async () => {
  const factor = fc.double({ min: 0.5, max: 4, noNaN: true });
  await onEach(backends, async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1000 }), factor, factor, async (seed, scale, shift) => {
        const values = noise(2 * 9 * 8, seed);
        const plain = await normalized(values);
        const oneSample = values.map((value, i) => (i < 72 ? value * scale + shift : value));
        const oneGroup = values.map((value, i) => (i % 8 < 4 ? value * scale + shift : value));
        const oneChannel = values.map((value, i) => (i % 8 === 0 ? value + 2 : value));
        expect(worst(await normalized(oneSample), plain)).toBeLessThan(1e-4);
        expect(worst(await normalized(oneGroup), plain)).toBeLessThan(1e-4);
        expect(worst(await normalized(oneChannel), plain)).toBeGreaterThan(1e-2);
      }),
      { numRuns: 4 },
    );
  });
});
