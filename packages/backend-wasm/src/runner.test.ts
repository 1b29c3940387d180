import '@tensorflow/tfjs-backend-cpu';
import { engine, memory, mul, removeBackend, setBackend, tensor, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { backend, compile, inspect, isEvenkeelError, resetInspection, unregister, use, type EvenkeelError } from '@evenkeel/core';
import { beforeEach, describe, expect, test } from 'vitest';
import { bodies, functionImport, memoryImport, moduleOf } from '../test/modules.ts';
import { scaleOp } from '../test/ops.ts';
import { expected, scenario } from '../test/scenario.ts';
import { findMemoryImport, fromBase64, shareMemory } from './binary.ts';
import { reserve, wasm } from './index.ts';
import { addressOf, type Heap } from './tfjs.ts';

test('runs kernels in place in Node: growth, order, leaks, removal', async () => {
  expect(await scenario({})).toMatchObject({ ...expected, shared: false, detail: 'WebAssembly with SIMD kernels, one thread' });
});

const failure = (action: () => unknown): EvenkeelError => {
  try {
    action();
  } catch (error) {
    if (isEvenkeelError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

/** Runs `action`, which fails, and checks that it leaves nothing behind and the backend whole. */
function failing(action: (x: Tensor) => unknown): EvenkeelError {
  const x = tensor([1, 2, 3]);
  const before = [memory().numTensors, engine().backend.numDataIds()];
  const error = failure(() => action(x));
  expect([memory().numTensors, engine().backend.numDataIds()]).toEqual(before);
  expect(Array.from(tidy(() => mul(x, 2).dataSync()))).toEqual([2, 4, 6]);
  x.dispose();
  return error;
}

describe('on the running backend', () => {
  beforeEach(async () => {
    use(wasm());
    await backend('wasm');
    resetInspection();
  });

  test.each([
    ['a data segment', { data: true }, 'it has a data segment'],
    ['a start function', { start: true }, 'it has a start function'],
    ['another import', { imports: [memoryImport, functionImport] }, 'it imports env.abort'],
    ['no import', { imports: [] }, 'it does not import env.memory'],
    ['a memory of its own', { imports: [], memory: true }, 'it has a memory of its own'],
  ])('refuses a module with %s', (_, parts, message) => {
    const op = scaleOp(moduleOf(parts));
    for (let call = 0; call < 2; call++) {
      const error = failing((x) => op({ x }));
      expect(error.code).toBe('KERNEL');
      expect(error.message).toContain(`${op.definition.name}: the WASM module is refused: ${message}`);
    }
  });

  test('refuses what is no module', async () => {
    const op = scaleOp(btoa('no module at all'));
    expect(failing((x) => op({ x })).code).toBe('KERNEL');
    await expect(compile([op])).rejects.toThrow('the WASM module is refused');
    await compile([scaleOp()]);
  });

  test.each([
    ['traps', moduleOf({ body: bodies.trap }), {}, 'the WASM kernel failed: unreachable'],
    ['reads outside the memory', moduleOf({ body: bodies.outOfBounds }), {}, 'memory access out of bounds'],
    ['lacks the function', moduleOf(), { calls: [{ export: 'walk', args: [] }] }, 'has no function walk; it has run'],
  ])('names the op of a kernel that %s, and frees its outputs', (_, binary, plan, message) => {
    const op = scaleOp(binary, { scratch: { s: 16 }, ...plan });
    const error = failing((x) => op({ x }));
    expect(error).toMatchObject({ code: 'KERNEL', op: op.definition.name });
    expect(error.message).toContain(message);
  });

  test('says so when the heap is full, and works on', () => {
    const big = scaleOp(undefined, { scratch: { a: 1.5e9, b: 1.5e9, c: 1.5e9 } });
    const error = failing((x) => big({ x }));
    expect(error.code).toBe('OUT_OF_MEMORY');
    expect(error.message).toMatch(/^Scale\d+: no room on the WASM heap for [abc] \[375000000\], 1500000000 bytes/);
    // More than 32 bits can say, which tfjs' allocator takes for little.
    expect(failing((x) => scaleOp(undefined, { scratch: { a: 2 ** 32 + 64 } })({ x })).code).toBe('OUT_OF_MEMORY');
  });

  test('works above 2 GiB', () => {
    const op = scaleOp();
    const heap = engine().backend as Heap;
    const below = [1, 2].map(() => heap.makeOutput([2 ** 28], 'int32'));
    // Larger than any gap further down.
    const x = tensor(new Float32Array(2 ** 23).fill(3));
    expect(tidy(() => op({ x }).dataSync()).at(-1)).toBe(6);
    expect(addressOf(heap, x.dataId)).toBeGreaterThan(2 ** 31);
    x.dispose();
    for (const { dataId } of below) heap.disposeData(dataId);
  });

  test('lets a kernel refuse, and moves tensors here from elsewhere', async () => {
    const picky = scaleOp(undefined, {}, { supports: ({ attrs }) => (attrs.factor === 2 ? undefined : 'factor is not 2') });
    await setBackend('cpu');
    const x = tensor([1, 2]);
    await setBackend('wasm');
    expect(Array.from(picky({ x }).dataSync())).toEqual([2, 4]);
    expect(Array.from(picky({ x }, { factor: 3 }).dataSync())).toEqual([3, 6]);
    expect(inspect().calls).toMatchObject([{ served: 'kernel' }, { served: 'reference', reason: 'factor is not 2' }]);
  });

  test('runs the reference where SIMD is switched off', () => {
    unregister(wasm());
    use(wasm({ simd: false }));
    const op = scaleOp(moduleOf({ body: bodies.vectors }));
    expect(Array.from(tidy(() => op({ x: tensor([1, 2]) }).dataSync()))).toEqual([2, 4]);
    expect(inspect().calls).toMatchObject([{ served: 'reference', reason: 'SIMD kernels are switched off by wasm({ simd: false })' }]);
    unregister(wasm());
  });
});

test('tensors outlive a backend that the app started itself', async () => {
  use(wasm());
  await setBackend('wasm');
  const x = tensor([1, 2]);
  removeBackend('wasm');
  expect(() => x.dataSync()).toThrow("lived on a 'wasm' backend that has been removed");
  x.dispose();
  await backend('wasm');
  expect(Array.from(tensor([1, 2]).dataSync())).toEqual([1, 2]);
});

test('reserve', async () => {
  use(wasm());
  await backend('wasm');
  const numDataIds = engine().backend.numDataIds();
  reserve(3 * 2 ** 20);
  expect(engine().backend.numDataIds()).toBe(numDataIds);
  expect(failure(() => reserve(-1)).code).toBe('INVALID_ARGUMENT');
  expect(failure(() => reserve(5e9)).code).toBe('OUT_OF_MEMORY');
  removeBackend('wasm');
  expect(failure(() => reserve(1)).code).toBe('BACKEND_UNAVAILABLE');
});

test('makes a memory import shared, whatever its limits', () => {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 200, shared: true });
  for (const limits of [
    [0x00, 0x01],
    [0x01, 0x01, 0x80, 0x80, 0x04],
    [0x00, 0x80, 0x00],
  ]) {
    const bytes = fromBase64(moduleOf({ imports: [[...memoryImport.slice(0, -2), ...limits]] }));
    expect(() => findMemoryImport(bytes)).not.toThrow();
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(shareMemory(bytes)), { env: { memory } });
    new Float32Array(memory.buffer).set([1, 2, 3], 0);
    (exports['run'] as (...args: number[]) => void)(0, 64, 3, 5);
    expect(Array.from(new Float32Array(memory.buffer, 64, 3))).toEqual([5, 10, 15]);
  }
});
