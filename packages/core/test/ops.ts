// A small op with kernels for both kinds of backend, forward and backward, in which tests plant defects.
import { mul, square, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp, sizeOf, wasmKernel, wgslKernel, type Kernel, type Op, type OpDefinition } from '../src/index.ts';
import { productModule } from './product-module.ts';

export const owner = { name: '@test/square', version: '1.0.0' };

const WGSL = `
struct Params { size: u32, factor: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> other: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.size) { y[id.x] = x[id.x] * other[id.x] * params.factor; }
}`;

type Factor = { factor: number };

/** y = x * other * times * factor. */
export function productKernels(other: string, times: number, wgsl = WGSL): readonly Kernel<Factor>[] {
  return [
    wasmKernel<Factor>({
      binary: productModule,
      plan: ({ inputs, attrs }) => ({
        calls: [{ export: 'product', args: ['x', other, 'y', sizeOf(inputs['x']!.shape), times * attrs.factor] }],
      }),
    }),
    wgslKernel<Factor>({
      shaders: { product: { code: wgsl.replaceAll('other', other).replace(/.*var<storage, read> x: .*\n(?=.*> x:)/, '') } },
      plan: ({ inputs, attrs }) => {
        const size = sizeOf(inputs['x']!.shape);
        return {
          dispatches: [{ shader: 'product', uniforms: { size, factor: times * attrs.factor }, workgroups: Math.ceil(size / 64) }],
        };
      },
    }),
  ];
}

export type SquareDefinition = OpDefinition<{ x: '...' }, Factor, Tensor>;

let count = 0;

/** factor x^2, whole and sound but for what `changes` says. Every call makes a new op. */
export function squareOp(changes: Partial<SquareDefinition> = {}, slope = 2): Op<{ x: '...' }, Factor, Tensor> {
  const name = `Square${count++}`;
  const Grad = defineOp({
    name: `${name}Grad`,
    owner,
    inputs: { x: '...', dy: '...' },
    attrs: { factor: 1 },
    reference: ({ x, dy }, { factor }) => mul(mul(x, dy), slope * factor),
    kernels: () => productKernels('dy', slope),
  });
  return defineOp({
    name,
    owner,
    inputs: { x: '...' },
    attrs: { factor: 1 },
    reference: ({ x }, { factor }) => mul(square(x), factor),
    gradient: (dy, { x }, attrs) => ({ x: Grad({ x, dy }, attrs) }),
    kernels: () => productKernels('x', 1),
    ...changes,
  } satisfies SquareDefinition);
}
