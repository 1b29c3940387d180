import { listed } from '../test/backends.ts';
import { tensor, tidy } from '@tensorflow/tfjs-core';
import { backend, inspect, resetInspection, unregister, use } from '@evenkeel/core';
import { checkPlugin } from '@evenkeel/core/testing';
import { rmsNorm, RMSNorm } from '@evenkeel/norms/rms-norm';
import { beforeAll, expect, test } from 'vitest';
import { kernelChecks } from './kernel-checks.ts';
import { helloKernels } from './kernel.ts';

beforeAll(() => use({ ...RMSNorm.definition.owner, ops: [RMSNorm] }));

test("agree with the op's reference on every backend", async () => {
  await checkPlugin(helloKernels, { ...kernelChecks, ...listed });
});

/** Whose kernel serves a call, with or without a gamma. */
async function served(gamma: boolean): Promise<string | undefined> {
  resetInspection();
  const y = tidy(() => rmsNorm(tensor([[3, 4]]), gamma ? tensor([1, 1]) : undefined));
  expect((await y.data())[0]).toBeCloseTo(0.8485, 4);
  y.dispose();
  return inspect().calls.find(({ op }) => op === RMSNorm.id)?.by;
}

test('serve what they support, and only while they are in use', async () => {
  await backend('wasm');
  use(helloKernels);
  expect([await served(true), await served(false)]).toEqual(['@evenkeel/hello/kernel', '@evenkeel/norms']);
  unregister(helloKernels);
  expect(await served(true)).toBe('@evenkeel/norms');
});
