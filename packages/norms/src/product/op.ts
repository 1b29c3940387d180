import { matMul, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp, sizeOf, wgslKernel } from '@evenkeel/core';
import { owner } from '../owner.ts';
import code from './product.wgsl.ts';

/** Up to here a thread for each entry is as fast on a GPU as tfjs' tiles are; beyond, its own product is taken. */
const MOST_INNER = 64;

/**
 * The product of two matrices, on webgpu with a single rounding: for a normalization that divides by the spread of the result. Where that is
 * small, the roundings of a float32 sum become large, and those of the gradient larger. tfjs' cpu backend adds in double anyhow.
 */
export const Product = /* @__PURE__ */ defineOp({
  name: 'Product',
  owner,
  inputs: { a: 'rows,inner', b: 'inner,columns' },
  output: ({ a, b }) => ({ shape: [a.shape[0]!, b.shape[1]!], dtype: 'float32' }),
  reference: ({ a, b }) => matMul(a, b),
  gradient: (dy, { a, b }) => ({ a: () => matMul(dy, b, false, true), b: () => matMul(a, dy, true) }),
  kernels: () => [
    wgslKernel({
      shaders: { product: { code } },
      supports: ({ inputs }) => {
        const inner = inputs['a']!.shape[1]!;
        return inner > MOST_INNER ? `${inner} terms a sum: more than ${MOST_INNER}` : undefined;
      },
      plan: ({ inputs, outputs }) => {
        const [rows, inner] = inputs['a']!.shape as [number, number];
        const { shape } = outputs['y']!;
        const uniforms = { rows, inner, columns: shape[1]! };
        return { dispatches: [{ shader: 'product', uniforms, workgroups: Math.ceil(sizeOf(shape) / 64) }] };
      },
    }),
  ],
});

/** a b, see {@link Product}. */
export function product(a: Tensor, b: Tensor): Tensor {
  return Product({ a, b });
}
