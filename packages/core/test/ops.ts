// A small op with kernels for both kinds of backend, forward and backward, in which tests plant defects.
import { mul, square, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp, sizeOf, wasmKernel, wgslKernel, type Op, type OpDefinition, type WasmKernel, type WgslKernel } from '../src/index.ts';
import { productModule } from './product-module.ts';

export const owner = { name: '@test/square', version: '1.0.0' };

/** The line that multiplies stands alone, so that tests can spoil it. */
const shader = (other: string, body: string): string => `
struct Params { size: u32, factor: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
${other === 'x' ? '' : `@group(0) @binding(1) var<storage, read> ${other}: array<f32>;`}
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i < params.size) { y[i] = x[i] * ${other}[i] * ${body}; }
}`;

type Factor = { factor: number };

interface Product {
  /** The second of the two inputs that are multiplied; x itself makes a square. */
  other?: 'x' | 'dy';
  /** What the attribute `factor` is multiplied with. */
  times?: number;
}

export function wasmProduct({ other = 'x', times = 1 }: Product = {}, changes: Partial<WasmKernel<Factor>> = {}): WasmKernel<Factor> {
  return wasmKernel<Factor>({
    binary: productModule,
    plan: ({ inputs, attrs }) => ({
      calls: [{ export: 'product', args: ['x', other, 'y', sizeOf(inputs['x']!.shape), times * attrs.factor] }],
    }),
    ...changes,
  });
}

export function wgslProduct(
  { other = 'x', times = 1, body = 'params.factor' }: Product & { body?: string } = {},
  changes: Partial<WgslKernel<Factor>> = {},
): WgslKernel<Factor> {
  return wgslKernel<Factor>({
    shaders: { product: { code: shader(other, body) } },
    plan: ({ inputs, attrs }) => {
      const size = sizeOf(inputs['x']!.shape);
      return { dispatches: [{ shader: 'product', uniforms: { size, factor: times * attrs.factor }, workgroups: Math.ceil(size / 64) }] };
    },
    ...changes,
  });
}

export type SquareDefinition = OpDefinition<{ x: '...' }, Factor, Tensor>;
export type SquareOp = Op<{ x: '...' }, Factor, Tensor>;
export type SquareGradDefinition = OpDefinition<{ x: '...'; dy: '...' }, Factor, Tensor>;

let count = 0;

/** y = factor x^2, sound but for what `changes` says of it and `gradientChanges` of the op that is its gradient. Every call makes a new op. */
export function squareOp(changes: Partial<SquareDefinition> = {}, gradientChanges: Partial<SquareGradDefinition> = {}): SquareOp {
  const name = `Square${count++}`;
  const grad: SquareGradDefinition = {
    name: `${name}Grad`,
    owner,
    inputs: { x: '...', dy: '...' },
    attrs: { factor: 1 },
    reference: ({ x, dy }, { factor }) => mul(mul(x, dy), 2 * factor),
    kernels: () => [wasmProduct({ other: 'dy', times: 2 }), wgslProduct({ other: 'dy', times: 2 })],
    ...gradientChanges,
  };
  const SquareGrad = defineOp(grad);
  const definition: SquareDefinition = {
    name,
    owner,
    inputs: { x: '...' },
    attrs: { factor: 1 },
    reference: ({ x }, { factor }) => mul(square(x), factor),
    gradient: (dy, { x }, attrs) => ({ x: SquareGrad({ x, dy }, attrs) }),
    kernels: () => [wasmProduct(), wgslProduct()],
    ...changes,
  };
  return defineOp(definition);
}
