import { backends } from '../../../../tools/test-backends.ts';
import { dispose, grads, mul, ones, reshape, scalar, sum, tensor, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { opcheck } from '@evenkeel/core/testing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { noise, onEach, read, refusal, standardized, worst } from '../../test/host.ts';
import { layerNorm } from '../layer-norm/index.ts';
import {
  ConditionalNorm,
  ConditionalNormGrad,
  conditionalLayerNorm,
  conditionalRmsNorm,
  TimeDependentParameter,
  TimeDependentParameterGrad,
  timeDependentLayerNorm,
  timeDependentParameter,
  timeDependentRmsNorm,
  type TimeDependentWeights,
} from './index.ts';

const sizes = fc.record({
  batch: fc.integer({ min: 1, max: 4 }),
  positions: fc.integer({ min: 1, max: 3 }),
  width: fc.integer({ min: 2, max: 21 }),
  kind: fc.constantFrom('layer', 'rms'),
  gamma: fc.constantFrom('none', 'one', 'each'),
  beta: fc.constantFrom('none', 'one', 'each'),
});

test('TimeDependentParameter', async () => {
  const n = { shape: [7] };
  await opcheck(
    TimeDependentParameter,
    [
      { inputs: { p0: n, p1: n, w: n, b: n, tau: { shape: [4] } } },
      { inputs: { p0: n, p1: n, w: n, b: n, tau: { shape: [1] } } },
      { inputs: { p0: n, p1: n, w: { shape: [6] }, b: n, tau: { shape: [4] } }, throws: { code: 'SHAPE', argument: 'w' } },
      { inputs: { p0: n, p1: n, w: n, b: n, tau: { shape: [4, 1] } }, throws: { code: 'SHAPE', argument: 'tau' } },
    ],
    { backends },
  );
});

test('TimeDependentParameterGrad', async () => {
  const n = { shape: [7] };
  await opcheck(
    TimeDependentParameterGrad,
    [
      { inputs: { p0: n, p1: n, w: n, b: n, tau: { shape: [4] }, dy: { shape: [4, 7] } } },
      { inputs: { p0: n, p1: n, w: n, b: n, tau: { shape: [4] }, dy: { shape: [3, 7] } }, throws: { code: 'SHAPE', argument: 'dy' } },
    ],
    // That would be the third of sigmoid, which tfjs does not have.
    { backends, secondOrder: false },
  );
});

test('ConditionalNorm', async () => {
  await opcheck(
    ConditionalNorm,
    [
      { inputs: { x: { shape: [3, 5] } }, attrs: { epsilon: 0.1 } },
      { inputs: { x: { shape: [3, 4, 6] }, gamma: { shape: [3, 6] }, beta: { shape: [3, 6] } } },
      { inputs: { x: { shape: [3, 4, 6] }, gamma: { shape: [3, 6] }, beta: { shape: [1, 6] } }, attrs: { kind: 'rms', epsilon: 1e-3 } },
      { inputs: { x: { shape: [2, 2, 3, 7] }, gamma: { shape: [1, 7] }, beta: { shape: [2, 7] } } },
      { inputs: { x: { shape: [2, 2, 3, 8] }, gamma: { shape: [2, 8] } }, attrs: { kind: 'rms' } },
      { inputs: { x: { shape: [3, 9] }, beta: { shape: [3, 9] } }, attrs: { kind: 'rms', epsilon: 0.1 } },
      { inputs: { x: { shape: [19] }, gamma: { shape: [1, 19] }, beta: { shape: [1, 19] } } },
      { name: 'many rows a sample', inputs: { x: { shape: [2, 300, 4] }, gamma: { shape: [2, 4] }, beta: { shape: [2, 4] } } },
      { name: 'wider than the L1 cache', inputs: { x: { shape: [2, 9001] }, gamma: { shape: [2, 9001] } }, attrs: { kind: 'rms' } },
      { name: 'width 1', inputs: { x: { shape: [3, 2, 1] }, gamma: { shape: [3, 1] } }, gradient: false },
      { name: 'rows of zeros', inputs: { x: { shape: [2, 6], values: () => 0 } }, attrs: { kind: 'rms' }, gradient: false },
      { name: 'a row with NaN', inputs: { x: { shape: [3, 9], values: (i) => (i === 13 ? Number.NaN : Math.sin(i)) } }, gradient: false },
      { inputs: { x: { shape: [3, 5] } }, attrs: { kind: 'batch' }, throws: { code: 'INVALID_ARGUMENT', argument: 'kind' } },
      { inputs: { x: { shape: [3, 5] } }, attrs: { epsilon: 0 }, throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' } },
      { inputs: { x: { shape: [3, 5] }, gamma: { shape: [2, 5] } }, throws: { code: 'SHAPE', argument: 'gamma' } },
      { inputs: { x: { shape: [3, 5] }, gamma: { shape: [3, 4] } }, throws: { code: 'SHAPE', argument: 'gamma' } },
      { inputs: { x: { shape: [3, 5] }, gamma: { shape: [5] } }, throws: { code: 'SHAPE', argument: 'gamma' } },
      { inputs: { x: { shape: [5] }, beta: { shape: [5, 5] } }, throws: { code: 'SHAPE', argument: 'beta' } },
      { inputs: { x: { shape: [3, 0] } }, throws: { code: 'SHAPE', argument: 'x' } },
      { inputs: { x: { shape: [3, 5], dtype: 'int32' } }, throws: { code: 'DTYPE', argument: 'x' } },
    ],
    {
      backends,
      property: (holds) =>
        fc.assert(
          fc.asyncProperty(sizes, ({ batch, positions, width, kind, gamma, beta }) =>
            holds({
              inputs: {
                x: { shape: [batch, positions, width] },
                ...(gamma !== 'none' && { gamma: { shape: [gamma === 'one' ? 1 : batch, width] } }),
                ...(beta !== 'none' && { beta: { shape: [beta === 'one' ? 1 : batch, width] } }),
              },
              attrs: { kind, epsilon: 0.5 },
            }),
          ),
          { numRuns: 8 },
        ),
    },
  );
});

test('ConditionalNormGrad', async () => {
  await opcheck(
    ConditionalNormGrad,
    [
      { inputs: { x: { shape: [3, 5] }, dy: { shape: [3, 5] } }, attrs: { epsilon: 0.1 } },
      { inputs: { x: { shape: [2, 3, 6] }, dy: { shape: [2, 3, 6] }, gamma: { shape: [2, 6] } }, attrs: { samples: 2 } },
      { inputs: { x: { shape: [2, 3, 9] }, dy: { shape: [2, 3, 9] }, gamma: { shape: [2, 9] } }, attrs: { kind: 'rms', samples: 2 } },
      { inputs: { x: { shape: [2, 3, 8] }, dy: { shape: [2, 3, 8] }, gamma: { shape: [1, 8] } }, attrs: { kind: 'rms', samples: 2 } },
      {
        name: 'rows of zeros',
        inputs: { x: { shape: [2, 6], values: (i) => (i < 6 ? 0 : Math.sin(i)) }, dy: { shape: [2, 6] } },
        attrs: { kind: 'rms' },
        gradient: false,
      },
      { inputs: { x: { shape: [3, 5] }, dy: { shape: [3, 4] } }, throws: { code: 'SHAPE', argument: 'dy' } },
      {
        inputs: { x: { shape: [3, 5] }, dy: { shape: [3, 5] } },
        attrs: { samples: 2 },
        throws: { code: 'INVALID_ARGUMENT', argument: 'samples' },
      },
    ],
    { backends },
  );
});

/** Weights of a parameter that differs from sample to sample. */
function weightsOf(n: number, seed: number): TimeDependentWeights {
  const [p0, p1, w, b] = [0, 1, 2, 3].map((i) => tensor(noise(n, seed + i)));
  return { p0: p0!, p1: p1!, w: w!, b: b! };
}

test('one time for all and a time for each sample agree, forward and backward', async () => {
  await onEach(backends, async () => {
    const x = tensor(noise(2 * 3 * 5, 1), [2, 3, 5]);
    const dy = tensor(noise(2 * 3 * 5, 2), [2, 3, 5]);
    const [gamma, beta] = [weightsOf(5, 10), weightsOf(5, 20)];
    const vectors = [
      x,
      ...Object.values(gamma as unknown as Record<string, Tensor>),
      ...Object.values(beta as unknown as Record<string, Tensor>),
    ];
    for (const normalize of [timeDependentLayerNorm, timeDependentRmsNorm]) {
      const of =
        (tau: Tensor) =>
        (a: Tensor, ...[g0, g1, gw, gb, b0, b1, bw, bb]: Tensor[]): Tensor =>
          normalize(a, tau, { gamma: { p0: g0!, p1: g1!, w: gw!, b: gb! }, beta: { p0: b0!, p1: b1!, w: bw!, b: bb! } });
      const [shared, each] = [scalar(0.3), tensor([0.3, 0.3])];
      const values = [of(shared), of(each)].map((f) => [tidy(() => f(...(vectors as [Tensor]))), ...grads(f as () => Tensor)(vectors, dy)]);
      for (const [i, found] of values[0]!.entries()) expect(worst(await read(found), await read(values[1]![i]!))).toBeLessThan(1e-5);
      dispose([shared, each]);
    }
    dispose([...vectors, dy]);
  });
});

test('at the start nothing depends on time: it is layer normalization, and w and b have no gradient', async () => {
  await onEach(backends, async () => {
    const x = tensor(noise(12, 3), [2, 6]);
    const parameters = [ones([6]), ones([6]), ones([6]), zeros([6])] as const;
    const tau = tensor([-0.9, 0.7]);
    const wanted = await read(tidy(() => layerNorm(x)));
    const f = (p0: Tensor, p1: Tensor, w: Tensor, b: Tensor): Tensor =>
      timeDependentLayerNorm(x, tau, { gamma: { p0, p1, w, b } }, { epsilon: 1e-5 });
    expect(worst(await read(tidy(() => f(...parameters))), wanted)).toBeLessThan(1e-5);
    const weights = tensor(noise(12, 4), [2, 6]);
    const found = grads((...all: Tensor[]) => sum(mul(f(...(all as [Tensor, Tensor, Tensor, Tensor])), weights)))([...parameters]);
    const [dp0, dp1, dw, db] = await Promise.all(found.map((each) => read(each)));
    expect([...dw!, ...db!].every((value) => value === 0)).toBe(true);
    // They part: where s is not 1/2, p0 and p1 have other shares.
    expect(worst(dp0!, dp1!)).toBeGreaterThan(0.01);
    dispose([x, ...parameters, tau, weights]);
  });
});

test('saturates without NaN where tau w + b is large', async () => {
  await onEach(backends, async () => {
    const tau = tensor([-1, 1]);
    const parameters = [tensor([5]), tensor([3]), tensor([1e6]), tensor([0])];
    const f = (...[p0, p1, w, b]: Tensor[]): Tensor => timeDependentParameter({ p0: p0!, p1: p1!, w: w!, b: b! }, tau);
    expect(await read(tidy(() => f(...parameters)))).toEqual([3, 5]);
    const found = grads(f as () => Tensor)(parameters);
    expect((await Promise.all(found.map((each) => read(each)))).flat()).toEqual([1, 1, 0, 0]);
    dispose([tau, ...parameters]);
  });
});

test('a tau that is not finite throws, or stays in its sample', async () => {
  const weights = weightsOf(4, 3);
  await Promise.all(Object.values(weights as unknown as Record<string, Tensor>).map((each) => each.data()));
  await onEach(['cpu', 'wasm'], async () => {
    const [x, tau] = [tensor(noise(12, 1), [3, 4]), tensor([0, Number.NaN, 0.5])];
    expect(refusal(() => timeDependentLayerNorm(x, tau, { gamma: weights }))).toBe('NON_FINITE tau');
    expect(refusal(() => timeDependentParameter(weights, scalar(Infinity)))).toBe('NON_FINITE tau');
    const found = await read(timeDependentRmsNorm(x, tau, { gamma: weights }, { onNonFinite: 'propagate' }));
    expect(found.map(Number.isNaN)).toEqual([0, 1, 2].flatMap((row) => Array<boolean>(4).fill(row === 1)));
    dispose([x, tau]);
  });
  await onEach(
    backends.filter((name) => name === 'webgpu'),
    async () => {
      const theta = timeDependentParameter(weights, tensor([Number.NaN]));
      await expect(theta.data()).rejects.toThrow('tau is NaN or infinite');
    },
  );
});

test('a row of zeros becomes beta and has the gradient 0; a tiny one has a huge gradient', async () => {
  await onEach(backends, async () => {
    const x = tensor([0, 0, 1e-6, 0], [2, 2]);
    const [gamma, beta] = [tensor([2, 3]), tensor([4, 5])];
    const f = (a: Tensor): Tensor => conditionalRmsNorm(a, gamma, beta);
    const [dx] = grads(f)([x], tensor([1, 2, 1, 2], [2, 2]));
    const [y, gradient] = [await read(tidy(() => f(x))), await read(dx!)];
    expect(y.slice(0, 2)).toEqual([4, 5]);
    expect(gradient.slice(0, 2).map(Math.abs)).toEqual([0, 0]);
    expect(gradient[3]!).toBeGreaterThan(1e6);
    dispose([x, gamma, beta]);
  });
});

test('rows of mean 1e4 and deviation 1, and numbers as large as half precision has, are right', async () => {
  const rows = [noise(96, 1).map((value) => Math.fround(1e4 + 2 * value)), noise(96, 2).map((value) => Math.fround(value * 65504))];
  const wanted = rows.flatMap((row) => standardized(row, 1e-5));
  await onEach(backends, async () => {
    expect(worst(await read(tidy(() => conditionalLayerNorm(tensor(rows)))), wanted)).toBeLessThan(5e-3);
    const y = await read(tidy(() => conditionalRmsNorm(tensor(rows), undefined, undefined, { epsilon: 1e-6 })));
    const root = Math.sqrt(rows[1]!.reduce((total, value) => total + value ** 2, 0) / 96);
    expect(
      worst(
        y.slice(96),
        rows[1]!.map((value) => value / root),
      ),
    ).toBeLessThan(1e-5);
  });
});

test('NaN stays in its row, forward and backward', async () => {
  await onEach(backends, async () => {
    const values = noise(4 * 9, 3);
    const clean = tensor(values, [4, 9]);
    const soiled = tensor(
      values.map((value, i) => (i === 20 ? Number.NaN : value)),
      [4, 9],
    );
    const gamma = tensor(noise(36, 8), [4, 9]);
    for (const kind of ['layer', 'rms']) {
      const options = { kind, epsilon: 1e-5 };
      for (const compute of [
        (x: Tensor) => ConditionalNorm({ x, gamma }, options),
        (x: Tensor) => ConditionalNormGrad({ x, dy: clean, gamma }, { ...options, samples: 4 }).dx,
      ]) {
        const [wanted, found] = [await read(tidy(() => compute(clean))), await read(tidy(() => compute(soiled)))];
        found.forEach((value, i) => expect(value).toEqual(i >= 18 && i < 27 ? Number.NaN : wanted[i]));
      }
    }
    dispose([clean, soiled, gamma]);
  });
});

test('parameters of a known time make it an ordinary norm', async () => {
  await onEach(backends, async () => {
    const x = tensor(noise(2 * 3 * 8, 1), [2, 3, 8]);
    const [gamma, beta] = [weightsOf(8, 10), weightsOf(8, 20)];
    const found = tidy(() => {
      const tau = scalar(-0.4);
      return {
        direct: timeDependentLayerNorm(x, tau, { gamma, beta }),
        folded: layerNorm(x, timeDependentParameter(gamma, tau), timeDependentParameter(beta, tau)),
        table: timeDependentParameter(gamma, tensor([-0.4, 0, 0.4])),
        row: reshape(timeDependentParameter(gamma, tau), [8]),
      };
    });
    expect(worst(await read(found.direct), await read(found.folded))).toBeLessThan(1e-5);
    expect(worst((await read(found.table)).slice(0, 8), await read(found.row))).toBeLessThan(1e-6);
    dispose([x, ...Object.values(gamma as unknown as Record<string, Tensor>), ...Object.values(beta as unknown as Record<string, Tensor>)]);
  });
});

test('refuses by name', () => {
  const weights = weightsOf(3, 1);
  const x = zeros([2, 3]);
  expect(refusal(() => timeDependentLayerNorm(x, zeros([3]), { gamma: weights }))).toBe('SHAPE gamma');
  expect(refusal(() => timeDependentLayerNorm(x, zeros([2, 2]), { gamma: weights }))).toBe('SHAPE tau');
  expect(refusal(() => timeDependentLayerNorm(x, zeros([2]), { gamma: weightsOf(4, 1) }))).toBe('SHAPE gamma');
  expect(refusal(() => conditionalRmsNorm(x, undefined, ones([4])))).toBe('SHAPE beta');
  expect(refusal(() => conditionalRmsNorm(x, undefined, undefined, { epsilon: -1 }))).toBe('INVALID_ARGUMENT epsilon');
  expect(refusal(() => timeDependentParameter(weights, zeros([1]), { onNonFinite: 'skip' as never }))).toBe('INVALID_ARGUMENT onNonFinite');
});
