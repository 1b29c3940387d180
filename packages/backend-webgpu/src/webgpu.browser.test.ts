import { expect, test } from 'vitest';
import { expected, expectedLoss } from '../test/expected.ts';
import { loss, scenario } from '../test/scenario.ts';

test('runs kernels in a page, and starts anew after a lost device', async () => {
  expect(await scenario()).toEqual(expected);
  expect(await loss()).toEqual(expectedLoss);
});

test('and in a Worker', async () => {
  const worker = new Worker(new URL('../test/worker.ts', import.meta.url), { type: 'module' });
  try {
    const answer = await new Promise<Record<string, unknown>>((resolve, reject) => {
      worker.addEventListener('message', ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data)));
      worker.addEventListener('error', (event) => reject(new Error(event.message)));
      worker.postMessage('observe', []);
    });
    expect(answer).toEqual({ scenario: expected, loss: expectedLoss });
  } finally {
    worker.terminate();
  }
});
