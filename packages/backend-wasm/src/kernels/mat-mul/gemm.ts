import type { NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from '@evenkeel/core';
import type { Frame, Module } from '../frame.ts';
import relaxed from './mat-mul.relaxed.wasm.ts';
import simd from './mat-mul.wasm.ts';

/** The module of all products. */
export const matMulModule: Module = { simd, relaxed };

/** Activations that the kernel applies itself, by its numbers. */
export const ACTIVATIONS: Readonly<Record<string, number>> = { linear: 0, relu: 1, relu6: 2, leakyrelu: 3 };

export interface Epilogue {
  /** Address of n floats, or 0. */
  readonly bias?: number;
  readonly activation?: number;
  readonly alpha?: number;
}

/** A product's sizes and forms; `batch` products share scratch. */
export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/** Strides in bytes of op(A) and op(B), between rows and between columns. */
export function strides({ m, n, k, transposeA = false, transposeB = false }: Product) {
  const [aRow, aColumn] = transposeA ? [4, m * 4] : [k * 4, 4];
  const [bRow, bColumn] = transposeB ? [4, k * 4] : [n * 4, 4];
  return { aRow, aColumn, bRow, bColumn };
}

/** C[m,n] = activation(op(A) op(B) + bias) at addresses: prepared once (scratch is allocated here), run as often as the batch wants. */
export function gemm(frame: Frame, product: Product, { bias = 0, activation = 0, alpha = 0 }: Epilogue = {}) {
  const functions = frame.functions<'gemm' | 'scratchFloats'>(matMulModule);
  const { m, n, k } = product;
  const { aRow, aColumn, bRow, bColumn } = strides(product);
  const scratch = frame.scratch(functions.scratchFloats(m, n, k, aColumn) * 4);
  return (a: number, b: number, c: number): void => {
    functions.gemm(a, aRow, aColumn, b, bRow, bColumn, c, m, n, k, bias, activation, alpha, scratch);
  };
}

/** Applies an activation to `count` floats in place. */
export function activate(frame: Frame, address: number, count: number, activation: number, alpha: number): void {
  if (activation !== 0) frame.functions<'activate'>(matMulModule).activate(address, count, activation, alpha);
}

/** Activations that are kernels of their own, run on the result. */
const SEPARATE: Readonly<Record<string, string>> = { elu: 'Elu', sigmoid: 'Sigmoid', prelu: 'Prelu' };

/** Whether a fused kernel can end with this activation. */
export const isActivation = (name: unknown): boolean => {
  const activation = String(name ?? 'linear');
  return activation in ACTIVATIONS || activation in SEPARATE;
};

/** The number of an activation that kernels apply themselves; linear where it is applied afterwards. */
export const activationOf = ({ activation }: NamedAttrMap): number => ACTIVATIONS[String(activation ?? 'linear')] ?? 0;

/** `y` after an activation that is a kernel of its own; as it is else. */
export function finish(frame: Frame, y: TensorInfo, { activation }: NamedAttrMap, alpha: TensorInfo | undefined): TensorInfo {
  const kernel = SEPARATE[String(activation)];
  if (kernel === undefined || sizeOf(y.shape) === 0) return y;
  return frame.call(kernel, alpha === undefined ? { x: y } : { x: y, alpha });
}
