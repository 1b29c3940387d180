// What all EvoNorms share: the view by sample, the affine step that ends each of them, what their gradients give.
import { add, mul, reshape, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError } from '@evenkeel/core';
import { asSlabs } from '../axes.ts';

type WithX = { x: Tensor };
type Float = { shape: number[]; dtype: 'float32' };

export const likeX = ({ x }: WithX): Float => ({ shape: x.shape, dtype: 'float32' });
export const perChannel = ({ x }: WithX): Float => ({ shape: x.shape.slice(-1), dtype: 'float32' });

/** [N, ...spatial, C] as [N, positions, C]. */
export function slabs(x: Tensor): Tensor {
  const { samples, positions, channels } = asSlabs(x.shape);
  return reshape(x, [samples, positions, channels]);
}

export function affine(z: Tensor, gamma: Tensor | undefined, beta: Tensor | undefined): Tensor {
  const scaled = gamma ? mul(z, gamma) : z;
  return beta ? add(scaled, beta) : scaled;
}

/** Throws that a statistic is over a single value, whose variance is 0 whatever it is. */
export function refuseDegenerate(op: string, { shape }: Tensor, expected: string): never {
  throw new EvenkeelError('SHAPE', `x has shape [${shape.join(', ')}], expected ${expected} (the variance of one value is 0)`, {
    op,
    argument: 'x',
  });
}
