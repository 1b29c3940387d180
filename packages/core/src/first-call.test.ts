// What happens before any backend is set. In a file of its own: afterwards one is.
import '@tensorflow/tfjs-backend-cpu';
import { findBackendFactory, getBackend, ones, registerBackend, removeBackend } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { failure } from '../test/failure.ts';
import { owner } from '../test/ops.ts';
import { defineOp } from './index.ts';

const Ones = defineOp({
  name: 'Ones',
  owner,
  inputs: {},
  attrs: { size: 2 },
  output: (_, { size }) => ({ shape: [size], dtype: 'float32' }),
  reference: (_, { size }) => ones([size]),
});

test('the first call of all starts what tfjs would start, or says what to do', () => {
  expect(getBackend()).toBeFalsy();
  const factory = findBackendFactory('cpu')!;
  removeBackend('cpu');
  expect(failure(() => Ones({}))).toMatchObject({
    code: 'BACKEND_UNAVAILABLE',
    message: "Ones: no backend is running; start one with await backend('auto')",
  });
  registerBackend('cpu', factory);
  expect(Array.from(Ones({}, { size: 3 }).dataSync())).toEqual([1, 1, 1]);
  expect(getBackend()).toBe('cpu');
});
