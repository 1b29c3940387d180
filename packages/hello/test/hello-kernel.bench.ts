// These kernels and the op's own side by side: npx vitest bench. Only the ratios say something, and on a software GPU not even these.
import './backends.ts';
import { ones, randomNormal } from '@tensorflow/tfjs-core';
import { backend, unregister, use } from '@evenkeel/core';
import { rmsNorm } from '@evenkeel/norms/rms-norm';
import { bench, describe } from 'vitest';
import { helloKernels } from '../src/kernel.ts';

describe.each(['wasm', 'webgpu'])('256 rows of 768 on %s', async (name) => {
  await backend(name);
  const x = randomNormal([256, 768], 0, 1, 'float32', 1);
  const gamma = ones([768]);

  const time = (title: string, choose: () => void): void =>
    bench(
      title,
      async () => {
        const y = rmsNorm(x, gamma);
        await y.data();
        y.dispose();
      },
      {
        time: 200,
        setup: async () => {
          await backend(name);
          choose();
        },
      },
    );
  time('these', () => use(helloKernels));
  time("the op's own", () => unregister(helloKernels));
});
