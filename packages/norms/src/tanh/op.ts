import { mul, square, sub, tanh, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp, sizeOf, wgslKernel } from '@evenkeel/core';
import { owner } from '../owner.ts';
import code from './tanh.wgsl.ts';

/**
 * Hyperbolic tangent with a small relative error. The one of tfjs' webgpu backend subtracts nearly equal numbers where x is small (relative
 * error 5e-6), and layer normalization of a small cell state makes that large.
 */
export const Tanh = /* @__PURE__ */ defineOp({
  name: 'Tanh',
  owner,
  inputs: { x: '...' },
  outputs: { y: ({ x }: { x: Tensor }) => ({ shape: x.shape, dtype: 'float32' }) },
  saveOutputs: ['y'],
  reference: ({ x }) => ({ y: tanh(x) }),
  gradient: (dy, _, __, { y }) => ({ x: mul(dy.y, sub(1, square(y))) }),
  kernels: () => [
    wgslKernel({
      shaders: { tanh: { code } },
      plan: ({ inputs }) => {
        const size = sizeOf(inputs['x']!.shape);
        return { dispatches: [{ shader: 'tanh', uniforms: { size }, workgroups: Math.ceil(size / 64) }] };
      },
    }),
  ],
});

/** tanh(x), see {@link Tanh}. */
export function accurateTanh(x: Tensor): Tensor {
  return Tanh({ x }).y;
}
