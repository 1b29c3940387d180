// The kernel and the reference side by side: npx vitest bench. Only the ratios say something, and on a software GPU not even these.
import './backends.ts';
import { ones, randomNormal, tidy } from '@tensorflow/tfjs-core';
import { backend } from '@evenkeel/core';
import { bench, describe } from 'vitest';
import { HelloNorm } from '../src/op.ts';

describe.each(['wasm', 'webgpu'])('256 rows of 768 on %s', async (name) => {
  await backend(name);
  const x = randomNormal([256, 768], 0, 1, 'float32', 1);
  const gamma = ones([768]);
  const options = { time: 200, setup: async () => void (await backend(name)) };

  /** Until the values are there: a GPU has only been told what to do before. */
  const time = (title: string, call: () => ReturnType<typeof HelloNorm>): void =>
    bench(
      title,
      async () => {
        const y = tidy(call);
        await y.data();
        y.dispose();
      },
      options,
    );
  time('kernel', () => HelloNorm({ x, gamma }));
  time('reference', () => HelloNorm.definition.reference({ x, gamma }, { epsilon: 1e-6 }));
});
