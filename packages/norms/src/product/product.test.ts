import { backends } from '../../../../tools/test-backends.ts';
import { randomUniform, type Tensor } from '@tensorflow/tfjs-core';
import { backend } from '@evenkeel/core';
import { opcheck } from '@evenkeel/core/testing';
import { expect, test } from 'vitest';
import { read } from '../../test/host.ts';
import { product, Product } from './op.ts';

test('Product', async () => {
  await opcheck(
    Product,
    [
      { inputs: { a: { shape: [2, 4] }, b: { shape: [4, 20] } } },
      { inputs: { a: { shape: [1, 1] }, b: { shape: [1, 1] } } },
      { inputs: { a: { shape: [3, 64] }, b: { shape: [64, 7] } } },
      {
        name: 'a row with NaN',
        inputs: {
          a: [
            [1, Number.NaN],
            [1, 2],
          ],
          b: { shape: [2, 3] },
        },
        gradient: false,
      },
      { name: 'many terms', inputs: { a: { shape: [3, 65] }, b: { shape: [65, 5] } }, expectKernel: false },
      { inputs: { a: { shape: [2, 3] }, b: { shape: [4, 5] } }, throws: { code: 'SHAPE', argument: 'b' } },
      { inputs: { a: { shape: [3] }, b: { shape: [3, 5] } }, throws: { code: 'SHAPE', argument: 'a' } },
    ],
    { backends },
  );
});

test('on webgpu has the error of one rounding where a sum nearly cancels', async () => {
  await backend('webgpu');
  const [rows, inner, columns] = [8, 40, 16];
  const a = randomUniform([rows, inner], -1, 1, 'float32', 1) as Tensor;
  const b = randomUniform([inner, columns], -1, 1, 'float32', 2) as Tensor;
  const found = await read(product(a, b));
  const [as, bs] = [await a.data(), await b.data()];
  found.forEach((value, i) => {
    let wanted = 0;
    for (let k = 0; k < inner; k++) wanted += as[Math.floor(i / columns) * inner + k]! * bs[k * columns + (i % columns)]!;
    // Half a unit in the last place, and the second-order remainder of the 40 terms.
    expect(Math.abs(value - wanted)).toBeLessThanOrEqual(2 ** -24 * Math.abs(wanted) + 40 * 2 ** -46);
  });
});
