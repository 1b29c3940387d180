// What must hold wherever core runs: in Node, in a page, in a Worker. Returns the observations; tests compare them.
import '@tensorflow/tfjs-backend-cpu';
import { getKernel, grad, memory, mul, setBackend, sum, tensor, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { backend, inspect, resetInspection } from '../src/index.ts';
import { squareOp } from './ops.ts';

export interface Observations {
  backend: string;
  registeredBefore: boolean;
  registeredAfter: boolean;
  value: number[];
  gradient: number[];
  second: number[];
  empty: { shape: number[]; gradient: number[] };
  leaked: number;
  served: string[];
}

export async function scenario(): Promise<Observations> {
  const { name } = await backend('cpu');
  resetInspection();
  const square = squareOp();
  const known = (): boolean => getKernel(square.id, 'cpu') !== undefined;
  const registeredBefore = known();
  const x = tensor([1, 2, 3]);
  const before = memory().numTensors;
  // The first call of all is inside a tidy and under a recording tape.
  const slope = grad((t: Tensor) => sum(square({ x: t }, { factor: 3 })));
  const gradient = tidy(() => Array.from(slope(x).dataSync()));
  const value = tidy(() => Array.from(square({ x }).dataSync()));
  // (2 factor x) x summed: its gradient is 4 factor x.
  const second = tidy(() => Array.from(grad((t: Tensor) => sum(mul(slope(t), t)))(x).dataSync()));
  const none = tensor([], [0, 2]);
  const empty = tidy(() => {
    const y = square({ x: none });
    return { shape: y.shape, gradient: Array.from(grad((t: Tensor) => square({ x: t }))(none, y).shape) };
  });
  none.dispose();
  const leaked = memory().numTensors - before;
  await setBackend('cpu');
  x.dispose();
  const served = inspect().calls.map(({ op, served: by, reason }) => `${op === square.id ? 'op' : 'gradient'} by ${by}: ${reason ?? ''}`);
  return { backend: name, registeredBefore, registeredAfter: known(), value, gradient, second, empty, leaked, served };
}

export const expected: Observations = {
  backend: 'cpu',
  registeredBefore: false,
  registeredAfter: true,
  value: [1, 4, 9],
  gradient: [6, 12, 18],
  second: [12, 24, 36],
  empty: { shape: [0, 2], gradient: [0, 2] },
  leaked: 0,
  served: ["op by reference: nothing runs kernels on 'cpu'", "gradient by reference: nothing runs kernels on 'cpu'", 'op by empty: '],
};
