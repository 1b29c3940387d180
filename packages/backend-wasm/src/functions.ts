// Reductions that tfjs composes of several passes over memory, in one on 'wasm'; elsewhere tfjs' own. tfjs has no kernel by these names that one
// could replace.
import {
  backend_util,
  cast,
  engine,
  getBackend,
  getKernel,
  logSumExp as logSumExpOfTfjs,
  moments as momentsOfTfjs,
  reshape,
  sqrt,
  square,
  sum,
  transpose,
  util,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { EvenkeelError, show, sizeOf } from '@evenkeel/core';

/** Axes of x, counted from the beginning, in order. Throws INVALID_ARGUMENT. */
function axesOf(op: string, x: Tensor, axis: number | readonly number[] | undefined): number[] {
  const given = axis === undefined ? x.shape.map((_, i) => i) : [axis].flat();
  for (const each of given) {
    if (!Number.isInteger(each) || each < -x.rank || each >= x.rank) {
      throw new EvenkeelError('INVALID_ARGUMENT', `axis is ${show(axis)}, expected integers from ${-x.rank} to ${x.rank - 1}`, {
        op,
        argument: 'axis',
      });
    }
  }
  const axes = util.parseAxisParam(given as number[], x.shape);
  if (new Set(axes).size !== axes.length) {
    throw new EvenkeelError('INVALID_ARGUMENT', `axis is ${show(axis)}, expected no axis twice`, { op, argument: 'axis' });
  }
  if (sizeOf(axes.map((each) => x.shape[each]!)) === 0) {
    throw new EvenkeelError('SHAPE', `x has shape [${x.shape.join(', ')}], expected axes ${show(axes)} to hold something`, {
      op,
      argument: 'x',
    });
  }
  return axes.toSorted((a, b) => a - b);
}

const isOurs = (kernel: string): boolean => getKernel(kernel, getBackend()) !== undefined;

const runKernel = (name: string, inputs: Record<string, Tensor>): Tensor | Tensor[] =>
  engine().runKernel(name, inputs) as Tensor | Tensor[];

/** x with the reduced axes in the middle, [outer, count, inner], where they are neighbours; else moved to the end. */
function arranged(x: Tensor, axes: readonly number[]): Tensor {
  const [first, last] = [axes[0] ?? 0, (axes.at(-1) ?? -1) + 1];
  if (last - first === axes.length) {
    const part = (from: number, to: number): number => sizeOf(x.shape.slice(from, to));
    return reshape(x, [part(0, first), part(first, last), part(last, x.rank)]);
  }
  const kept = x.shape.flatMap((_, i) => (axes.includes(i) ? [] : [i]));
  const count = sizeOf(axes.map((axis) => x.shape[axis]!));
  return reshape(transpose(x, [...kept, ...axes]), [x.size / count, count, 1]);
}

function shapeOf(x: Tensor, axes: number[], keepDims: boolean): number[] {
  const [kept] = backend_util.computeOutAndReduceShapes(x.shape, axes);
  return keepDims ? backend_util.expandShapeToKeepDim(kept, axes) : kept;
}

/**
 * Mean and variance over axes, as `tf.moments`, in one pass over memory on 'wasm'.
 *
 * @param x - of any shape; all of it where `axis` is left out
 * @param axis - axes to reduce
 * @param keepDims - whether they stay, with length 1
 * @returns mean and (biased) variance, float32; both differentiable
 * @throws EvenkeelError INVALID_ARGUMENT for axes that x does not have, SHAPE where they hold nothing
 *
 * @example
 * const { mean, variance } = moments(tf.randomNormal([256, 768]), -1);
 */
export function moments(x: Tensor, axis?: number | readonly number[], keepDims = false): { mean: Tensor; variance: Tensor } {
  const axes = axesOf('moments', x, axis);
  if (!isOurs('EvenkeelMoments') || x.size === 0) return momentsOfTfjs(x, axes, keepDims);
  const [mean, variance] = runKernel('EvenkeelMoments', { x: arranged(cast(x, 'float32'), axes) }) as [Tensor, Tensor];
  const out = shapeOf(x, axes, keepDims);
  return { mean: reshape(mean, out), variance: reshape(variance, out) };
}

/** x with the reduced axes as the last one. */
function rowsOf(x: Tensor, axes: readonly number[]): Tensor {
  const kept = x.shape.flatMap((_, i) => (axes.includes(i) ? [] : [i]));
  const count = sizeOf(axes.map((axis) => x.shape[axis]!));
  const order = [...kept, ...axes];
  return reshape(order.every((axis, i) => axis === i) ? x : transpose(x, order), [x.size / count, count]);
}

/**
 * The logarithm of the sum of exponentials over axes, as `tf.logSumExp`, in one pass over memory on 'wasm'.
 *
 * @param x - of any shape; all of it where `axis` is left out
 * @param axis - axes to reduce
 * @param keepDims - whether they stay, with length 1
 * @returns float32, differentiable; an infinite maximum is its own result
 * @throws EvenkeelError INVALID_ARGUMENT for axes that x does not have, SHAPE where they hold nothing
 *
 * @example
 * const normalizer = logSumExp(tf.randomNormal([32, 1000]), -1, true);
 */
export function logSumExp(x: Tensor, axis?: number | readonly number[], keepDims = false): Tensor {
  const axes = axesOf('logSumExp', x, axis);
  if (!isOurs('EvenkeelLogSumExp') || x.size === 0) return logSumExpOfTfjs(x, axes, keepDims);
  return reshape(runKernel('EvenkeelLogSumExp', { x: rowsOf(cast(x, 'float32'), axes) }) as Tensor, shapeOf(x, axes, keepDims));
}

/**
 * Euclidean norms over axes, as `tf.norm(x, 'euclidean', axis)`, in one pass over memory on 'wasm', and there without overflow or underflow of
 * the squares.
 *
 * @param x - of any shape; all of it where `axis` is left out
 * @param axis - axes to reduce
 * @param keepDims - whether they stay, with length 1
 * @returns float32, differentiable; on 'wasm' the gradient of a norm of 0 is 0
 * @throws EvenkeelError INVALID_ARGUMENT for axes that x does not have, SHAPE where they hold nothing
 *
 * @example
 * const lengths = l2Norm(tf.randomNormal([32, 128]), -1);
 */
export function l2Norm(x: Tensor, axis?: number | readonly number[], keepDims = false): Tensor {
  const axes = axesOf('l2Norm', x, axis);
  const floats = cast(x, 'float32');
  const out = shapeOf(x, axes, keepDims);
  // Elsewhere the gradient of a norm of 0 is NaN, as that of tfjs' own norm is.
  if (!isOurs('EvenkeelNorm') || x.size === 0) return reshape(sqrt(sum(square(floats), axes)), out);
  return reshape(runKernel('EvenkeelNorm', { x: rowsOf(floats, axes) }) as Tensor, out);
}
