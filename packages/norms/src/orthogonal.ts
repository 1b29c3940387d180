import {
  concat,
  div,
  matMul,
  mul,
  norm,
  randomNormal,
  reshape,
  serialization,
  sub,
  tidy,
  transpose,
  unstack,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { EvenkeelError } from '@evenkeel/core';
import type { Initializer, Shape } from './keras.ts';

export interface OrthogonalArgs {
  /** What the orthogonal matrix is multiplied by. Default 1. */
  gain?: number | null;
  seed?: number | null;
}

/**
 * Random matrices with orthonormal rows or columns, whichever are fewer: Keras' `Orthogonal`. The one of tfjs-layers calls methods of
 * tensors that exist only where the whole of `@tensorflow/tfjs` is loaded.
 */
export class Orthogonal extends serialization.Serializable implements Initializer {
  static readonly className = 'Orthogonal';
  private readonly gain: number;
  private readonly seed: number | null;

  constructor({ gain, seed }: OrthogonalArgs = {}) {
    super();
    this.gain = gain ?? 1;
    this.seed = seed ?? null;
  }

  fromConfigUsesCustomObjects(): boolean {
    return false;
  }

  apply(shape: Shape): Tensor {
    const lengths = shape as number[];
    if (lengths.length < 2) {
      throw new EvenkeelError('SHAPE', `shape is [${lengths.join(', ')}], expected two axes or more`, {
        op: 'Orthogonal',
        argument: 'shape',
      });
    }
    return tidy(() => {
      const columns = lengths.at(-1)!;
      const rows = lengths.slice(0, -1).reduce((a, b) => a * b, 1);
      const [fewer, more] = [Math.min(rows, columns), Math.max(rows, columns)];
      const directions = randomNormal([fewer, more], 0, 1, 'float32', this.seed ?? undefined);
      const basis = orthonormal(unstack(reshape(directions, [fewer, 1, more])));
      return mul(reshape(rows <= columns ? basis : transpose(basis), lengths), this.gain);
    });
  }

  override getConfig(): serialization.ConfigDict {
    return { gain: this.gain, seed: this.seed };
  }
}

/** Gram and Schmidt's orthonormal basis, each vector projected twice: once leaves rounding errors that grow. */
function orthonormal(vectors: Tensor[]): Tensor {
  let basis: Tensor | undefined;
  for (const vector of vectors) {
    let rest = vector;
    if (basis !== undefined) for (let i = 0; i < 2; i++) rest = sub(rest, matMul(matMul(rest, basis, false, true), basis));
    const unit = div(rest, norm(rest));
    basis = basis === undefined ? unit : concat([basis, unit]);
  }
  return basis!;
}
