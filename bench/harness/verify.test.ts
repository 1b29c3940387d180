import { expect, test } from 'vitest';
import { compare, verify } from './verify.ts';

test('finds the worst difference, relative to 1 + |wanted|', () => {
  expect(compare({ y: Float32Array.of(1, 109) }, { y: [1, 99] })).toEqual({ output: 'y', error: 0.1 });
  const two = compare({ y: Float32Array.of(1), dx: Float32Array.of(3) }, { y: [1], dx: [1] });
  expect(two).toEqual({ output: 'dx', error: 1 });
});

test('NaN is the worst of all, also where a number follows', () => {
  expect(compare({ y: Float32Array.of(Number.NaN, 5) }, { y: [0, 0] }).error).toBe(Infinity);
});

test('an output that is missing or too short is an error, not a pass', () => {
  expect(() => compare({}, { y: [1] })).toThrow('y has no values, expected 1');
  expect(() => compare({ y: Float32Array.of(1) }, { y: [1, 2] })).toThrow('y has 1 values, expected 2');
});

test('an arm that is wrong is refused by name', async () => {
  const arm = { name: 'peer', run: () => undefined, read: async () => ({ y: Float32Array.of(1.01) }) };
  await expect(verify(arm, { y: [1] }, 1e-4)).rejects.toThrow(/^peer: y is wrong by 5\.0e-3/);
  expect((await verify(arm, { y: [1] }, 1e-2)).error).toBeCloseTo(0.005);
});
