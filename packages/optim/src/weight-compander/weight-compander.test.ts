import { backends } from '../../../../tools/test-backends.ts';
import { dispose, grads, tensor, tensor1d, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { opcheck } from '@evenkeel/core/testing';
import { backend, isEvenkeelError } from '@evenkeel/core';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyCompander, Compander, CompanderGrad, CompanderSlope, fitCompander, invertCompander, type CompanderKind } from './index.ts';
import { COMPANDER_KINDS } from './kinds.ts';

const v = (...shape: number[]) => ({ shape, low: -2, high: 2 });
const scale = { shape: [1], low: 0.4, high: 0.9 };
const inputs = (...shape: number[]) => ({ v: v(...shape), a: scale, b: scale });
const withDy = (...shape: number[]) => ({ ...inputs(...shape), dy: { shape } });

/** phi and phi' in double precision. */
const PHI: Record<CompanderKind, [(u: number) => number, (u: number) => number]> = {
  arctan: [Math.atan, (u) => 1 / (1 + u * u)],
  tanh: [Math.tanh, (u) => 1 / Math.cosh(u) ** 2],
  softsign: [(u) => u / (1 + Math.abs(u)), (u) => 1 / (1 + Math.abs(u)) ** 2],
  identity: [(u) => u, () => 1],
};

async function onEach(work: () => Promise<void>): Promise<void> {
  for (const name of backends) {
    await backend(name);
    await work().catch((error: unknown) => {
      throw new Error(`on ${name}: ${(error as Error).message}`, { cause: error });
    });
  }
}

async function read(x: Tensor): Promise<number[]> {
  const values = Array.from(await x.data());
  x.dispose();
  return values;
}

function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (isEvenkeelError(error)) return `${error.code} ${error.argument}: ${error.message}`;
    throw error;
  }
  return 'nothing was thrown';
}

const gradients = (values: Tensor, a: Tensor, b: Tensor, dy: Tensor, kind: CompanderKind): Tensor[] =>
  grads((x: Tensor, y: Tensor, z: Tensor) => applyCompander(x, y, z, { kind }))([values, a, b], dy);

test('Compander', async () => {
  await opcheck(
    Compander,
    [
      { inputs: inputs(5, 7) },
      { inputs: inputs(3, 3, 2, 4) },
      { name: 'one weight', inputs: inputs(1) },
      { name: 'a scalar', inputs: { ...inputs(), v: 0.7 } },
      { name: 'many weights', inputs: inputs(70, 70), gradient: false },
      { name: 'a and b fixed', inputs: inputs(4, 3), attrs: { learnable: false }, wrt: ['v'] },
      { name: 'far from zero', inputs: { ...inputs(9), v: { shape: [9], low: 5, high: 80 } } },
      { name: 'not finite', inputs: { ...inputs(), v: [Number.NaN, 1, Infinity, -Infinity, 0] }, gradient: false },
      ...(['tanh', 'softsign', 'identity'] as const).map((kind) => ({
        // Where softsign has a kink, finite differences must not step.
        inputs: { ...inputs(), v: [-2, -1.5, -1, -0.6, -0.3, 0.2, 0.5, 0.9, 1.7] },
        attrs: { kind },
        expectKernel: false as const,
      })),
      { inputs: inputs(4), attrs: { kind: 'cubic' as never }, throws: { code: 'INVALID_ARGUMENT', argument: 'kind' } },
      { inputs: { ...inputs(4), a: { shape: [2] }, b: { shape: [2] } }, throws: { code: 'SHAPE', argument: 'a' } },
      { inputs: { ...inputs(4), v: { shape: [4], dtype: 'int32' } }, throws: { code: 'DTYPE', argument: 'v' } },
    ],
    {
      backends,
      property: (holds) =>
        fc.assert(
          fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5 }), (rows, columns) =>
            holds({ inputs: inputs(rows, columns) }),
          ),
          { numRuns: 6 },
        ),
    },
  );
});

test('CompanderGrad and CompanderSlope', async () => {
  const cases = [
    { inputs: withDy(5, 7) },
    { name: 'one weight', inputs: withDy(1) },
    { inputs: { ...withDy(4), dy: { shape: [3] } }, throws: { code: 'SHAPE' as const, argument: 'dy' } },
  ];
  const many = { name: 'more weights than a block', inputs: withDy(70, 71), gradient: false, tolerance: 3e-5 };
  const kinds = (['tanh', 'softsign', 'identity'] as const).map((kind) => ({
    name: kind,
    inputs: { ...withDy(), v: [-1.5, -0.6, 0.3, 1.7], dy: [1, -2, 0.5, 0.1] },
    attrs: { kind },
    expectKernel: false as const,
    // tfjs' own tanh does not differentiate twice; one derivative of this, two of Compander, are right.
    gradient: kind !== 'tanh',
  }));
  await opcheck(CompanderGrad, [...cases, many, ...kinds], { backends });
  await opcheck(CompanderSlope, [...cases, many, ...kinds], { backends });
});

test.each(COMPANDER_KINDS)('%s as it is written, in double precision, and back', async (kind) => {
  const [a, b] = [0.3, 0.2];
  const values = Array.from({ length: 201 }, (_, i) => Math.fround((i - 100) / 100));
  const dy = values.map((_, i) => Math.fround(Math.sin(i)));
  const [phi, slope] = PHI[kind];
  const sum = (of: (u: number) => number): number => values.reduce((total, value, i) => total + dy[i]! * of(value / b), 0);
  await onEach(async () => {
    const given = [tensor1d(values), tensor1d([a]), tensor1d([b]), tensor1d(dy)] as const;
    const w = applyCompander(given[0], a, b, { kind });
    const back = await read(invertCompander(w, a, b, { kind }));
    // Farther out float32 no longer holds what tanh had.
    back.forEach((value, i) =>
      expect(Math.abs(value - values[i]!)).toBeLessThan(Math.abs(values[i]!) < 0.6 ? 2e-5 : kind === 'tanh' ? 1 : 1e-4),
    );
    (await read(w)).forEach((value, i) => expect(Math.abs(value - a * phi(values[i]! / b))).toBeLessThan(3e-7));
    const [dv, da, db] = await Promise.all(gradients(...given, kind).map(read));
    dv!.forEach((value, i) => expect(value).toBeCloseTo((dy[i]! * a * slope(values[i]! / b)) / b, 5));
    expect(da![0]).toBeCloseTo(sum(phi), 4);
    expect(db![0]).toBeCloseTo((-a / b) * sum((u) => u * slope(u)), 4);
    dispose([...given]);
  });
});

test('the arctangent is right to a relative error of 2e-7 from 1e-30 to 1e30', async () => {
  const values = Array.from({ length: 601 }, (_, i) => Math.fround((i % 2 === 0 ? 1 : -1) * 10 ** ((i - 300) / 10)));
  await onEach(async () => {
    const x = tensor1d(values);
    const found = await read(applyCompander(x, 1, 1));
    // tfjs' own on cpu is in double precision, rounded once.
    found.forEach((value, i) => expect(Math.abs(value / Math.atan(values[i]!) - 1), String(values[i])).toBeLessThan(2.5e-7));
    x.dispose();
  });
});

test.each(COMPANDER_KINDS)(
  '%s: zero is zero exactly with the full slope, very large is the bound with slope 0, NaN stays where it is',
  async (kind) => {
    await onEach(async () => {
      const given = [tensor1d([0, 1e30, -1e30, 0.5]), tensor1d([0.5]), tensor1d([0.25]), tensor1d([1, 1, 1, 1])] as const;
      const w = await read(applyCompander(given[0], given[1], given[2], { kind }));
      const [dv, da, db] = await Promise.all(gradients(...given, kind).map(read));
      expect([w[0], dv![0]]).toEqual([0, 2]);
      expect(Number.isFinite(w[1])).toBe(true);
      if (kind !== 'identity') {
        const bound = kind === 'arctan' ? Math.PI / 4 : 0.5;
        expect(w[1]).toBeCloseTo(bound, 5);
        expect(w[2]).toBeCloseTo(-bound, 5);
        expect(Math.max(Math.abs(dv![1]!), Math.abs(dv![2]!))).toBeLessThan(1e-30);
        expect([da![0], db![0]].every(Number.isFinite)).toBe(true);
      }
      const sick = tensor1d([Number.NaN, 0.5]);
      const found = await read(applyCompander(sick, 0.5, 0.25, { kind }));
      expect(found.map(Number.isNaN)).toEqual([true, false]);
      dispose([...given, sick]);
    });
  },
);

test('weights at the bound or beyond are cut before they are inverted', async () => {
  await onEach(async () => {
    const w = tensor1d([0.4, Math.PI / 4, -7]);
    const v = invertCompander(w, 0.5, 0.25);
    const back = await read(applyCompander(v, 0.5, 0.25));
    expect(back[0]).toBeCloseTo(0.4, 6);
    expect(back[1]).toBeCloseTo((0.999 * Math.PI) / 4, 6);
    expect(back[2]).toBeCloseTo((-0.999 * Math.PI) / 4, 6);
    dispose([w, v]);
  });
});

test('fitCompander: by deviations it cuts and counts, by the largest weight it keeps the kernel, directly it takes the kernel for v', async () => {
  const values = [-3, -1, -0.5, 0, 0.2, 0.5, 1, 2].map(Math.fround);
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
  await onEach(async () => {
    const w = tensor(values, [2, 2, 2]);
    const cut = fitCompander(w);
    expect((await cut.a.data())[0]).toBeCloseTo(0.8 * deviation, 5);
    expect((await cut.b.data())[0]).toBeCloseTo(0.4 * deviation, 5);
    expect(cut.v.shape).toEqual([2, 2, 2]);
    const most = 1.3 * 0.8 * deviation;
    const begun = await read(applyCompander(cut.v, cut.a, cut.b));
    begun.forEach((value, i) => expect(value).toBeCloseTo(Math.max(-most, Math.min(most, values[i]!)), 4));
    expect((await cut.clipped.data())[0]).toBe(2);
    for (const kind of COMPANDER_KINDS) {
      const kept = fitCompander(w, { init: 'max', kind });
      expect((await kept.clipped.data())[0]).toBe(0);
      const same = await read(applyCompander(kept.v, kept.a, kept.b, { kind }));
      same.forEach((value, i) => expect(value).toBeCloseTo(values[i]!, 5));
      dispose(Object.values(kept));
    }
    const direct = fitCompander(w, { init: 'direct' });
    expect(await read(direct.v)).toEqual(values);
    expect(Array.from(await direct.a.data())).toEqual(Array.from(await direct.b.data()));
    dispose([w, ...Object.values(cut), direct.a, direct.b, direct.clipped]);
  });
});

test('an empty kernel stays empty', async () => {
  await onEach(async () => {
    const empty = zeros([0, 4]);
    const w = applyCompander(empty, 1, 1);
    expect(w.shape).toEqual([0, 4]);
    dispose([empty, w]);
  });
});

test('refuses by name', async () => {
  await backend('cpu');
  const w = zeros([2, 2]);
  for (const [a, b, wrong] of [
    [0, 1, 'a'],
    [1, -1, 'b'],
    [Number.NaN, 1, 'a'],
    [1, Infinity, 'b'],
  ] as const) {
    expect(refusal(() => applyCompander(w, a, b))).toContain(`INVALID_ARGUMENT ${wrong}: applyCompander: ${wrong} is`);
    expect(refusal(() => invertCompander(w, a, b))).toContain(`INVALID_ARGUMENT ${wrong}`);
  }
  for (const name of ['cpu', 'wasm']) {
    await backend(name);
    for (const bad of [-1, 0, Number.NaN]) {
      const a = tensor1d([bad]);
      expect(refusal(() => applyCompander(w, a, 1))).toContain('a or b is not above 0');
      expect(refusal(() => applyCompander(w, 1, a))).toContain('a or b is not above 0');
      a.dispose();
    }
  }
  expect(refusal(() => applyCompander(w, zeros([2]), 1))).toContain('a is a tensor [2], expected');
  expect(refusal(() => applyCompander(w, 1, 1, { kind: 'cubic' as never }))).toContain('kind is "cubic", expected one of arctan, tanh');
  expect(refusal(() => applyCompander(undefined as never, 1, 1))).toContain('INVALID_ARGUMENT v');
  expect(refusal(() => invertCompander(zeros([2], 'int32'), 1, 1))).toContain('DTYPE w');
  expect(refusal(() => fitCompander(w, { ka: 0 }))).toContain('INVALID_ARGUMENT ka');
  expect(refusal(() => fitCompander(w, { ka: 1, kb: 0.05 }))).toContain('kb is 0.05, expected at least ka / 10');
  expect(refusal(() => fitCompander(w, { init: 'best' as never }))).toContain('INVALID_ARGUMENT init');
});

test('on webgpu a tensor that is not above 0 is reported at the next read', async () => {
  await backend('webgpu');
  const [x, a] = [tensor1d([1, 2]), tensor1d([-1])];
  const w = applyCompander(x, a, 1);
  await expect(w.data()).rejects.toThrow('a or b is not above 0');
  dispose([x, a, w]);
});
