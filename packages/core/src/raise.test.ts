import { backends } from '../../../tools/test-backends.ts';
import { memory, mul, scalar, tensor } from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, test } from 'vitest';
import { failure, rejection } from '../test/failure.ts';
import { backend, EvenkeelError, raiseIf } from './index.ts';

const errorOf = (index: number): EvenkeelError => new EvenkeelError('NON_FINITE', `x${index} has NaN`);
const error = new EvenkeelError('NON_FINITE', 'x has NaN', { op: 'Test', argument: 'x' });

describe.each(backends)('on %s', (name) => {
  beforeEach(() => backend(name).then(() => undefined));

  test('a flag that is raised throws, at once or at the next read, and once', async () => {
    const x = tensor([1, 2]);
    const before = memory().numTensors;
    if (name === 'webgpu') {
      raiseIf(scalar(true), error);
      expect(await rejection(mul(x, 2).data())).toBe(error);
    } else expect(failure(() => raiseIf(scalar(true), error))).toBe(error);
    const y = mul(x, 2);
    expect(Array.from(await y.data())).toEqual([2, 4]);
    y.dispose();
    expect(memory().numTensors).toBe(name === 'webgpu' ? before + 1 : before);
  });

  test('a flag that is not raised throws nothing and is gone', async () => {
    const x = tensor([1, 2]);
    const before = memory().numTensors;
    raiseIf(scalar(false), error);
    expect(Array.from(await x.data())).toEqual([1, 2]);
    const y = mul(x, 2);
    expect(Array.from(await y.data())).toEqual([2, 4]);
    y.dispose();
    expect(memory().numTensors).toBe(before);
  });

  test('the first of several that is raised chooses the error', async () => {
    const x = tensor([1, 2]);
    const flags = tensor([false, true, true], [3], 'bool');
    if (name === 'webgpu') {
      raiseIf(flags, errorOf);
      expect((await rejection(mul(x, 2).data())).message).toContain('x1 has NaN');
    } else expect(failure(() => raiseIf(flags, errorOf)).message).toContain('x1 has NaN');
    raiseIf(tensor([], [0], 'bool'), errorOf);
    expect(Array.from(await x.data())).toEqual([1, 2]);
  });
});
