import { add, div, matMul, mul, reshape, sqrt, sum, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError } from '@evenkeel/core';
import type { LinearWeights } from '../batch-norm/fold.ts';
import { checkEpsilon, checkShape } from '../checks.ts';

/** A norm that in inference is gamma x / sqrt(meanSquare + epsilon) + beta: unified normalization, and PowerNorm without groups. */
export interface RunningNorm {
  /** runningVar or runningPhi, [channels]. */
  meanSquare: Tensor;
  gamma?: Tensor | undefined;
  beta?: Tensor | undefined;
  /** Default 1e-5. */
  epsilon?: number;
}

export interface FoldIntoNextOptions {
  /**
   * Whether the layer is a convolution that pads with zeros. After the norm a zero of padding is not beta, so that then only a norm without
   * beta can be folded. Default false.
   */
  zeroPadding?: boolean;
}

function scaleOf(op: string, { meanSquare, gamma, beta, epsilon = 1e-5 }: RunningNorm): Tensor {
  checkEpsilon(op, epsilon);
  checkShape(op, 'gamma', gamma, meanSquare.shape, 'as meanSquare');
  checkShape(op, 'beta', beta, meanSquare.shape, 'as meanSquare');
  const r = div(1, sqrt(add(meanSquare, epsilon)));
  return gamma ? mul(gamma, r) : r;
}

function misfit(op: string, kernel: Tensor, expected: string): EvenkeelError {
  return new EvenkeelError('SHAPE', `kernel has shape [${kernel.shape.join(', ')}], expected ${expected}`, { op, argument: 'kernel' });
}

/**
 * Folds a norm into all the layers that read its output, so that inference computes it for free: kernel' = kernel scaled by input channel,
 * bias' = bias + beta kernel. In a pre-norm Transformer: the first norm of a block into the kernels of query, key and value, the second
 * into the first of the feed-forward layers, the last into the head. Every reader must be here, since afterwards there is no norm.
 *
 * @param norm - as inference sees it
 * @param layers - dense [channels, out] or convolution [..., channels, out] kernels, with biases [out] where they have some
 * @returns new tensors `kernel` and `bias` for each layer; the inputs stay as they were
 * @throws EvenkeelError SHAPE when kernel, bias and norm do not fit, INVALID_ARGUMENT for a norm with beta before padding with zeros
 *
 * @example
 * const [query, key] = foldIntoNext({ meanSquare, gamma, beta }, [{ kernel: wq, bias: bq }, { kernel: wk }]);
 */
export function foldIntoNext(
  norm: RunningNorm,
  layers: readonly LinearWeights[],
  { zeroPadding = false }: FoldIntoNextOptions = {},
): { kernel: Tensor; bias: Tensor }[] {
  const op = 'foldIntoNext';
  if (zeroPadding && norm.beta !== undefined) {
    const message = 'norm has a beta, expected none before a convolution that pads with zeros: padding would have become beta';
    throw new EvenkeelError('INVALID_ARGUMENT', message, { op, argument: 'norm' });
  }
  const channels = norm.meanSquare.size;
  return tidy(() => {
    const scale = scaleOf(op, norm);
    return layers.map(({ kernel, bias }) => {
      const [inputs, outputs] = kernel.shape.slice(-2);
      if (kernel.rank < 2 || inputs !== channels) throw misfit(op, kernel, `[..., ${channels}, out]`);
      checkShape(op, 'bias', bias, [outputs!], "the kernel's last axis");
      const positions = reshape(kernel, [-1, channels, outputs!]);
      const through = norm.beta
        ? reshape(matMul(reshape(norm.beta, [1, channels]), sum(positions, 0) as never), [outputs!])
        : zeros([outputs!]);
      return { kernel: mul(kernel, reshape(scale, [channels, 1])), bias: add(bias ?? zeros([outputs!]), through) };
    });
  });
}

/**
 * Folds a norm into the layer before it, with nothing between: kernel' = kernel scaled by output channel, bias' = bias scale + beta. Not in a
 * post-norm Transformer, where the residual is added between.
 *
 * @param weights - dense [in, channels], convolution [..., in, channels] or depthwise [..., in, multiplier] with in * multiplier = channels
 * @param norm - as inference sees it
 * @returns new tensors; the inputs stay as they were
 * @throws EvenkeelError SHAPE when kernel, bias and norm do not fit
 *
 * @example
 * const { kernel, bias } = foldIntoPrevious({ kernel: tf.ones([2, 1]) }, { meanSquare: tf.tensor1d([4]) }); // kernel [[0.5], [0.5]]
 */
export function foldIntoPrevious({ kernel, bias }: LinearWeights, norm: RunningNorm): { kernel: Tensor; bias: Tensor } {
  const op = 'foldIntoPrevious';
  const { shape, size } = norm.meanSquare;
  const [inputs = 0, outputs = 0] = kernel.shape.slice(-2);
  if (kernel.rank < 2 || !(outputs === size || inputs * outputs === size)) {
    throw misfit(op, kernel, `[..., in, ${size}], or depthwise [..., in, multiplier] with in * multiplier = ${size}`);
  }
  checkShape(op, 'bias', bias, shape, 'as meanSquare');
  return tidy(() => {
    const scale = scaleOf(op, norm);
    const shifted = bias ? mul(bias, scale) : zeros(shape);
    return {
      kernel: mul(kernel, outputs === size ? scale : reshape(scale, [inputs, outputs])),
      bias: norm.beta ? add(shifted, norm.beta) : shifted,
    };
  });
}
