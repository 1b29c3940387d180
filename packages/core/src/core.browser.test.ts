import './register-gradients.ts';
import { expect, test } from 'vitest';
import { expected, scenario, type Observations } from '../test/scenario.ts';

test('works in a page', async () => {
  expect(await scenario()).toEqual(expected);
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
