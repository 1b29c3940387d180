import '@tensorflow/tfjs-backend-cpu';
import { findBackendFactory, getBackend, registerBackend, removeBackend } from '@tensorflow/tfjs-core';
import { afterEach, expect, test } from 'vitest';
import { rejection } from '../test/failure.ts';
import { aliasCpu, pluginOf, providerOf } from '../test/providers.ts';
import { backend, EvenkeelError, inspect, probeBackends, unregister, use, type BackendProvider } from './index.ts';

const cleanups: (() => void)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0)) clean();
  await backend('cpu');
});

function handOver(...providers: BackendProvider[]): void {
  const plugin = pluginOf(...providers);
  use(plugin);
  cleanups.push(() => unregister(plugin));
}

test("'auto' is plain cpu where nothing was handed over", async () => {
  expect(await backend()).toEqual({ name: 'cpu', detail: 'plain JavaScript', passedOver: [] });
  expect(await probeBackends()).toEqual([{ name: 'cpu', available: true, preferred: true, detail: 'plain JavaScript' }]);
});

test("'auto' takes the highest that is available and preferred, and says why not another", async () => {
  cleanups.push(aliasCpu('fast'));
  handOver(
    providerOf('fast', 2),
    providerOf('missing', 5, { available: false, detail: 'no driver', remedy: 'install one' }),
    providerOf('slow', 4, { preferred: false, detail: 'software only' }),
  );
  expect(inspect().backends).toEqual(['fast', 'missing', 'slow']);
  expect(await backend('auto')).toEqual({
    name: 'fast',
    detail: 'fast is there',
    passedOver: [
      { name: 'missing', reason: 'no driver (install one)' },
      { name: 'slow', reason: 'software only' },
    ],
  });
  expect(getBackend()).toBe('fast');
  expect(inspect().backend).toBe('fast');
});

test("'auto' goes on where one does not start", async () => {
  const install = new EvenkeelError('MISSING_PEER', 'peer cannot be loaded; npm install peer', { op: 'backend' });
  handOver(providerOf('peerless', 9, {}, { register: () => Promise.reject(install) }));
  expect(await backend('auto')).toMatchObject({
    name: 'cpu',
    passedOver: [{ name: 'peerless', reason: 'backend: peer cannot be loaded; npm install peer' }],
  });
  // By its name there is no way round it.
  expect(await rejection(backend('peerless'))).toMatchObject({
    code: 'MISSING_PEER',
    message: 'backend: peer cannot be loaded; npm install peer',
  });
});

test('an unknown name, with all that are known', async () => {
  handOver(providerOf('fast', 2));
  expect(await rejection(backend('cuda'))).toMatchObject({
    code: 'UNKNOWN_BACKEND',
    argument: 'name',
    message: `backend: name is "cuda", expected 'auto' or one of fast, cpu; other backends must be handed over with use() first`,
  });
  expect(getBackend()).toBe('cpu');
});

test('a backend that is not available, with what is missing and how to get it', async () => {
  handOver(providerOf('gpu', 3, { available: false, detail: 'no adapter', remedy: 'A GPU is needed' }));
  expect(await rejection(backend('gpu'))).toMatchObject({
    code: 'BACKEND_UNAVAILABLE',
    message: "backend: 'gpu' is not available: no adapter. A GPU is needed",
  });
});

test('a backend that tfjs cannot start, with the cause', async () => {
  const cause = new Error('no memory');
  registerBackend('broken', () => Promise.reject(cause));
  cleanups.push(() => removeBackend('broken'));
  handOver(providerOf('broken', 3));
  expect(await rejection(backend('broken'))).toMatchObject({
    code: 'BACKEND_UNAVAILABLE',
    message: "backend: tfjs could not start 'broken'",
  });
  expect((await backend('auto')).passedOver).toEqual([{ name: 'broken', reason: "backend: tfjs could not start 'broken'" }]);
});

test('one that only the app registered with tfjs', async () => {
  cleanups.push(aliasCpu('mine'));
  expect(await backend('mine')).toEqual({ name: 'mine', detail: 'registered with tfjs by the app', passedOver: [] });
});

test('nothing at all', async () => {
  const factory = findBackendFactory('cpu')!;
  removeBackend('cpu');
  try {
    expect(await rejection(backend('auto'))).toMatchObject({
      code: 'BACKEND_UNAVAILABLE',
      message: "backend: no backend can be started. cpu: not imported (import '@tensorflow/tfjs-backend-cpu')",
    });
    expect((await rejection(backend('cpu'))).message).toBe(
      "backend: 'cpu' is not available: not imported. import '@tensorflow/tfjs-backend-cpu'",
    );
  } finally {
    registerBackend('cpu', factory);
  }
});
