import '@tensorflow/tfjs-backend-cpu';
import { create, globals } from 'webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { backend, inspect, probeBackends, resetInspection, unregister, use } from '@evenkeel/core';
import { afterEach, expect, test, vi } from 'vitest';
import { limitedGPU } from '../test/gpu.ts';
import { opOf, PLUS_ONE, variantOp } from '../test/ops.ts';
import { webgpu } from './index.ts';
import type { WebGPUOptions } from './provider.ts';

// Kept for as long as the process lives: Dawn does not survive that it is collected.
const dawn = create([]);

afterEach(() => {
  if (tf.findBackendFactory('webgpu')) tf.removeBackend('webgpu');
  unregister(webgpu());
  vi.doUnmock('webgpu');
});

async function start(options: WebGPUOptions): Promise<void> {
  use(webgpu(options));
  await backend('webgpu');
  // Else tfjs answers small ops from the CPU's copies.
  tf.env().set('WEBGPU_CPU_FORWARD', false);
}

const failure = (action: Promise<unknown>): Promise<Error> =>
  action.then(
    () => new Error('nothing was thrown'),
    (error: Error) => error,
  );

// First: once Dawn has been found, it is kept.
test('says how to install Dawn where it is missing', async () => {
  vi.doMock('webgpu', () => {
    throw new Error('Cannot find package webgpu');
  });
  const error = await failure(start({}));
  expect(error).toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
  expect(error.message).toMatch(
    /^backend: 'webgpu' is not available: WebGPU in Node needs the package 'webgpu', which cannot be loaded \(.*\)\. npm install webgpu$/,
  );
  vi.doUnmock('webgpu');
  // It was installed meanwhile.
  await backend('webgpu');
  expect(tf.getBackend()).toBe('webgpu');
});

test('says what is missing where there is no adapter', async () => {
  const error = await failure(start({ gpu: { requestAdapter: () => Promise.resolve(null) } as unknown as GPU }));
  expect(error).toMatchObject({ code: 'BACKEND_UNAVAILABLE', argument: 'name' });
  expect(error.message).toContain("'webgpu' is not available: WebGPU is there, but it finds no adapter. A GPU with its driver is needed");
});

test('auto passes over software, unless it is told otherwise', async () => {
  use(webgpu());
  const choice = await backend('auto');
  expect(choice.name).toBe('cpu');
  expect(choice.passedOver).toEqual([
    { name: 'webgpu', reason: expect.stringMatching(/SwiftShader.* is software: right results, but slower than wasm$/) },
  ]);
  unregister(webgpu());
  use(webgpu({ allowSoftware: true }));
  expect(await backend('auto')).toMatchObject({ name: 'webgpu', passedOver: [] });
});

test('asks for all that the adapter has', async () => {
  await start({});
  const [probe] = await probeBackends();
  expect(probe).toMatchObject({ name: 'webgpu', available: true, features: expect.arrayContaining(['subgroups', 'timestamp-query']) });
  const adapter = await dawn.requestAdapter();
  const { device } = tf.backend() as unknown as { device: GPUDevice };
  expect(device.features.has('subgroups')).toBe(true);
  expect(device.limits.maxStorageBuffersPerShaderStage).toBe(adapter!.limits.maxStorageBuffersPerShaderStage);
  expect(device.limits.maxBufferSize).toBe(adapter!.limits.maxBufferSize);
});

test('runs the variant of a kernel that the device has the features for', async () => {
  await start({ gpu: limitedGPU(dawn, ['subgroups']) });
  const { op, shaders } = variantOp();
  const y = await (op({ x: tf.tensor1d([7]) }) as tf.Tensor).data();
  expect([...y]).toEqual([8]);
  expect(shaders).toEqual(['plain']);
});

test('serves a stock backend that the app started itself', async () => {
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
  Object.assign(globalThis, globals);
  const adapter = await dawn.requestAdapter();
  const device = await adapter!.requestDevice();
  tf.registerBackend('webgpu', () => new WebGPUBackend(device, adapter!.info));
  await tf.setBackend('webgpu');
  use(webgpu());
  // Its device is kept, tensors and all.
  await backend('webgpu');
  expect((tf.backend() as unknown as { device: GPUDevice }).device).toBe(device);
  resetInspection();
  const y = opOf('Stock', PLUS_ONE)({ x: tf.tensor1d([1, 2]) }) as tf.Tensor;
  expect([...(await y.data())]).toEqual([2, 3]);
  expect(inspect().calls).toMatchObject([{ op: '@test/webgpu/Stock', served: 'kernel' }]);
});

test('tensors of a removed backend say so, and can be disposed of', async () => {
  await start({});
  const x = tf.tensor1d([1, 2]);
  const y = tf.add(x, 1);
  const neverUploaded = tf.tensor1d([3]);
  tf.removeBackend('webgpu');
  expect((await failure(y.data())).message).toMatch(/^this 'webgpu' backend has been removed, and with it what its tensors held/);
  expect([...(await neverUploaded.data())]).toEqual([3]);
  tf.dispose([x, y, neverUploaded]);
  await backend('webgpu');
  expect([...(await tf.add(tf.tensor1d([1]), 1).data())]).toEqual([2]);
});
