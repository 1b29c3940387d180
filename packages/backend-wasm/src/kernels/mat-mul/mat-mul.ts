import { broadcast_util, type NamedAttrMap, type TensorInfo } from '@tensorflow/tfjs-core';
import { EvenkeelError, sizeOf } from '@evenkeel/core';
import type { Frame, Standin } from '../frame.ts';
import { ACTIVATIONS, gemm } from './gemm.ts';

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

function product(inputs: Record<string, TensorInfo>, attrs: NamedAttrMap, frame: Frame): TensorInfo {
  const { a, b, bias } = inputs as { a: TensorInfo; b: TensorInfo; bias?: TensorInfo };
  const { transposeA = false, transposeB = false, activation = 'linear', leakyreluAlpha = 0 } = attrs as Record<string, never>;
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
  const y = frame.output([...batch, m, n]);
  if (sizeOf(y.shape) === 0) return y;
  // Where all share the right-hand side they are one tall product, which packs B once.
  const tall = sizeOf(outerB) === 1 && !transposeA;
  const rows = tall ? sizeOf(batch) * m : m;
  const epilogue = { bias: frame.address(bias), activation: ACTIVATIONS[activation]!, alpha: leakyreluAlpha };
  const multiply = gemm(frame, { m: rows, n, k, transposeA, transposeB }, epilogue);
  const atA = tall ? [0] : offsets(outerA, batch, m * k * 4);
  const atB = tall ? [0] : offsets(outerB, batch, k * n * 4);
  const fromA = frame.address(a);
  const fromB = frame.address(b);
  const target = frame.address(y);
  for (let i = 0; i < atA.length; i++) multiply(fromA + atA[i]!, fromB + atB[i]!, target + i * m * n * 4);
  return y;
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
  serves: ({ a, b, bias }, { activation = 'linear' }) =>
    isFloat(a!) && isFloat(b!) && String(activation) in ACTIVATIONS && (bias === undefined || bias.shape.length === 1),
  run: product,
};
