import type { Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError, show } from '@evenkeel/core';
import type { Activation } from '../activation.ts';
import { asSlabs } from '../axes.ts';
import { GroupNorm } from '../group-norm/op.ts';

export interface InstanceNormOptions {
  /** Added to the variance, inside the root. Default 1e-5. */
  epsilon?: number;
  /** What is applied to the result in the same pass. Default 'linear': nothing. */
  activation?: Activation;
  /** Accept x with a single position per channel, where every output is beta. Default false: an error. */
  allowDegenerate?: boolean;
}

/**
 * Instance normalization: mean and variance per sample and channel, over space. It is {@link groupNorm} with one channel a group.
 *
 * @param x - [batch, ...spatial, channels] float32, rank >= 3
 * @param gamma - [channels]; left out: 1
 * @param beta - [channels]; left out: 0
 * @returns a new tensor of x's shape. A channel of a sample without variance becomes f(beta), f the activation. NaN or infinity stays in its
 * sample and channel. Numbers as large as 65504, and mean 1e4 with deviation 1, are right to 5e-3.
 * @throws EvenkeelError SHAPE when gamma or beta do not fit, or there is only one position and not `allowDegenerate`;
 * DTYPE for other than float32; INVALID_ARGUMENT for epsilon <= 0 or an unknown activation
 *
 * Source: Ulyanov, Vedaldi, Lempitsky 2016, "Instance Normalization: The Missing Ingredient for Fast Stylization".
 *
 * @example
 * const y = instanceNorm(tf.randomNormal([2, 16, 16, 8]), tf.ones([8]), tf.zeros([8]));
 */
export function instanceNorm(
  x: Tensor,
  gamma?: Tensor,
  beta?: Tensor,
  { epsilon = 1e-5, activation = 'linear', allowDegenerate = false }: InstanceNormOptions = {},
): Tensor {
  const { channels, positions } = asSlabs(x?.shape ?? []);
  if (positions === 1 && !allowDegenerate) {
    throw new EvenkeelError(
      'SHAPE',
      `x is ${show(x)}, expected more than one position per channel (every output would be beta); allowDegenerate accepts it`,
      {
        op: 'instanceNorm',
        argument: 'x',
      },
    );
  }
  return GroupNorm({ x, gamma, beta }, { numGroups: channels, epsilon, activation });
}
