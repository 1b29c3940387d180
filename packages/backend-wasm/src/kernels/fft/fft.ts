import type { TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from '@evenkeel/core';
import type { Frame, Module, Standin } from '../frame.ts';
import simd from './fft.wasm.ts';

const module: Module = { simd };

/** exp(-i angle(k)) for k < count, pairs of float64, written to scratch. */
function roots(frame: Frame, count: number, angle: (k: number) => number): number {
  const pairs = new Float64Array(2 * count);
  for (let k = 0; k < count; k++) {
    pairs[2 * k] = Math.cos(angle(k));
    pairs[2 * k + 1] = -Math.sin(angle(k));
  }
  const address = frame.scratch(Math.max(16, pairs.byteLength));
  frame.write(address, pairs);
  return address;
}

function transform(x: TensorInfo, inverse: boolean, frame: Frame): TensorInfo {
  const y = frame.output(x.shape, 'complex64');
  const n = x.shape.at(-1)!;
  const size = sizeOf(x.shape);
  if (size === 0) return y;
  const isPower = Number.isInteger(Math.log2(n));
  const m = isPower ? n : 2 ** Math.ceil(Math.log2(2 * n - 1));
  const turns = roots(frame, Math.floor(m / 2), (k) => (2 * Math.PI * k) / m);
  // The angle's period is 2 n; k^2 is exact below 2^26.
  const chirp = isPower ? 0 : roots(frame, n, (k) => (Math.PI * ((k * k) % (2 * n))) / n);
  const scratch = frame.scratch((isPower ? 1 : 2) * m * 16);
  const { transform: run } = frame.functions<'transform'>(module);
  run(frame.address(x), frame.address(y), size / n, n, inverse ? 1 : 0, m, turns, chirp, scratch);
  return y;
}

/** Fourier transforms along the last axis, which tfjs does not have on 'wasm'. */
export const fft: readonly Standin[] = [
  { name: 'FFT', run: ({ input }, _, frame) => transform(input!, false, frame) },
  { name: 'IFFT', run: ({ input }, _, frame) => transform(input!, true, frame) },
];
