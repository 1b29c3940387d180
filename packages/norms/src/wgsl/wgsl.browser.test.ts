// The kernels in Chromium, whose compiler of WGSL is not that of Node.
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-webgpu';
import { env } from '@tensorflow/tfjs-core';
import { backend, use } from '@evenkeel/core';
import { webgpu } from '@evenkeel/backend-webgpu';
import { beforeAll, expect, test } from 'vitest';
import { disagreement } from '../../test/devices.ts';
import { cases } from '../../test/wgsl-cases.ts';

beforeAll(async () => {
  use(webgpu({ allowSoftware: true }));
  await backend('webgpu');
  env().set('WEBGPU_CPU_FORWARD', false);
});

test.each(cases.map(([op, each]) => [op.definition.name, op, each] as const))('%s agrees with its reference', async (_, op, each) => {
  for (const one of each) {
    expect(await disagreement(op, one), JSON.stringify(one)).toBeLessThan(2e-4);
  }
});
