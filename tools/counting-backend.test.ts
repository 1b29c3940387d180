// The backend that the guide makes is held to what every backend is held to, and its counts to what can be counted by hand.
import './test-backends.ts';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { count, counting } from '../docs/examples/counting-backend/index.ts';
import { backend, inspect, resetInspection, unregister, use } from '../packages/core/src/index.ts';
import { opcheck } from '../packages/core/src/testing/index.ts';
import { layerNorm, LayerNorm } from '../packages/norms/src/index.ts';

const plugin = counting();
beforeAll(() => use(plugin));
afterAll(async () => {
  await backend('cpu');
  unregister(plugin);
});

test('kernels that others wrote as data run on it, and pass opcheck', async () => {
  const report = await opcheck(
    LayerNorm,
    [
      { inputs: { x: { shape: [3, 5] } } },
      { inputs: { x: { shape: [2, 3, 7] }, gamma: { shape: [7] }, beta: { shape: [7] } }, attrs: { epsilon: 0.1 } },
    ],
    { backends: ['cpu', 'counting'], print: false },
  );
  expect(report.passed).toContainEqual({ check: 'kernel', backend: 'counting', times: 2 });
});

async function costOf(work: () => tf.Tensor): Promise<{ flops: number; bytes: number }> {
  await backend('counting');
  Object.assign(count, { flops: 0, bytes: 0 });
  tf.tidy(() => void work());
  return { ...count };
}

test('counts as one counts by hand', async () => {
  await backend('counting');
  const [a, b, image, filter] = [tf.ones([2, 3]), tf.ones([4, 3]), tf.ones([1, 5, 5, 2]), tf.ones([3, 3, 2, 4])] as const;
  expect(await costOf(() => tf.matMul(a, b, false, true))).toEqual({ flops: 2 * 2 * 4 * 3, bytes: 4 * (6 + 12 + 8) });
  expect(await costOf(() => tf.matMul(b, b, true, false))).toEqual({ flops: 2 * 3 * 3 * 4, bytes: 4 * (12 + 12 + 9) });
  expect(await costOf(() => tf.add(a, 1))).toEqual({ flops: 6, bytes: 4 * (6 + 1 + 6) });
  expect(await costOf(() => tf.sum(a))).toEqual({ flops: 6, bytes: 4 * (6 + 1) });
  expect(await costOf(() => tf.transpose(a))).toEqual({ flops: 0, bytes: 4 * (6 + 6) });
  expect(await costOf(() => tf.reshape(a, [6]))).toEqual({ flops: 0, bytes: 0 });
  expect(await costOf(() => tf.conv2d(image as tf.Tensor4D, filter as tf.Tensor4D, 1, 'valid'))).toEqual({
    flops: 2 * (3 * 3 * 4) * (3 * 3 * 2),
    bytes: 4 * (50 + 72 + 36),
  });
  const x = tf.ones([8, 16]);
  resetInspection();
  const fused = await costOf(() => layerNorm(x));
  expect(inspect().calls).toMatchObject([{ op: LayerNorm.id, backend: 'counting', served: 'kernel' }]);
  const composed = await costOf(() => LayerNorm.definition.reference({ x }, LayerNorm.definition.attrs!) as tf.Tensor);
  expect(fused).toEqual({ flops: composed.flops, bytes: 4 * (128 + 128) });
  expect(composed.bytes).toBeGreaterThan(3 * fused.bytes);
  tf.dispose([a, b, image, filter, x]);
});

test('is gone when it is taken out', async () => {
  await backend('counting');
  await backend('cpu');
  unregister(plugin);
  expect(tf.findBackendFactory('counting')).toBeNull();
  expect(
    tf
      .getKernelsForBackend('counting')
      .map(({ kernelName }) => kernelName)
      .filter((name) => !name.startsWith('@evenkeel/')),
  ).toEqual([]);
  use(plugin);
});
