import { backends } from '../../../../tools/test-backends.ts';
import { add, conv2d, dispose, fill, grads, mul, tensor, tidy, zeros, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import { opcheck } from '@evenkeel/core/testing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { noise, onEach, read, refusal, worst } from '../../test/host.ts';
import { WeightStandardization, WeightStandardizationGrad, weightStandardize, type WeightStandardizationVariant } from './index.ts';
import { VARIANTS, variantNamed } from './variants.ts';

type Rule = { shape: readonly number[]; low?: number; high?: number; values?: (index: number) => number };
/** Filters whose weights differ: finite differences must not step over a deviation of 0. */
const kernel = (...shape: number[]): Rule => ({ shape, low: -1.5, high: 1.5 });

const sizes = fc.record({
  height: fc.integer({ min: 1, max: 3 }),
  inputs: fc.integer({ min: 2, max: 9 }),
  filters: fc.integer({ min: 1, max: 21 }),
  variant: fc.constantFrom(...VARIANTS),
});

/** By filter, in double precision. */
function standardized(values: readonly number[], filters: number, variant: WeightStandardizationVariant, epsilon: number): number[] {
  const n = values.length / filters;
  const out = [...values];
  for (let f = 0; f < filters; f++) {
    const own = values.filter((_, i) => i % filters === f);
    const mean = own.reduce((a, b) => a + b, 0) / n;
    const squares = own.reduce((a, b) => a + (b - mean) ** 2, 0);
    const s =
      variant === 'sqrt(var_unbiased+eps)'
        ? Math.sqrt(squares / (n - 1) + epsilon)
        : Math.sqrt(squares / (variant === 'std_biased+eps' ? n : n - 1)) + epsilon;
    own.forEach((value, i) => (out[i * filters + f] = (value - mean) / s));
  }
  return out;
}

test('WeightStandardization', async () => {
  await opcheck(
    WeightStandardization,
    [
      ...VARIANTS.flatMap((variant) => [
        { inputs: { kernel: kernel(3, 3, 2, 5) }, attrs: { variant } },
        { name: `${variant}, filters in fours`, inputs: { kernel: kernel(9, 8) }, attrs: { variant, epsilon: 0.01 } },
        {
          name: `${variant}, two weights`,
          inputs: { kernel: { shape: [2, 3], values: (i: number) => [1, -2, 3, 4, 5, -6][i]! } },
          attrs: { variant },
          // There is none: all pairs are standardized to the same.
          gradient: false,
        },
        {
          name: `${variant}, constant filters`,
          inputs: { kernel: { shape: [4, 3], values: (i: number) => (i % 3) / 2 } },
          attrs: { variant },
          gradient: false,
        },
      ]),
      { name: 'more weights than a block', inputs: { kernel: kernel(3, 3, 70, 7) }, gradient: false },
      { name: 'many filters', inputs: { kernel: kernel(1, 1, 6, 300) }, gradient: false },
      { name: 'one filter', inputs: { kernel: kernel(3, 3, 4, 1) } },
      { inputs: { kernel: { shape: [1, 1, 1, 4] } }, throws: { code: 'SHAPE', argument: 'kernel' } },
      { inputs: { kernel: { shape: [4] } }, throws: { code: 'SHAPE', argument: 'kernel' } },
      { inputs: { kernel: { shape: [4, 2], dtype: 'int32' } }, throws: { code: 'DTYPE', argument: 'kernel' } },
      { inputs: { kernel: kernel(4, 2) }, attrs: { epsilon: 0 }, throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' } },
      { inputs: { kernel: kernel(4, 2) }, attrs: { variant: 'std' as never }, throws: { code: 'INVALID_ARGUMENT', argument: 'variant' } },
    ],
    {
      backends,
      property: (holds) =>
        fc.assert(
          fc.asyncProperty(sizes, ({ height, inputs, filters, variant }) =>
            holds({ inputs: { kernel: kernel(height, 2, inputs, filters) }, attrs: { variant, epsilon: 0.01 }, step: 0.005 }),
          ),
          { numRuns: 6 },
        ),
    },
  );
});

test('WeightStandardizationGrad', async () => {
  await opcheck(
    WeightStandardizationGrad,
    [
      ...VARIANTS.flatMap((variant) => [
        { inputs: { kernel: kernel(3, 3, 2, 3), dy: { shape: [3, 3, 2, 3] } }, attrs: { variant } },
        { inputs: { kernel: kernel(1, 12, 8), dy: { shape: [1, 12, 8] } }, attrs: { variant, epsilon: 0.01 } },
        {
          name: `${variant}, constant filters`,
          inputs: { kernel: { shape: [4, 3], values: (i: number) => (i % 3) / 2 }, dy: { shape: [4, 3] } },
          attrs: { variant },
          gradient: false,
        },
      ]),
      { name: 'more weights than a block', inputs: { kernel: kernel(3, 3, 70, 7), dy: { shape: [3, 3, 70, 7] } }, gradient: false },
      { inputs: { kernel: kernel(4, 2), dy: { shape: [3, 2] } }, throws: { code: 'SHAPE', argument: 'dy' } },
    ],
    { backends },
  );
});

test.each(VARIANTS)('%s as it is written, in double precision', async (variant) => {
  const values = noise(3 * 3 * 5 * 6, 3);
  await onEach(backends, async () => {
    const input = tensor(values, [3, 3, 5, 6]);
    const found = await read(weightStandardize(input, { variant, epsilon: 0.1 }));
    expect(worst(found, standardized(Array.from(await input.data()), 6, variant, 0.1))).toBeLessThan(2e-6);
    input.dispose();
  });
});

test.each(VARIANTS)('%s: a constant filter is standardized to zeros, with a finite gradient', async (variant) => {
  await onEach(backends, async () => {
    const [input, dy] = [fill([3, 3, 3, 4], 0.1), tensor(noise(108, 5), [3, 3, 3, 4])];
    const y = await read(weightStandardize(input, { variant }));
    // 0.1 times 27 over 27 is not quite 0.1.
    y.forEach((value) => expect(Math.abs(value)).toBeLessThan(2e-3));
    const found = grads((k: Tensor) => weightStandardize(k, { variant }))([input], dy)[0]!;
    const gradient = await read(found);
    expect(gradient.every(Number.isFinite)).toBe(true);
    // What is left of it is (dy - mean(dy)) / s.
    const s = variant === 'sqrt(var_unbiased+eps)' ? Math.sqrt(1e-5) : 1e-5;
    const given = Array.from(await dy.data());
    const means = [0, 1, 2, 3].map((f) => given.filter((_, i) => i % 4 === f).reduce((a, b) => a + b, 0) / 27);
    gradient.forEach((value, i) => expect(value * s).toBeCloseTo(given[i]! - means[i % 4]!, 2));
    dispose([input, dy]);
  });
});

test('weights of 10000 +- 1, and as large as half precision has', async () => {
  await onEach(backends, async () => {
    for (const [scale, shift, tolerance] of [
      [1, 1e4, 2e-3],
      [65504, 0, 1e-5],
      [6e-8, 0, 1e-5],
    ] as const) {
      const input = tensor(
        noise(400, 7).map((value) => value * scale + shift),
        [100, 4],
      );
      const wanted = standardized(Array.from(await input.data()), 4, 'std_biased+eps', 1e-12);
      expect(worst(await read(weightStandardize(input, { variant: 'std_biased+eps', epsilon: 1e-12 })), wanted)).toBeLessThan(tolerance);
      input.dispose();
    }
  });
});

test('NaN stays in its filter, forwards and backwards', async () => {
  await onEach(backends, async () => {
    const values = noise(60, 2);
    values[2 * 5 + 3] = Number.NaN;
    const [input, dy] = [tensor(values, [12, 5]), tensor(noise(60, 4), [12, 5])];
    const y = await read(weightStandardize(input));
    const gradient = await read(grads((k: Tensor) => weightStandardize(k))([input], dy)[0]!);
    for (const found of [y, gradient]) found.forEach((value, i) => expect(Number.isNaN(value)).toBe(i % 5 === 3));
    dispose([input, dy]);
  });
});

test('depthwise kernels: a filter for each channel and multiplier', async () => {
  const values = noise(3 * 3 * 4 * 2, 6);
  await onEach(backends, async () => {
    const input = tensor(values, [3, 3, 4, 2]);
    const y = weightStandardize(input, { depthwise: true });
    expect(y.shape).toEqual([3, 3, 4, 2]);
    expect(worst(await read(y), standardized(values, 8, 'sqrt(var_unbiased+eps)', 1e-5))).toBeLessThan(1e-5);
    input.dispose();
  });
});

test('smooths gradients: each filter has a gradient with no more length than dy / s has, and with as much only where dy has no mean and no radial part', async () => {
  const filters = 8;
  const n = 18;
  const length = (values: readonly number[], f: number): number => Math.hypot(...values.filter((_, i) => i % filters === f));
  await onEach(backends, async () => {
    for (const seed of [1, 2, 3, 4]) {
      const [input, dy] = [tensor(noise(n * filters, seed), [n, filters]), tensor(noise(n * filters, seed + 10), [n, filters])];
      const [w, d] = [Array.from(await input.data()), Array.from(await dy.data())];
      const y = Array.from(await read(weightStandardize(input)));
      // s, from the definition.
      const s = (f: number): number => Math.max(...w.map((value, i) => (i % filters === f ? (value - mean(w, f)) / y[i]! : 0)));
      const gradient = await read(grads((k: Tensor) => weightStandardize(k))([input], dy)[0]!);
      for (let f = 0; f < filters; f++) expect(length(gradient, f)).toBeLessThan(length(d, f) / s(f));
      // What is left of dy without its mean and its part along the filter.
      const clean = d.map((value, i) => value - mean(d, i % filters));
      const along = (f: number): number =>
        clean.reduce((total, value, i) => total + (i % filters === f ? value * y[i]! : 0), 0) /
        y.reduce((total, value, i) => total + (i % filters === f ? value * value : 0), 0);
      const factors = Array.from({ length: filters }, (_, f) => along(f));
      const bare = clean.map((value, i) => value - factors[i % filters]! * y[i]!);
      const tangent = tensor(bare, [n, filters]);
      const same = await read(grads((k: Tensor) => weightStandardize(k))([input], tangent)[0]!);
      for (let f = 0; f < filters; f++) expect(length(same, f) / (length(bare, f) / s(f))).toBeCloseTo(1, 4);
      dispose([input, dy, tangent]);
    }
  });
  function mean(values: readonly number[], f: number): number {
    return values.filter((_, i) => i % filters === f).reduce((a, b) => a + b, 0) / n;
  }
});

test('what a convolution computes with it does not depend on the scale and the shift of its filters', async () => {
  await onEach(backends, async () => {
    const results = tidy(() => {
      const x = tensor(noise(2 * 6 * 6 * 3, 1), [2, 6, 6, 3]) as Tensor4D;
      const input = tensor(noise(3 * 3 * 3 * 4, 2), [3, 3, 3, 4]);
      const moved = add(mul(input, tensor([2, 0.5, 3, 1])), tensor([0.3, -1, 0, 2]));
      return [input, moved].map((k) => conv2d(x, weightStandardize(k, { epsilon: 1e-12 }) as Tensor4D, 1, 'same'));
    });
    const [one, other] = [await read(results[0]!), await read(results[1]!)];
    expect(worst(one, other)).toBeLessThan(2e-4);
  });
});

test('an empty kernel stays empty', async () => {
  await onEach(backends, async () => {
    const y = weightStandardize(zeros([3, 3, 0, 4]));
    expect(y.shape).toEqual([3, 3, 0, 4]);
    y.dispose();
  });
});

test('refuses by name', () => {
  expect(refusal(() => weightStandardize(zeros([1, 1, 1, 4])))).toBe('SHAPE kernel');
  expect(refusal(() => weightStandardize(zeros([1, 1, 4, 2]), { depthwise: true }))).toBe('SHAPE kernel');
  expect(refusal(() => weightStandardize(zeros([4, 2]), { depthwise: true }))).toBe('SHAPE kernel');
  expect(refusal(() => weightStandardize(zeros([4, 2]), { epsilon: -1 }))).toBe('INVALID_ARGUMENT epsilon');
  expect(refusal(() => weightStandardize(zeros([4, 2]), { variant: 'unbiased' as never }))).toBe('INVALID_ARGUMENT variant');
  expect(refusal(() => weightStandardize(undefined as never))).toBe('INVALID_ARGUMENT kernel');
});

test('knows variants also as tfjs spells them', () => {
  expect(variantNamed('sqrt(varUnbiased+eps)')).toBe('sqrt(var_unbiased+eps)');
  expect(variantNamed('std_biased+eps')).toBe('std_biased+eps');
  expect(variantNamed('std')).toBeUndefined();
});
