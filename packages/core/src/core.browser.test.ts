import './register-gradients.ts';
import { mul } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { squareOp } from '../test/ops.ts';
import { expected, scenario, type Observations } from '../test/scenario.ts';
import { opcheck } from './testing/index.ts';

test('works in a page', async () => {
  expect(await scenario()).toEqual(expected);
});

test('so does opcheck', async () => {
  const wrong = squareOp({ gradient: (dy, { x }) => ({ x: mul(dy, x) }) });
  const cases = [{ inputs: { x: { shape: [3, 5] } } }];
  expect((await opcheck(squareOp(), cases, { print: false })).failures).toEqual([]);
  await expect(opcheck(wrong, cases, { print: false })).rejects.toThrow(/differences on cpu.*50 % off/);
});

test('and in a Worker', async () => {
  const worker = new Worker(new URL('../test/worker.ts', import.meta.url), { type: 'module' });
  try {
    const answer = await new Promise<Observations>((resolve, reject) => {
      worker.addEventListener('message', ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data)));
      worker.addEventListener('error', (event) => reject(new Error(event.message)));
      worker.postMessage('start', []);
    });
    expect(answer).toEqual(expected);
  } finally {
    worker.terminate();
  }
});
