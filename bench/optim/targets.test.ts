import { expect, test } from 'vitest';
import { targets } from './targets.ts';

const arm = (name: string, timesTfjs: number, timesBound: number) => ({ arm: name, median: 1, timesTfjs, timesBound });
const held = (adam: [number, number], adamP: number): boolean[] =>
  targets([{ backend: 'wasm', parameters: 10, tensors: 5, arms: [arm('Adam', ...adam), arm('AdamP', adamP, 9)] }]).map((each) => each.held);

test('targets hold at their bounds and not beyond', () => {
  expect(held([4, 1.5], 2.5)).toEqual([true, true, true]);
  expect(held([3.9, 1.6], 2.4)).toEqual([false, false, false]);
});

test('what was not measured does not hold, and webgpu has no targets', () => {
  expect(targets([{ backend: 'wasm', parameters: 10, tensors: 5, arms: [] }]).map((each) => each.held)).toEqual([false, false, false]);
  expect(targets([{ backend: 'webgpu', parameters: 10, tensors: 5, arms: [] }])).toEqual([]);
});
