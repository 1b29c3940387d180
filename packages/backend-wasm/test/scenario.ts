// What must hold wherever the backend runs: in Node, in a page, in a Worker. Returns the observations; tests compare them.
import { add, engine, getBackend, memory, removeBackend, tensor, tidy } from '@tensorflow/tfjs-core';
import { backend, inspect, resetInspection, use } from '@evenkeel/core';
import { wasm } from '../src/index.ts';
import type { WasmOptions } from '../src/provider.ts';
import { memoryOf } from '../src/tfjs.ts';
import { scaleOp } from './ops.ts';

export interface Observations {
  backend: string;
  detail: string;
  shared: boolean;
  result: number[];
  afterGrowth: number[];
  grew: boolean;
  interleaved: number[];
  leaked: { tensors: number; dataIds: number };
  served: (string | undefined)[];
  anew: number[];
}

const heap = (): WebAssembly.Memory => memoryOf('scenario', engine().backend);

export async function scenario(options: WasmOptions): Promise<Observations> {
  use(wasm(options));
  const { detail } = await backend('wasm');
  resetInspection();
  const scale = scaleOp();
  const x = tensor([1, 2, 3, 4, 5]);
  const numDataIds = engine().backend.numDataIds();
  const { numTensors } = memory();
  const result = tidy(() => Array.from(scale({ x }).dataSync()));

  // Scratch larger than what is left makes the heap grow between the input's address and the call.
  const before = heap().buffer.byteLength;
  const growing = scaleOp(undefined, { scratch: { room: before + 2 ** 20 } });
  const afterGrowth = tidy(() => Array.from(growing({ x }, { factor: 3 }).dataSync()));
  const grew = heap().buffer.byteLength > before;

  const interleaved = tidy(() => {
    let y = add(x, 0);
    for (let i = 0; i < 20; i++) y = scale({ x: add(y, 1) }, { factor: 0.5 });
    return Array.from(y.dataSync());
  });
  const leaked = { tensors: memory().numTensors - numTensors, dataIds: engine().backend.numDataIds() - numDataIds };
  const shared = typeof SharedArrayBuffer === 'function' && heap().buffer instanceof SharedArrayBuffer;
  const served = inspect().calls.map((call) => call.by);

  removeBackend('wasm');
  x.dispose();
  await backend('wasm');
  const anew = tidy(() => Array.from(scale({ x: tensor([1, 2]) }).dataSync()));
  return { backend: getBackend(), detail, shared, result, afterGrowth, grew, interleaved, leaked, served, anew };
}

/** What `scenario` must observe, but for `detail` and `shared`, which depend on the place. */
export const expected: Omit<Observations, 'detail' | 'shared'> = {
  backend: 'wasm',
  result: [2, 4, 6, 8, 10],
  afterGrowth: [3, 6, 9, 12, 15],
  grew: true,
  interleaved: [1, 2, 3, 4, 5].map((x) => {
    let y = x;
    for (let i = 0; i < 20; i++) y = Math.fround(0.5 * Math.fround(y + 1));
    return y;
  }),
  leaked: { tensors: 0, dataIds: 0 },
  served: ['@test/scale', '@test/scale'],
  anew: [2, 4],
};
