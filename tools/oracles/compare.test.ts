import { describe, expect, test } from 'vitest';
import type { Comparison, OracleTensor, Value } from './adapter.ts';
import { compareResults, type Rules } from './compare.ts';

const tensor = (data: number[], shape: number[] = [data.length]): OracleTensor => ({ shape, data: Float64Array.from(data) });

/** Compares one output. */
function compare(found: Value | undefined, wanted: Value, rules: Partial<Rules> = {}, key = 'y') {
  const outputs = found === undefined ? {} : { [key]: found };
  return compareResults({ outputs }, { outputs: { [key]: wanted }, grads: {} }, { tolerance: 0.01, ...rules });
}

const passes = (...args: Parameters<typeof compare>): boolean => compare(...args).ratio <= 1;

const by = (comparison: Comparison): Partial<Rules> => ({ compare: { y: comparison } });

const halfTheError: Comparison = (found, wanted, { tolerance }) => Math.abs((found as number) - (wanted as number)) / 2 / tolerance;

describe('numbers', () => {
  test('are held to tolerance * (1 + |b|)', () => {
    expect(compare(10.055, 10).ratio).toBeCloseTo(0.5);
    expect(passes(10.1, 10)).toBe(true);
    expect(passes(10.12, 10)).toBe(false);
    expect(passes(-10.12, -10)).toBe(false);
    expect(passes(0.0099, 0)).toBe(true);
  });

  test('must be numbers, and finite', () => {
    for (const bad of [Number.NaN, Infinity, -Infinity, '1', true, null, [1], tensor([1], []), { value: 1 }]) {
      expect(compare(bad as Value, 1)).toMatchObject({ ratio: Infinity, path: 'outputs.y' });
    }
  });

  test('are exact where the tolerance is 0 or the key says so, and only there', () => {
    expect(passes(1 + 1e-12, 1, { tolerance: 0 })).toBe(false);
    expect(passes(1, 1, { tolerance: 0 })).toBe(true);
    expect(passes(-0, 0, { tolerance: 0 })).toBe(true);
    expect(passes(1 + 1e-12, 1, { exact: ['y'] })).toBe(false);
    // A whole number in the file may be a rounded measurement.
    expect(passes(1.001, 1)).toBe(true);
    expect(passes([{ rank: 1.001 }], [{ rank: 1 }], { exact: ['rank'] })).toBe(false);
    expect(passes({ rows: [{ rank: 1.001 }] }, { rows: [{ rank: 1 }] }, { exact: ['rows'] })).toBe(false);
  });

  test('of counts have a tolerance of their own, which is absolute', () => {
    const rules = { tolerance: 0, countTolerance: 2 };
    expect(passes(tensor([102]), tensor([100]), rules, 'counts')).toBe(true);
    expect(passes(tensor([103]), tensor([100]), rules, 'counts')).toBe(false);
    expect(passes(tensor([102]), tensor([100]), rules, 'count')).toBe(false);
  });
});

describe('tensors', () => {
  test('are compared element by element, and the worst is named', () => {
    expect(compare(tensor([1, 2.02, 3.001]), tensor([1, 2, 3]))).toMatchObject({ path: 'outputs.y[1]', detail: '2.02, expected 2' });
    expect(passes(tensor([1, 2.1]), tensor([1, 2]))).toBe(false);
    expect(passes(tensor([1, Number.NaN]), tensor([1, 2]))).toBe(false);
    expect(passes(tensor([]), tensor([]))).toBe(true);
  });

  test('must have the same shape, and as many numbers', () => {
    expect(compare(tensor([1, 2], [1, 2]), tensor([1, 2], [2, 1]))).toMatchObject({ ratio: Infinity, path: 'outputs.y' });
    expect(compare({ shape: [2], data: Float64Array.of(1) }, tensor([1, 2])).detail).toBe('shape [2] with 1 numbers, expected shape [2]');
    expect(compare(1, tensor([1], [])).detail).toBe('1, expected a tensor of shape []');
    expect(passes([1, 2], tensor([1, 2]))).toBe(false);
  });

  test('of float32 will do', () => {
    expect(passes({ shape: [1], data: Float32Array.of(0.1) }, tensor([0.1]), { tolerance: 1e-6 })).toBe(true);
  });
});

describe('other values', () => {
  test.each([
    ['a', 'a', true],
    ['a', 'b', false],
    [true, true, true],
    [true, 1, false],
    [1, true, false],
    [null, null, true],
    [0, null, false],
    [null, 0, false],
    [[1, [2, 'x']], [1, [2, 'x']], true],
    [[1, 2, 3], [1, 2], false],
    [[1, 2], [1, 2, 3], false],
    [{ 0: 1, 1: 2 }, [1, 2], false],
    [[1, 2], { 0: 1, 1: 2 }, false],
    [{ a: { b: 1 } }, { a: { b: 1.001 } }, true],
    [{ a: { b: 1 } }, { a: { c: 1 } }, false],
  ])('%j against %j: %s', (found, wanted, same) => {
    expect(passes(found as Value, wanted as Value)).toBe(same);
  });

  test('keys that are missing or too many fail, at any depth and among the gradients', () => {
    expect(compare(undefined, 1)).toMatchObject({ path: 'outputs.y', detail: 'missing', ratio: Infinity });
    expect(compare({ a: 1, b: 2 }, { a: 1 })).toMatchObject({ path: 'outputs.y.b', ratio: Infinity });
    const rules = { tolerance: 0.01 };
    expect(compareResults({ outputs: {}, grads: { dx: 1 } }, { outputs: {}, grads: {} }, rules).path).toBe('grads.dx');
    expect(compareResults({ outputs: {} }, { outputs: {}, grads: { dx: 1 } }, rules)).toMatchObject({ path: 'grads.dx', ratio: Infinity });
  });

  test('names of Object.prototype are keys like others', () => {
    const wanted = JSON.parse('{"__proto__": 1, "constructor": 2}') as Value;
    expect(passes({}, wanted)).toBe(false);
    expect(passes(JSON.parse('{"__proto__": 1, "constructor": 2}') as Value, wanted)).toBe(true);
    expect(passes({ toString: 1 }, {})).toBe(false);
  });
});

describe('comparisons by key', () => {
  test('{ abs } is an absolute tolerance, for everything below the key', () => {
    expect(passes(tensor([101.9]), tensor([100]), by({ abs: 2 }))).toBe(true);
    expect(passes(tensor([102.1]), tensor([100]), by({ abs: 2 }))).toBe(false);
    expect(passes([{ level: 12 }], [{ level: 10 }], by({ abs: 2 }))).toBe(true);
    expect(passes(1.5, 1, { tolerance: 0, ...by({ abs: 0 }) })).toBe(false);
  });

  test('upToSign lets a vector, or each column of a matrix, have the other sign', () => {
    expect(passes(tensor([-1, 2]), tensor([1, -2]), by('upToSign'))).toBe(true);
    expect(passes(tensor([-1, -2]), tensor([1, -2]), by('upToSign'))).toBe(false);
    expect(passes(tensor([1, -2, 3, -4], [2, 2]), tensor([1, 2, 3, 4], [2, 2]), by('upToSign'))).toBe(true);
    expect(passes(tensor([1, -2, 3, 4], [2, 2]), tensor([1, 2, 3, 4], [2, 2]), by('upToSign'))).toBe(false);
    expect(passes(-3, 3, by('upToSign'))).toBe(true);
    expect(passes(-3.1, 3, by('upToSign'))).toBe(false);
    expect(passes(tensor([1, 2]), tensor([1, 2, 3]), by('upToSign'))).toBe(false);
    expect(passes('a', 'a', by('upToSign'))).toBe(false);
  });

  test('set does not mind the order, but counts', () => {
    expect(passes(['b', 'a'], ['a', 'b'], by('set'))).toBe(true);
    expect(passes(['a', 'a'], ['a', 'b'], by('set'))).toBe(false);
    expect(passes(['a', 'b', 'b'], ['a', 'b'], by('set'))).toBe(false);
    expect(passes(tensor([3, 1.001, 2]), tensor([1, 2, 3]), by('set'))).toBe(true);
    expect(passes(tensor([3, 4, 1, 2], [2, 2]), tensor([1, 2, 3, 4], [2, 2]), by('set'))).toBe(true);
    expect(passes(tensor([2, 1, 3, 4], [2, 2]), tensor([1, 2, 3, 4], [2, 2]), by('set'))).toBe(false);
    expect(passes([1], tensor([1]), by('set'))).toBe(false);
    // 1 would take the place of 1.008 if the first that fits were final.
    expect(passes([1.01, 1], [1, 1.025], by('set'))).toBe(true);
  });

  test('a function gives error / tolerance', () => {
    expect(compare(1.01, 1, by(halfTheError)).ratio).toBeCloseTo(0.5);
    expect(passes(1.03, 1, by(halfTheError))).toBe(false);
    expect(
      passes(
        1,
        1,
        by(() => Number.NaN),
      ),
    ).toBe(false);
    expect(
      passes(
        1,
        1,
        by(() => -1),
      ),
    ).toBe(false);
  });

  test('a key below may have another', () => {
    const rules: Partial<Rules> = { compare: { y: { abs: 5 }, count: { abs: 0 } } };
    expect(passes({ a: 4, count: 1 }, { a: 1, count: 1 }, rules)).toBe(true);
    expect(passes({ a: 4, count: 2 }, { a: 1, count: 1 }, rules)).toBe(false);
  });
});
