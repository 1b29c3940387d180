import '@tensorflow/tfjs-backend-cpu';
import { engine, matMul, fused, memory, randomNormal, setBackend, tensor, type Tensor } from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError, unregister, use } from '@evenkeel/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { wasm } from '../index.ts';
import { memoryOf } from '../tfjs.ts';
import { bodies, moduleOf as handWritten } from '../../test/modules.ts';
import { fromBase64, shareMemory, shareOwnMemory } from '../binary.ts';
import { startPool } from './pool.ts';

const plugin = wasm({ threads: 3 });

const values = (x: Tensor): number[] => Array.from(x.dataSync());

/** Runs a product on one thread and on three. */
async function both(compute: () => Tensor): Promise<[one: Tensor, three: Tensor]> {
  unregister(plugin);
  use(wasm());
  await backend('wasm');
  const one = compute();
  unregister(wasm());
  use(plugin);
  await backend('wasm');
  return [one, compute()];
}

describe('with threads', () => {
  beforeAll(async () => {
    use(plugin);
    const { detail } = await backend('wasm');
    expect(detail).toBe('WebAssembly with SIMD kernels, 3 threads for large products');
  });
  afterAll(async () => {
    unregister(plugin);
    await setBackend('cpu');
  });

  test("tfjs' heap is shared, and grows", () => {
    const heap = memoryOf('test', engine().backend);
    expect(heap.buffer).toBeInstanceOf(SharedArrayBuffer);
    const before = heap.buffer.byteLength;
    const large = tensor(new Float32Array(before / 4 + 1000).fill(2));
    expect(memoryOf('test', engine().backend).buffer.byteLength).toBeGreaterThan(before);
    expect(large.dataSync().at(-1)).toBe(2);
    large.dispose();
  });

  test.each([
    ['plain', [301, 270], [270, 310], false, false],
    ['a transposed', [270, 301], [270, 310], true, false],
    ['b transposed', [301, 270], [310, 270], false, true],
    ['both transposed', [270, 301], [310, 270], true, true],
    ['deeper than a slab', [130, 1100], [1100, 120], false, false],
    ['one B for a batch', [5, 80, 270], [270, 310], false, false],
    ['a batch', [64, 64, 64], [64, 64, 64], false, false],
    ['a batch, a transposed', [40, 100, 64], [40, 100, 70], true, false],
  ] as const)('%s: the same bits as on one thread', async (_, a, b, ta, tb) => {
    const [x, y] = [randomNormal([...a]), randomNormal([...b])];
    const [one, three] = await both(() => matMul(x, y, ta, tb));
    const numDataIds = engine().backend.numDataIds();
    for (let i = 0; i < 20; i++) {
      const again = matMul(x, y, ta, tb);
      expect(Buffer.compare(Buffer.from(again.dataSync().buffer), Buffer.from(one.dataSync().buffer))).toBe(0);
      again.dispose();
    }
    expect(engine().backend.numDataIds()).toBe(numDataIds);
    expect(values(three)).toEqual(values(one));
  });

  test('bias and activation', async () => {
    const [a, b, bias] = [randomNormal([400, 200]), randomNormal([200, 211]), randomNormal([211])];
    const [one, three] = await both(() => fused.matMul({ a, b, bias, activation: 'relu6' } as Parameters<typeof fused.matMul>[0]));
    expect(values(three)).toEqual(values(one));
    expect(Math.max(...values(three))).toBe(6);
  });

  test('wrong shapes are told as on one thread, and leave nothing behind', () => {
    const [a, b] = [randomNormal([400, 200]), randomNormal([201, 300])];
    const before = [memory().numTensors, engine().backend.numDataIds()];
    expect(() => engine().runKernel('BatchMatMul', { a, b }, { transposeA: false, transposeB: false })).toThrow(
      'expected 200 along the inner axis',
    );
    expect([memory().numTensors, engine().backend.numDataIds()]).toEqual(before);
  });
});

test('workers take chunks, each with scratch of its own', async () => {
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true });
  const module = new WebAssembly.Module(shareMemory(fromBase64(handWritten())));
  const pool = startPool(memory, [module], ['run'], 3);
  const floats = new Float32Array(memory.buffer);
  // Long enough that a worker which has to wake up still finds chunks.
  const [length, room] = [8000, 8192];
  for (let i = 0; i < length; i++) floats[i] = i + 1;
  // run(x, y, n, factor): the thread's scratch is where it writes.
  const calls = Array.from({ length: 200 }, () => [0, 4 * room, length, 5]);
  const job = { module: 0, function: 0, calls, scratch: { positions: [1], bytes: 4 * room } };
  await expect
    .poll(
      () => {
        pool.run('test', job);
        return pool.helped();
      },
      // A worker that gets no core helps late.
      { timeout: 60_000 },
    )
    .toBeGreaterThan(100);
  const times5 = Array.from({ length }, (_, i) => 5 * (i + 1));
  expect(Array.from(floats.subarray(room, room + length))).toEqual(times5);
  const helpers = [2, 3].map((thread) => Array.from(floats.subarray(thread * room, thread * room + length)));
  expect(helpers).toContainEqual(times5);
  const trapping = startPool(memory, [new WebAssembly.Module(shareMemory(fromBase64(handWritten({ body: bodies.trap }))))], ['run'], 2);
  expect(() => trapping.run('test', job)).toThrow('unreachable');
  expect(() => pool.run('test', { ...job, calls: Array.from({ length: 600 }, () => [0, 0, 0, 0]) })).toThrow('600 chunks are too many');
  pool.dispose();
  trapping.dispose();
});

test.each([0, 1.5, 17, Number.NaN])('refuses %s threads', (threads) => {
  try {
    wasm({ threads });
    throw new Error('nothing was thrown');
  } catch (error) {
    expect(isEvenkeelError(error, 'INVALID_ARGUMENT')).toBe(true);
    expect((error as Error).message).toContain(`wasm: threads is ${threads}, expected an integer from 1 to 16`);
  }
});

test('shares a memory that a module defines, and leaves other modules alone', () => {
  const bytes = fromBase64(handWritten({ imports: [], memory: true }));
  expect(WebAssembly.validate(shareOwnMemory(bytes)!)).toBe(true);
  expect(shareOwnMemory(fromBase64(handWritten()))).toBeUndefined();
});
