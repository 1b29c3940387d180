import { backends } from '../../../../tools/test-backends.ts';
import { tensor1d } from '@tensorflow/tfjs-core';
import { backend } from '@evenkeel/core';
import { opcheck } from '@evenkeel/core/testing';
import { describe, expect, test } from 'vitest';
import { accurateTanh, Tanh } from './op.ts';

test('Tanh', async () => {
  await opcheck(
    Tanh,
    [
      { inputs: { x: { shape: [3, 5] } } },
      { inputs: { x: { shape: [300], low: -12, high: 12 } }, gradient: false },
      { inputs: { x: [Number.NaN, Infinity, -Infinity, 0, 1e-30, -100] }, gradient: false },
      { inputs: { x: { shape: [3], dtype: 'int32' } }, throws: { code: 'DTYPE', argument: 'x' } },
    ],
    { backends },
  );
});

describe.each(backends)('accurateTanh on %s', (name) => {
  test('has a relative error of a few roundings, near 0 too', async () => {
    await backend(name);
    const xs = Float32Array.from({ length: 4001 }, (_, i) => (i - 2000) / 400 + 1e-4);
    const x = tensor1d(xs);
    const y = accurateTanh(x);
    const found = await y.data();
    const errors = Array.from(xs, (value, i) => Math.abs(found[i]! / Math.tanh(value) - 1));
    expect(Math.max(...errors)).toBeLessThan(3e-7);
    x.dispose();
    y.dispose();
  });
});
