import { backends } from '../../../../tools/test-backends.ts';
import { dispose, fill, grads, mul, ones, sum, tensor, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { opcheck } from '@evenkeel/core/testing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { apart, noise, onEach, read, refusal, worst } from '../../test/host.ts';
import {
  EvoNormB,
  evoNormB0,
  evoNormB0Inference,
  evoNormB1,
  evoNormB1Inference,
  evoNormB2,
  evoNormB2Inference,
  EvoNormBGrad,
  EvoNormBInference,
  EvoNormBInferenceGrad,
  updateMovingVariance,
  type EvoNormBVariant,
} from './index.ts';

const variants: readonly EvoNormBVariant[] = ['B0', 'B1', 'B2'];

type Rule = { shape: readonly number[]; low?: number; high?: number; values?: (index: number) => number };
const channel = (length: number): Rule => ({ shape: [length] });
/** Values that are far from where L and R are equal, as finite differences want it: the gradient jumps there. */
const x = (...shape: number[]): Rule => apart(shape, shape.at(-1));
const v = (length: number): Rule => ({ shape: [length], low: 0.8, high: 1.2 });
const variance = (length: number): Rule => ({ shape: [length], low: 0.45, high: 0.55 });

const sizes = fc.record({
  samples: fc.integer({ min: 1, max: 3 }),
  positions: fc.integer({ min: 1, max: 5 }),
  channels: fc.integer({ min: 1, max: 21 }),
  gamma: fc.boolean(),
  beta: fc.boolean(),
  variant: fc.constantFrom(...variants),
});

test('EvoNormB', async () => {
  await opcheck(
    EvoNormB,
    [
      ...variants.flatMap((variant) => [
        { inputs: { x: x(2, 4, 2, 5) }, attrs: { variant, epsilon: 0.01 } },
        { inputs: { x: x(3, 4, 2, 10), gamma: channel(10), beta: channel(10) }, attrs: { variant } },
        { name: `${variant}, three channels, rows in fours`, inputs: { x: x(2, 4, 4, 3), gamma: channel(3) }, attrs: { variant } },
        {
          name: `${variant}, any values`,
          inputs: { x: { shape: [5, 7, 9, 6], low: -3, high: 2 }, gamma: channel(6), beta: channel(6) },
          attrs: { variant },
          gradient: false,
        },
      ]),
      { name: 'one sample', inputs: { x: x(1, 6, 8), beta: channel(8) }, attrs: { variant: 'B1' } },
      { name: 'more positions than a block', inputs: { x: { shape: [2, 30, 21, 7] }, gamma: channel(7) }, gradient: false },
      { name: 'many channels', inputs: { x: x(2, 2, 1234), gamma: channel(1234) }, attrs: { variant: 'B2' } },
      ...variants.map((variant) => ({
        name: `${variant}, constant channels`,
        inputs: { x: { shape: [6, 2, 4], values: (i: number) => (i % 4) / 4 } },
        attrs: { variant },
        gradient: false,
      })),
      {
        name: 'numbers as large as half precision has',
        inputs: { x: { shape: [2, 9, 4], low: -65504, high: 65504 } },
        attrs: { variant: 'B1' },
        gradient: false,
      },
      { inputs: { x: x(2, 3, 3, 5), gamma: channel(5), beta: channel(5), v: v(5) } },
      { inputs: { x: x(2, 4, 4, 3), v: { shape: [3], low: -1.2, high: -0.8 } }, attrs: { epsilon: 0.01 } },
      { name: 'no space', inputs: { x: { shape: [4, 6], low: -3, high: 3 }, v: v(6) }, gradient: false },
      { inputs: { x: { shape: [1, 5] } }, throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { x: { shape: [1, 1, 1, 5] } }, throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { x: { shape: [5] } }, throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { x: { shape: [2, 0, 5] } }, throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { x: { shape: [4, 5] }, gamma: channel(4) }, throws: { code: 'SHAPE', argument: 'gamma' } },
      { inputs: { x: { shape: [4, 5] }, beta: { shape: [1, 5] } }, throws: { code: 'SHAPE', argument: 'beta' } },
      { inputs: { x: { shape: [4, 5] }, v: channel(4) }, throws: { code: 'SHAPE', argument: 'v' } },
      {
        inputs: { x: { shape: [4, 5] }, v: channel(5) },
        attrs: { variant: 'B1' },
        throws: { code: 'INVALID_ARGUMENT', argument: 'v' },
      },
      {
        inputs: { x: { shape: [4, 5] } },
        attrs: { variant: 'B3' as never },
        throws: { code: 'INVALID_ARGUMENT', argument: 'variant' },
      },
      { inputs: { x: { shape: [4, 5] } }, attrs: { epsilon: 0 }, throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' } },
      { inputs: { x: { shape: [4, 5], dtype: 'int32' } }, throws: { code: 'DTYPE', argument: 'x' } },
    ],
    {
      backends,
      property: (holds) =>
        fc.assert(
          fc.asyncProperty(sizes, ({ samples, positions, channels, gamma, beta, variant }) =>
            holds({
              inputs: {
                x: x(samples, 2 * positions, channels),
                ...(gamma && { gamma: channel(channels) }),
                ...(beta && { beta: channel(channels) }),
              },
              attrs: { variant, epsilon: 0.01 },
              step: 0.005,
            }),
          ),
          { numRuns: 6 },
        ),
    },
  );
});

test('EvoNormBGrad', async () => {
  await opcheck(
    EvoNormBGrad,
    [
      ...variants.flatMap((variant) => [
        {
          inputs: { x: x(2, 4, 2, 3), dy: { shape: [2, 4, 2, 3] }, variance: variance(3), dvariance: channel(3), gamma: channel(3) },
          attrs: { variant },
        },
        {
          name: `${variant}, any values`,
          inputs: {
            x: { shape: [3, 7, 5, 6], low: -3, high: 2 },
            dy: { shape: [3, 7, 5, 6] },
            variance: { shape: [6], low: 0.5, high: 3 },
            dvariance: channel(6),
            gamma: channel(6),
          },
          attrs: { variant },
          gradient: false,
        },
      ]),
      {
        inputs: { x: x(2, 4, 20), dy: { shape: [2, 4, 20] }, variance: variance(20), dvariance: channel(20), v: v(20) },
        attrs: { epsilon: 0.01 },
      },
      {
        inputs: { x: { shape: [4, 5] }, dy: { shape: [3, 5] }, variance: channel(5), dvariance: channel(5) },
        throws: { code: 'SHAPE', argument: 'dy' },
      },
      {
        inputs: { x: { shape: [4, 5] }, dy: { shape: [4, 5] }, variance: channel(4), dvariance: channel(5) },
        throws: { code: 'SHAPE', argument: 'variance' },
      },
    ],
    { backends },
  );
});

test('EvoNormBInference', async () => {
  await opcheck(
    EvoNormBInference,
    [
      ...variants.flatMap((variant) => [
        { inputs: { x: x(2, 4, 2, 3), variance: variance(3), gamma: channel(3), beta: channel(3) }, attrs: { variant } },
        { inputs: { x: x(1, 6, 44), variance: variance(44), gamma: channel(44) }, attrs: { variant, epsilon: 0.01 } },
        {
          name: `${variant}, any values`,
          inputs: { x: { shape: [3, 40, 9], low: -3, high: 2 }, variance: { shape: [9], low: 0.5, high: 3 }, beta: channel(9) },
          attrs: { variant },
          gradient: false,
        },
        {
          name: `${variant}, a single value`,
          inputs: { x: { shape: [1, 1, 1] }, variance: variance(1) },
          attrs: { variant },
          gradient: false,
        },
      ]),
      { inputs: { x: x(2, 4, 5), variance: variance(5), v: v(5) } },
      { inputs: { x: { shape: [4, 5] }, variance: channel(4) }, throws: { code: 'SHAPE', argument: 'variance' } },
      {
        inputs: { x: { shape: [4, 5] }, variance: channel(5) },
        attrs: { epsilon: -1 },
        throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' },
      },
    ],
    { backends },
  );
});

test('EvoNormBInferenceGrad', async () => {
  await opcheck(
    EvoNormBInferenceGrad,
    [
      ...variants.flatMap((variant) => [
        { inputs: { x: x(2, 4, 2, 3), dy: { shape: [2, 4, 2, 3] }, variance: variance(3), gamma: channel(3) }, attrs: { variant } },
        {
          name: `${variant}, any values`,
          inputs: {
            x: { shape: [3, 7, 5, 6], low: -3, high: 2 },
            dy: { shape: [3, 7, 5, 6] },
            variance: { shape: [6], low: 0.5, high: 3 },
          },
          attrs: { variant },
          gradient: false,
        },
      ]),
      { inputs: { x: x(2, 4, 20), dy: { shape: [2, 4, 20] }, variance: variance(20), v: v(20) }, attrs: { epsilon: 0.01 } },
      { inputs: { x: { shape: [4, 5] }, dy: { shape: [5, 5] }, variance: channel(5) }, throws: { code: 'SHAPE', argument: 'dy' } },
    ],
    { backends },
  );
});

test('a tie counts as the side of the batch', async () => {
  // Constant channels: all deviations are sqrt(epsilon), and with x = 0 B0 compares it with itself.
  await onEach(backends, async () => {
    const found = tidy(() => {
      const [zero, one] = [zeros([2, 2, 1]), ones([2, 2, 1])];
      const nothing = zeros([1]);
      const gradient = EvoNormBGrad({ x: zero, dy: one, variance: nothing, dvariance: nothing });
      return { dx: gradient.dx, dv: gradient.dv, y: EvoNormB({ x: zero }).y };
    });
    expect(await read(found.y)).toEqual([0, 0, 0, 0]);
    for (const value of await read(found.dx)) expect(value / Math.sqrt(1e5)).toBeCloseTo(1, 4);
    expect(await read(found.dv)).toEqual([0]);
  });
});

test('B0 saturates at gamma / v for large x, and is a plain division by the deviation for small', async () => {
  await onEach(backends, async () => {
    const { y } = tidy(() => evoNormB0(tensor([1000, -1000, 1, -1], [1, 4, 1]), fill([1], 3), undefined, fill([1], 2)));
    const deviation = Math.sqrt((2e6 + 2) / 4 + 1e-5);
    const [large, small] = await read(y);
    expect(large).toBeCloseTo(3000 / (2000 + deviation), 4);
    expect(small).toBeCloseTo(-3000 / deviation, 4);
  });
});

test('one position is enough with several samples: the deviation over space is sqrt(epsilon)', async () => {
  await onEach(backends, async () => {
    const { y, variance: found } = tidy(() => evoNormB0(tensor([3, 1], [2, 1, 1, 1])));
    expect((await read(y)).map((value) => value.toFixed(5))).toEqual([
      (3 / (3 + Math.sqrt(1e-5))).toFixed(5),
      (1 / (1 + Math.sqrt(1e-5))).toFixed(5),
    ]);
    expect(await read(found)).toEqual([1]);
  });
});

test('variances of channels of mean 4096 and deviation 1 are right to 1e-4, and so are results', async () => {
  const [positions, channels] = [1000, 3];
  const values = noise(2 * positions * channels, 5).map((value, i) => Math.fround([4096, 0, -4096][i % channels]! + value * Math.sqrt(3)));
  const exact = [0, 1, 2].map((c) => {
    const column = values.filter((_, i) => i % channels === c);
    const mean = column.reduce((total, value) => total + value, 0) / column.length;
    return column.reduce((total, value) => total + (value - mean) ** 2, 0) / column.length;
  });
  await onEach(backends, async () => {
    const found = tidy(() => evoNormB0(tensor(values, [2, positions, channels])));
    (await read(found.variance)).forEach((value, c) => expect(Math.abs(value / exact[c]! - 1)).toBeLessThan(1e-4));
    const y = await read(found.y);
    values.forEach((value, i) => {
      if (i % channels === 2) expect(Math.abs(y[i]! / (value / Math.sqrt(exact[2]! + 1e-5)) - 1)).toBeLessThan(1e-4);
      if (i % channels === 0) expect(y[i]).toBeCloseTo(1, 2);
    });
  });
});

/** Whether an index of [3, 4, 5] is in sample 1 and channel 3. */
const inSample = (i: number): boolean => i >= 20 && i < 40 && i % 5 === 3;

test('NaN stays in its channel in training, in its sample and channel in inference', async () => {
  await onEach(backends, async () => {
    const values = noise(3 * 4 * 5, 3);
    const [clean, soiled] = [values, values.map((value, i) => (i === 28 ? Number.NaN : value))].map((each) => tensor(each, [3, 4, 5]));
    for (const variant of variants) {
      const found = tidy(() => {
        const [given, none] = [ones([5]), zeros([5])];
        const both = EvoNormB({ x: soiled! }, { variant });
        const gradients = EvoNormBGrad({ x: soiled!, dy: clean!, variance: both.variance, dvariance: none }, { variant });
        return {
          y: both.y,
          dx: gradients.dx,
          inferred: EvoNormBInference({ x: soiled!, variance: given }, { variant }),
          inferredDx: EvoNormBInferenceGrad({ x: soiled!, dy: clean!, variance: given }, { variant }).dx,
        };
      });
      (await read(found.y)).forEach((value, i) => expect(Number.isNaN(value), `${variant} ${i}`).toBe(i % 5 === 3));
      (await read(found.dx)).forEach((value, i) => expect(Number.isNaN(value), `${variant} ${i}`).toBe(i % 5 === 3));
      (await read(found.inferred)).forEach((value, i) => expect(Number.isNaN(value), `${variant} ${i}`).toBe(inSample(i)));
      (await read(found.inferredDx)).forEach((value, i) => expect(Number.isNaN(value), `${variant} ${i}`).toBe(inSample(i)));
    }
    dispose([clean!, soiled!]);
  });
});

test('training and inference agree where the variance is the same', async () => {
  await onEach(backends, async () => {
    const found = tidy(() => {
      const input = tensor(noise(3 * 8 * 5, 4), [3, 8, 5]);
      const [gamma, beta] = [tensor(noise(5, 2)), tensor(noise(5, 6))];
      const [b0, b1, b2] = [evoNormB0(input, gamma, beta, gamma), evoNormB1(input, gamma, beta), evoNormB2(input, gamma, beta)];
      return {
        training: [b0.y, b1.y, b2.y],
        inference: [
          evoNormB0Inference(input, b0.variance, gamma, beta, gamma),
          evoNormB1Inference(input, b1.variance, gamma, beta),
          evoNormB2Inference(input, b2.variance, gamma, beta),
        ],
      };
    });
    for (const [i, y] of found.training.entries()) expect(worst(await read(found.inference[i]!), await read(y))).toBeLessThan(1e-6);
  });
});

test('differentiates through y and the variance together', async () => {
  const [input, gamma] = [tensor(noise(24, 3), [2, 4, 3]), tensor(noise(3, 5))];
  const weights = tensor(noise(24, 8), [2, 4, 3]);
  await Promise.all([input, gamma, weights].map((each) => each.data()));
  const wanted: number[][] = [];
  // On cpu the reference runs.
  await onEach(backends, async () => {
    const found = grads((a: Tensor, b: Tensor) => {
      const result = evoNormB0(a, b, undefined, b);
      return sum(mul(mul(result.y, weights), sum(result.variance)));
    })([input, gamma]);
    for (const [i, gradient] of found.entries()) {
      const values = await read(gradient);
      wanted[i] ??= values;
      expect(worst(values, wanted[i])).toBeLessThan(1e-4);
    }
    await Promise.all([input, gamma, weights].map((each) => each.data()));
  });
  dispose([input, gamma, weights]);
});

test('an empty batch gives an empty result and a variance of zeros, which the moving one passes over', async () => {
  await onEach(backends, async () => {
    const { y, variance: found } = evoNormB0(zeros([0, 2, 3]));
    expect(y.shape).toEqual([0, 2, 3]);
    const moving = tidy(() => updateMovingVariance(fill([3], 2), found, 0));
    expect(await read(found)).toEqual([0, 0, 0]);
    expect(await read(moving)).toEqual([2, 2, 2]);
    y.dispose();
  });
});

test('the moving variance keeps its share, biased or not', async () => {
  await onEach(backends, async () => {
    const [one, three] = [ones([1]), fill([1], 3)];
    expect((await read(updateMovingVariance(one, three, 4)))[0]).toBeCloseTo(0.9 + 0.3, 5);
    expect((await read(updateMovingVariance(one, three, 4, { movingVariance: 'unbiased' })))[0]).toBeCloseTo(0.9 + 0.4, 5);
    expect((await read(updateMovingVariance(one, three, 4, { momentum: 0.5 })))[0]).toBeCloseTo(2, 5);
    dispose([one, three]);
  });
});

test('a variance that is not finite leaves the moving one as it was, and says so unless told otherwise', async () => {
  await onEach(['cpu', 'wasm'], async () => {
    const [moving, bad] = [tensor([1, 2]), tensor([Number.NaN, 3])];
    expect(refusal(() => updateMovingVariance(moving, bad, 4))).toBe('NON_FINITE variance');
    expect(await read(updateMovingVariance(moving, bad, 4, { onNonFinite: 'skip' }))).toEqual([1, 2]);
    const [first, second] = await read(updateMovingVariance(moving, bad, 4, { onNonFinite: 'propagate' }));
    expect(first).toBeNaN();
    expect(second).toBeCloseTo(2.1, 5);
    dispose([moving, bad]);
  });
});

test('refuses by name', () => {
  const input = zeros([4, 3, 3]);
  expect(refusal(() => evoNormB0(input, ones([4])))).toBe('SHAPE gamma');
  expect(refusal(() => evoNormB1(input, ones([3]), ones([1])))).toBe('SHAPE beta');
  expect(refusal(() => evoNormB0(input, undefined, undefined, ones([1])))).toBe('SHAPE v');
  expect(refusal(() => evoNormB2(zeros([1, 1, 3])))).toBe('SHAPE x');
  expect(refusal(() => evoNormB2(input, undefined, undefined, { epsilon: Number.NaN }))).toBe('INVALID_ARGUMENT epsilon');
  expect(refusal(() => evoNormB1Inference(input, ones([4])))).toBe('SHAPE variance');
  const [one, two] = [ones([2]), ones([3])];
  expect(refusal(() => updateMovingVariance(one, two, 4))).toBe('SHAPE variance');
  expect(refusal(() => updateMovingVariance(one, one, 1, { movingVariance: 'unbiased' }))).toBe('INVALID_ARGUMENT n');
  expect(refusal(() => updateMovingVariance(one, one, 4, { momentum: 2 }))).toBe('INVALID_ARGUMENT momentum');
});
