import { backends } from '../../../../tools/test-backends.ts';
import { memory, tensor, tensor2d, type Tensor2D } from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError } from '@evenkeel/core';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { double, matrix, type Matrix } from '../../test/host.ts';
import {
  activationMask,
  dualDynamicInvertedSoftmax,
  dualInvertedSoftmax,
  dynamicInvertedSoftmax,
  invertedSoftmax,
  logNormalizers,
  officialDualDynamicInvertedSoftmax,
} from './index.ts';

const upload = ({ values, rows, columns }: Matrix): Tensor2D => tensor2d(Float32Array.from(values), [rows, columns]);

/** Runs a function on uploaded matrices; reads what it gives, and checks that nothing is left. */
async function run(compute: (...matrices: Tensor2D[]) => Tensor2D, ...matrices: Matrix[]): Promise<Float32Array> {
  const before = memory().numTensors;
  const uploaded = matrices.map(upload);
  const result = compute(...uploaded);
  const values = (await result.data()) as Float32Array;
  for (const each of [result, ...uploaded]) each.dispose();
  expect(memory().numTensors).toBe(before);
  return values;
}

function near(found: ArrayLike<number>, wanted: ArrayLike<number>, tolerance = 1e-5): void {
  expect(found.length).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    expect(Math.abs(found[i]! - wanted[i]!), `at ${i}: ${found[i]} against ${wanted[i]}`).toBeLessThanOrEqual(
      tolerance * (1 + Math.abs(wanted[i]!)),
    );
  }
}

const one = (value: number): Matrix => ({ rows: 1, columns: 1, values: [value] });
const [S, P, R] = [matrix(7, 11, 1), matrix(5, 11, 2), matrix(6, 11, 3)];

describe.each(backends)('on %s', (name) => {
  beforeAll(() => backend(name));

  // The largest float32 is e^88: exp(beta S) is beyond it from beta = 100 on.
  test.each([1e-3, 0.5, 20, 1e3, 1e6, 1e12])('float32 agrees with float64 at beta = %s', async (beta) => {
    near(await run((s, p) => invertedSoftmax(s, p, { beta }), S, P), double.invertedSoftmax(S, P, beta), 2e-6);
    near(
      await run((s, p, r) => dualInvertedSoftmax(s, p, r, { beta1: beta, beta2: beta / 3 }), S, P, R),
      double.dualInvertedSoftmax(S, P, R, beta, beta / 3),
      2e-6,
    );
    near(await run((s, p) => dynamicInvertedSoftmax(s, p, { beta, k: 2 }), S, P), double.dynamicInvertedSoftmax(S, P, beta, 2), 2e-6);
    near(
      await run((s, p, r) => dualDynamicInvertedSoftmax(s, p, r, { beta1: beta, beta2: beta }), S, P, R),
      double.add(double.dynamicInvertedSoftmax(S, P, beta, 1), double.dynamicInvertedSoftmax(S, R, beta, 1)),
      2e-6,
    );
  });

  test('an item of the gallery bank does not count against itself with excludeSelf', async () => {
    const G: Matrix = { rows: 4, columns: 4, values: matrix(4, 4, 9).values.map((value, i) => (i % 5 === 0 ? 1 : value)) };
    const [s, p] = [matrix(3, 4, 4), matrix(5, 4, 5)];
    const others: Matrix = { ...G, values: G.values.map((value, i) => (i % 5 === 0 ? -Infinity : value)) };
    near(
      await run((a, b, c) => dualInvertedSoftmax(a, b, c, { beta1: 10, beta2: 20, excludeSelf: true }), s, p, G),
      double.dualInvertedSoftmax(s, p, others, 10, 20),
    );
  });

  test('one query, one item, one bank row', async () => {
    near(await run((s, p) => invertedSoftmax(s, p), one(0.5), one(0.25)), [5]);
    near(await run((s, p) => dynamicInvertedSoftmax(s, p), one(0.5), one(0.25)), [5]);
  });

  test('a row that is active in no bank keeps the order of its similarities, negative ones too', async () => {
    const s: Matrix = { rows: 1, columns: 3, values: [-0.9, -0.2, -0.5] };
    const bank: Matrix = { rows: 2, columns: 3, values: [0.9, 0.1, 0.2, 0.8, 0.3, 0.1] };
    const safe = await run((a, p, r) => dualDynamicInvertedSoftmax(a, p, r), s, bank, bank);
    near(safe, [-36, -8, -20]);
    const official = await run(
      (a, p, r) => {
        const { sign, logMagnitude } = officialDualDynamicInvertedSoftmax(a, p, r);
        sign.dispose();
        return logMagnitude;
      },
      s,
      bank,
      bank,
    );
    near(official, [2 * Math.log(0.9), 2 * Math.log(0.2), 2 * Math.log(0.5)]);
  });

  test('the inputs stay as they were', async () => {
    const [s, p] = [upload(S), upload(P)];
    dynamicInvertedSoftmax(s, p).dispose();
    near(await s.data(), S.values, 1e-7);
    near(await p.data(), P.values, 1e-7);
    for (const each of [s, p]) each.dispose();
  });

  test("a NaN stays in its row, or its column where it is a bank's", async () => {
    const s = { ...S, values: S.values.map((value, i) => (i === 12 ? Number.NaN : value)) };
    const scores = await run((a, p) => invertedSoftmax(a, p), s, P);
    expect([...scores].flatMap((value, i) => (Number.isNaN(value) ? [i] : []))).toEqual([12]);
  });
});

const s = (): Tensor2D => tensor2d([[1, 0.5]]);

describe('what is refused', () => {
  beforeAll(() => backend('cpu'));

  test.each<[string, string, string, () => unknown]>([
    ['another number of items', 'SHAPE', 'queryBank', () => invertedSoftmax(s(), tensor2d([[1]]))],
    ['an empty bank', 'INVALID_ARGUMENT', 'queryBank', () => invertedSoftmax(s(), tensor2d([], [0, 2]))],
    ['no items', 'INVALID_ARGUMENT', 'similarities', () => invertedSoftmax(tensor2d([], [1, 0]), tensor2d([], [1, 0]))],
    ['a vector', 'SHAPE', 'similarities', () => invertedSoftmax(tensor([1, 2]) as Tensor2D, s())],
    ['whole numbers', 'DTYPE', 'queryBank', () => invertedSoftmax(s(), tensor2d([[1, 2]], [1, 2], 'int32'))],
    ['no tensor', 'INVALID_ARGUMENT', 'similarities', () => invertedSoftmax([[1, 2]] as unknown as Tensor2D, s())],
    ['beta 0', 'INVALID_ARGUMENT', 'beta', () => invertedSoftmax(s(), s(), { beta: 0 })],
    ['beta NaN', 'INVALID_ARGUMENT', 'beta', () => logNormalizers(s(), { beta: Number.NaN })],
    ['beta2 infinite', 'INVALID_ARGUMENT', 'beta2', () => dualInvertedSoftmax(s(), s(), s(), { beta2: Infinity })],
    ['k 0', 'INVALID_ARGUMENT', 'k', () => dynamicInvertedSoftmax(s(), s(), { k: 0 })],
    ['k beyond the items', 'INVALID_ARGUMENT', 'k', () => activationMask(s(), { k: 3 })],
    ['excludeSelf of other items', 'SHAPE', 'galleryBank', () => dualInvertedSoftmax(s(), s(), s(), { excludeSelf: true })],
    ['an unknown rule', 'INVALID_ARGUMENT', 'onNonFinite', () => invertedSoftmax(s(), s(), { onNonFinite: 'skip' as 'throw' })],
  ])('%s', (_, code, argument, call) => {
    const error = (() => {
      try {
        return call();
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(isEvenkeelError(error) && [error.code, error.argument]).toEqual([code, argument]);
  });

  test.each(backends)('NaN and infinities, with onNonFinite, on %s', async (name) => {
    await backend(name);
    const bad = tensor2d([
      [1, 0],
      [0, Infinity],
    ]);
    const call = async (): Promise<unknown> => {
      const scores = invertedSoftmax(bad, bad, { onNonFinite: 'throw' });
      return scores.data();
    };
    const error = await call().catch((thrown: unknown) => thrown);
    expect(isEvenkeelError(error, 'NON_FINITE')).toBe(true);
    if (name !== 'webgpu') expect((error as Error).message).toMatch(/similarities .* row 1, column 1/);
    bad.dispose();
  });
});

const mild = (x: Tensor2D, y: Tensor2D): Tensor2D => invertedSoftmax(x, y, { beta: 5 });

describe('properties', () => {
  beforeAll(() => backend('cpu'));
  const sizes = fc.record({
    q: fc.integer({ min: 1, max: 6 }),
    g: fc.integer({ min: 1, max: 9 }),
    b: fc.integer({ min: 1, max: 6 }),
    seed: fc.nat(1000),
  });
  const betas = fc.double({ min: 0.01, max: 500, noNaN: true });

  test('scores do not depend on the order of the bank, and move with the items', () =>
    fc.assert(
      fc.asyncProperty(sizes, betas, async ({ q, g, b, seed }, beta) => {
        const [s, p] = [matrix(q, g, seed), matrix(b, g, seed + 1)];
        const reversed = { ...p, values: Array.from({ length: b * g }, (_, i) => p.values[(b - 1 - Math.floor(i / g)) * g + (i % g)]!) };
        const call = (x: Tensor2D, y: Tensor2D): Tensor2D => invertedSoftmax(x, y, { beta });
        const scores = await run(call, s, p);
        near(await run(call, s, reversed), scores, 2e-5);
        const turn = (m: Matrix): Matrix => ({
          ...m,
          values: m.values.map((_, i) => m.values[Math.floor(i / g) * g + (g - 1 - (i % g))]!),
        });
        near(await run(call, turn(s), turn(p)), turn({ ...s, values: [...scores] }).values, 2e-5);
      }),
      { numRuns: 40 },
    ));

  test('a shift of all similarities shifts nothing', () =>
    fc.assert(
      fc.asyncProperty(sizes, fc.double({ min: -50, max: 50, noNaN: true }), async ({ q, g, b, seed }, shift) => {
        const [s, p] = [matrix(q, g, seed), matrix(b, g, seed + 1)];
        const shifted = (m: Matrix): Matrix => ({ ...m, values: m.values.map((value) => value + shift) });
        // What float32 loses of similarities of the size of the shift.
        near(await run(mild, shifted(s), shifted(p)), await run(mild, s, p), 1e-4);
      }),
      { numRuns: 40 },
    ));

  test('one bank query more lowers no score by more than log(1 + e^(2 beta) / bank), and raises none', () =>
    fc.assert(
      fc.asyncProperty(sizes, async ({ q, g, b, seed }) => {
        const beta = 3;
        const [s, p] = [matrix(q, g, seed), matrix(b, g, seed + 1)];
        const poisoned = { rows: b + 1, columns: g, values: [...p.values, ...p.values.slice(0, g).map(() => 1)] };
        const call = (x: Tensor2D, y: Tensor2D): Tensor2D => invertedSoftmax(x, y, { beta });
        const [before, after] = [await run(call, s, p), await run(call, s, poisoned)];
        for (let i = 0; i < before.length; i++) {
          const drop = before[i]! - after[i]!;
          expect(drop).toBeGreaterThanOrEqual(-1e-5);
          expect(drop).toBeLessThanOrEqual(Math.log1p(Math.exp(2 * beta) / b) + 1e-5);
        }
      }),
      { numRuns: 40 },
    ));
});
