import { backend_util, type NamedAttrMap, type TensorInfo } from '@tensorflow/tfjs-core';
import { EvenkeelError, sizeOf } from '@evenkeel/core';
import type { Frame, Standin } from '../frame.ts';

/** A tensor whose axes have letters. */
interface Labelled {
  readonly tensor: TensorInfo;
  readonly labels: readonly string[];
}

const isIn = (labels: readonly string[]) => (label: string) => labels.includes(label);
const isNotIn = (labels: readonly string[]) => (label: string) => !labels.includes(label);
const same = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((label, i) => label === b[i]);

/** Sums over all axes that nobody wants. */
function reduced(frame: Frame, { tensor, labels }: Labelled, wanted: readonly string[]): Labelled {
  const axis = labels.flatMap((label, i) => (wanted.includes(label) ? [] : [i]));
  if (axis.length === 0) return { tensor, labels };
  return { tensor: frame.call('Sum', { x: tensor }, { axis, keepDims: false }), labels: labels.filter(isIn(wanted)) };
}

function transposed(frame: Frame, { tensor, labels }: Labelled, order: readonly string[]): TensorInfo {
  if (same(labels, order)) return tensor;
  return frame.call('Transpose', { x: tensor }, { perm: order.map((label) => labels.indexOf(label)) });
}

const reshaped = (frame: Frame, x: TensorInfo, shape: number[]): TensorInfo => frame.call('Reshape', { x }, { shape });

/** A product of matrices: axes are shared and kept (a batch), shared and summed over (the inner axis), or only in one (rows or columns). */
function product(frame: Frame, left: Labelled, right: Labelled, out: readonly string[], sizes: ReadonlyMap<string, number>): TensorInfo {
  const kept = out.filter((label) => left.labels.includes(label) && right.labels.includes(label));
  const inner = left.labels.filter((label) => right.labels.includes(label) && !out.includes(label));
  const rowsOf = ({ labels }: Labelled, other: Labelled): string[] => labels.filter(isNotIn(other.labels));
  // The order of the result decides which is the left-hand side, where either may be.
  const swapped = same(out, [...kept, ...rowsOf(right, left), ...rowsOf(left, right)]);
  const [a, b] = swapped ? [right, left] : [left, right];
  const [rows, columns] = [rowsOf(a, b), rowsOf(b, a)];
  const lengths = (labels: readonly string[]): number[] => labels.map((label) => sizes.get(label)!);
  const [batch, m, n, k] = [kept, rows, columns, inner].map((labels) => sizeOf(lengths(labels))) as [number, number, number, number];
  // Products take either operand transposed at no cost.
  const transposeA = rows.length > 0 && same(a.labels, [...kept, ...inner, ...rows]);
  const transposeB = inner.length > 0 && same(b.labels, [...kept, ...columns, ...inner]);
  const matrixA = reshaped(frame, transposeA ? a.tensor : transposed(frame, a, [...kept, ...rows, ...inner]), [
    batch,
    ...(transposeA ? [k, m] : [m, k]),
  ]);
  const matrixB = reshaped(frame, transposeB ? b.tensor : transposed(frame, b, [...kept, ...inner, ...columns]), [
    batch,
    ...(transposeB ? [n, k] : [k, n]),
  ]);
  const y = frame.call('BatchMatMul', { a: matrixA, b: matrixB }, { transposeA, transposeB });
  const labels = [...kept, ...rows, ...columns];
  return transposed(frame, { tensor: reshaped(frame, y, lengths(labels)), labels }, out);
}

/** Of other types than float32: multiplied with all axes spread out, then summed. */
function spread(frame: Frame, operands: readonly Labelled[], out: readonly string[], sizes: ReadonlyMap<string, number>): TensorInfo {
  const all = [...out, ...[...sizes.keys()].filter(isNotIn(out))];
  const [a, b] = operands.map((operand) =>
    reshaped(
      frame,
      transposed(frame, operand, all.filter(isIn(operand.labels))),
      all.map((label) => (operand.labels.includes(label) ? sizes.get(label)! : 1)),
    ),
  ) as [TensorInfo, TensorInfo];
  const { tensor } = reduced(frame, { tensor: frame.call('Multiply', { a, b }), labels: all }, out);
  return tensor;
}

function einsumOf(inputs: Record<string, TensorInfo>, attrs: NamedAttrMap, frame: Frame): TensorInfo {
  const tensors = Object.values(inputs);
  const equation = String(attrs['equation']).replaceAll(/\s/g, '');
  // Throws what is wrong with the equation.
  const { allDims, idDims } = backend_util.decodeEinsumEquation(equation, tensors.length);
  backend_util.checkEinsumDimSizes(allDims.length, idDims, tensors as Parameters<typeof backend_util.checkEinsumDimSizes>[2]);
  const [terms, result] = equation.split('->') as [string, string];
  const out = [...result];
  if (new Set(out).size !== out.length) {
    throw new EvenkeelError('INVALID_ARGUMENT', `equation '${equation}' has a letter twice in its result`, {
      op: 'einsum',
      argument: 'equation',
    });
  }
  const operands = terms.split(',').map((term, i): Labelled => ({ tensor: tensors[i]!, labels: [...term] }));
  const sizes = new Map(operands.flatMap(({ tensor, labels }) => labels.map((label, i) => [label, tensor.shape[i]!] as const)));
  const [a, b] = operands as [Labelled, Labelled | undefined];
  if (b === undefined) {
    const { tensor, labels } = reduced(frame, a, out);
    const y = transposed(frame, { tensor, labels }, out);
    // A result is a tensor of its own, also where nothing had to be done.
    return y === a.tensor ? frame.call('Identity', { x: y }) : y;
  }
  if (operands.some(({ tensor }) => tensor.dtype !== 'float32')) return spread(frame, operands, out, sizes);
  return product(frame, reduced(frame, a, [...out, ...b.labels]), reduced(frame, b, [...out, ...a.labels]), out, sizes);
}

/** Sums of products over labelled axes, which tfjs has not on 'wasm'. */
export const einsum: Standin = { name: 'Einsum', run: einsumOf };
