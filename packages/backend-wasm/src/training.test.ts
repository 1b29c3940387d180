// Models of every common kind of layer learn on 'wasm' what they learn on 'cpu': the same losses over 20 steps.
import { setBackend } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compare, models, train, trainAttention } from '../test/training.ts';
import { wasmFeatures } from './features.ts';
import { standDown, standIn } from './kernels/index.ts';
import { wasm } from './plugin.ts';

describe.each([false, true])('with relaxed SIMD: %s', (relaxed) => {
  beforeAll(() => {
    // Node 20 has it behind a flag, which this option sets.
    if (relaxed) wasm({ relaxedSimd: true });
    expect(wasmFeatures().relaxedSimd || !relaxed).toBe(true);
    standDown();
    standIn(relaxed);
  });
  afterAll(() => setBackend('cpu'));

  test.each(models)('$name', (model) => compare(model.name, (backend) => train(model, backend)));
  test('attention by einsum over an embedding', () => compare('attention', trainAttention));
});
