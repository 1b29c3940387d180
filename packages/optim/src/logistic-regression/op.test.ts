import { backends } from '../../../../tools/test-backends.ts';
import { tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { backend } from '@evenkeel/core';
import { opcheck, type OpCase } from '@evenkeel/core/testing';
import { expect, test } from 'vitest';
import { MarginSums, marginSums } from './op.ts';
import type { SampleWeights } from './solver.ts';

/** Signs that alternate in a way that no sorting shows. */
const signs = (i: number): number => ((i * 7) % 3 === 1 ? -1 : 1);
const sizes = (n: number, d: number, scale = 1): OpCase['inputs'] => ({
  x: { shape: [n, d] },
  y: { shape: [n], values: signs },
  theta: { shape: [d], values: (i: number) => scale * Math.sin(2 * i + 1) },
});

test('MarginSums', async () => {
  const both: SampleWeights[] = ['logistic', 'misclassified'];
  await opcheck(
    MarginSums,
    [
      ...both.flatMap((weights) => [
        { inputs: sizes(5, 3), attrs: { weights }, gradient: false },
        { name: 'wide', inputs: sizes(9, 131, 0.2), attrs: { weights }, gradient: false },
        { name: 'one sample, one feature', inputs: sizes(1, 1), attrs: { weights }, gradient: false },
        { name: 'more samples than blocks', inputs: sizes(1100, 6), attrs: { weights }, gradient: false },
        { name: 'theta is zero', inputs: sizes(6, 4, 0), attrs: { weights }, gradient: false },
      ]),
      { inputs: { x: { shape: [3, 2] }, y: { shape: [2] }, theta: { shape: [2] } }, throws: { code: 'SHAPE', argument: 'y' } },
      { inputs: { x: { shape: [3, 2] }, y: { shape: [3] }, theta: { shape: [3] } }, throws: { code: 'SHAPE', argument: 'theta' } },
      { inputs: { x: { shape: [0, 2] }, y: { shape: [0] }, theta: { shape: [2] } }, throws: { code: 'SHAPE', argument: 'x' } },
      {
        inputs: { x: { shape: [3, 2] }, y: { shape: [3] }, theta: { shape: [2] } },
        attrs: { weights: 'all' as SampleWeights },
        throws: { code: 'INVALID_ARGUMENT', argument: 'weights' },
      },
    ],
    { backends },
  );
});

test('the weights do not vanish where all margins are huge, and lower margins scale what came before', async () => {
  for (const name of backends) {
    await backend(name);
    // Margins 5000, 4999, 4001, 4000, each lower than those before.
    const x = tensor2d([5, 1, 4.999, 2, 4.001, 3, 4, 4], [4, 2]);
    const y = tensor1d([1, 1, 1, 1]);
    const theta = tensor1d([1000, 0]);
    const { direction, statistics } = marginSums(x, y, theta);
    const [a, b] = await direction.data();
    const [least, weights, wrong, loss] = await statistics.data();
    expect([least, wrong, loss]).toEqual([4000, 0, 0]);
    // exp(-1) of the third: the float32 products are exact to about 1e-3 here.
    expect(weights).toBeCloseTo(1 + Math.exp(-1), 2);
    expect(a! / weights!).toBeCloseTo((4 + 4.001 * Math.exp(-1)) / (1 + Math.exp(-1)), 3);
    expect(b! / weights!).toBeCloseTo((4 + 3 * Math.exp(-1)) / (1 + Math.exp(-1)), 2);
  }
});
