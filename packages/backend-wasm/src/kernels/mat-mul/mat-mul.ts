import { broadcast_util, type NamedAttrMap, type TensorInfo } from '@tensorflow/tfjs-core';
import { EvenkeelError, sizeOf } from '@evenkeel/core';
import type { Frame, Standin } from '../frame.ts';
import { activationOf, finish, gemm, isActivation, type Product } from './gemm.ts';

/** Offset in bytes of each matrix of a batch that is broadcast to `batch`. */
function offsets(outer: readonly number[], batch: readonly number[], bytes: number): number[] {
  const steps = batch.map(() => 0);
  for (let axis = 0, step = bytes; axis < outer.length; axis++) {
    const length = outer[outer.length - 1 - axis]!;
    if (length !== 1) steps[batch.length - 1 - axis] = step;
    step *= length;
  }
  const found = [0];
  batch.forEach((length, axis) => {
    const before = found.splice(0);
    for (const offset of before) for (let i = 0; i < length; i++) found.push(offset + i * steps[axis]!);
  });
  return found;
}

/** A call's products: their sizes, where each finds its matrices, and what follows. */
export interface Products extends Product {
  readonly shape: readonly number[];
  /** Offsets in bytes of each product's A, B and C. */
  readonly atA: readonly number[];
  readonly atB: readonly number[];
  readonly atC: readonly number[];
  readonly activation: number;
  readonly alpha: number;
}

/** Reads a call of BatchMatMul or _FusedMatMul. Throws SHAPE where the inner axes differ. */
export function productsOf(inputs: Record<string, TensorInfo>, attrs: NamedAttrMap): Products {
  const { a, b } = inputs as { a: TensorInfo; b: TensorInfo };
  const { transposeA = false, transposeB = false, leakyreluAlpha = 0 } = attrs as Record<string, never>;
  const [aRows, aColumns] = a.shape.slice(-2) as [number, number];
  const [bRows, bColumns] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [inner, n] = transposeB ? [bColumns, bRows] : [bRows, bColumns];
  if (k !== inner) {
    throw new EvenkeelError(
      'SHAPE',
      `b has shape [${b.shape.join(', ')}], expected ${k} along the inner axis, as in a [${a.shape.join(', ')}]`,
      { op: 'matMul', argument: 'b' },
    );
  }
  const outerA = a.shape.slice(0, -2);
  const outerB = b.shape.slice(0, -2);
  const batch = broadcast_util.assertAndGetBroadcastShape(outerA, outerB);
  const rest = { n, k, transposeA, transposeB, shape: [...batch, m, n], activation: activationOf(attrs), alpha: leakyreluAlpha };
  // Where all share the right-hand side they are one tall product, which packs B once.
  if (sizeOf(outerB) === 1 && !transposeA) return { ...rest, m: sizeOf(batch) * m, atA: [0], atB: [0], atC: [0] };
  const atA = offsets(outerA, batch, m * k * 4);
  return { ...rest, m, atA, atB: offsets(outerB, batch, k * n * 4), atC: atA.map((_, i) => i * m * n * 4) };
}

function product(inputs: Record<string, TensorInfo>, attrs: NamedAttrMap, frame: Frame): TensorInfo {
  const products = productsOf(inputs, attrs);
  const { shape, atA, atB, atC, activation, alpha } = products;
  const y = frame.output(shape);
  if (sizeOf(shape) === 0) return y;
  const multiply = gemm(frame, products, { bias: frame.address(inputs['bias']), activation, alpha });
  const a = frame.address(inputs['a']);
  const b = frame.address(inputs['b']);
  const c = frame.address(y);
  for (let i = 0; i < atA.length; i++) multiply(a + atA[i]!, b + atB[i]!, c + atC[i]!);
  return finish(frame, y, attrs, inputs['preluActivationWeights']);
}

const isFloat = ({ dtype }: TensorInfo): boolean => dtype === 'float32';

/** Products of matrices, batched and broadcast, in all four transpose forms. */
export const batchMatMul: Standin = {
  name: 'BatchMatMul',
  serves: ({ a, b }) => isFloat(a!) && isFloat(b!),
  run: product,
};

/** The same with bias and activation. */
export const fusedMatMul: Standin = {
  name: '_FusedMatMul',
  serves: ({ a, b, bias }, { activation }) =>
    isFloat(a!) && isFloat(b!) && isActivation(activation) && (bias === undefined || bias.shape.length === 1),
  run: product,
};
