import { square, sum } from '@tensorflow/tfjs-core';
import { defineOp, sizeOf, wasmKernel, wgslKernel, type WasmKernel, type WgslKernel } from '@evenkeel/core';
import { owner } from '../owner.ts';
import partsText from './parts.wgsl.ts';
import binary from './sum-of-squares.wasm.ts';
import totalText from './total.wgsl.ts';

/** Elements that a workgroup adds up at least, and workgroups at most. */
const PER_GROUP = 4096;
const MOST_GROUPS = 256;

const wasm = (): WasmKernel<object> =>
  wasmKernel({
    binary,
    plan: ({ inputs }) => ({ calls: [{ export: 'sumOfSquares', args: ['x', 'y', sizeOf(inputs['x']!.shape)] }] }),
  });

const wgsl = (): WgslKernel<object> =>
  wgslKernel({
    shaders: { parts: { code: partsText }, total: { code: totalText } },
    plan: ({ inputs }) => {
      const size = sizeOf(inputs['x']!.shape);
      const groups = Math.min(Math.ceil(size / PER_GROUP), MOST_GROUPS);
      return {
        scratch: { partials: { shape: [groups], dtype: 'float32' } },
        dispatches: [
          { shader: 'parts', uniforms: { size }, workgroups: groups },
          { shader: 'total', uniforms: { size: groups }, workgroups: 1 },
        ],
      };
    },
  });

/** The sum of x^2, one number, which is not finite if any of them is not. */
export const SumOfSquares = /* @__PURE__ */ defineOp({
  name: 'SumOfSquares',
  owner,
  inputs: { x: '...' },
  output: () => ({ shape: [], dtype: 'float32' }),
  reference: ({ x }) => sum(square(x)),
  gradient: () => ({}),
  kernels: () => [wgsl(), wasm()],
});
