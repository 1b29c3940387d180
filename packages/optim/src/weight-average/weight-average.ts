import { add, mul, tidy, variable, zerosLike, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { EvenkeelError, expect } from '@evenkeel/core';

/** A tensor with its name, as tfjs' optimizers hand their state over. */
export interface NamedWeight {
  name: string;
  tensor: Tensor;
}

/** Options of {@link WeightAverage}. */
export interface WeightAverageOptions {
  /** The share of the average that is kept at each update. Default 0.999. */
  decay?: number;
}

const OP = 'WeightAverage';

/**
 * An exponential moving average of weights, often better than the weights themselves at the end of a training: average = decay average +
 * (1 - decay) weight at each `update`, divided by 1 - decay^updates, so that the start at zero does not count.
 *
 * `apply` puts the average in the place of the weights, `restore` puts the weights back; in between `update` is an error.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for a decay outside [0, 1), no weights, or calls out of order; SHAPE for state of other weights
 *
 * Source: Polyak, Juditsky 1992, "Acceleration of Stochastic Approximation by Averaging"; the correction is that of Adam.
 *
 * @example
 * const average = new WeightAverage([w, b], { decay: 0.99 });
 * for (const batch of batches) {
 *   optimizer.minimize(() => loss(batch), false, [w, b]);
 *   average.update();
 * }
 * average.apply(); // evaluate or save, then
 * average.restore();
 */
export class WeightAverage {
  readonly decay: number;
  #updates = 0;
  readonly #weights: readonly Variable[];
  readonly #averages: readonly Variable[];
  #kept: Tensor[] | undefined;

  constructor(weights: readonly Variable[], { decay = 0.999 }: WeightAverageOptions = {}) {
    expect(decay >= 0 && decay < 1, OP, 'decay', 'a number in [0, 1)', decay);
    expect(weights.length > 0, OP, 'weights', 'at least one variable', [...weights]);
    this.decay = decay;
    this.#weights = [...weights];
    this.#averages = tidy(() => weights.map((weight) => variable(zerosLike(weight), false)));
  }

  /** How many updates there have been. */
  get updates(): number {
    return this.#updates;
  }

  /** Takes the weights as they are now into the average. */
  update(): void {
    expect(this.#kept === undefined, OP, 'update', 'a call of restore() before it', 'a call while the average is applied');
    tidy(() => {
      for (const [i, average] of this.#averages.entries()) {
        average.assign(add(mul(average, this.decay), mul(this.#weights[i]!, 1 - this.decay)));
      }
    });
    this.#updates++;
  }

  /** Puts the average in the place of the weights. */
  apply(): void {
    expect(this.#updates > 0, OP, 'apply', 'a call of update() before it', 'a call without one');
    expect(this.#kept === undefined, OP, 'apply', 'a call of restore() before it', 'a second call');
    const correction = 1 / (1 - this.decay ** this.#updates);
    this.#kept = this.#weights.map((weight) => tidy(() => mul(weight, 1)));
    tidy(() => {
      for (const [i, weight] of this.#weights.entries()) weight.assign(mul(this.#averages[i]!, correction));
    });
  }

  /** Puts the weights back. */
  restore(): void {
    const kept = this.#kept;
    expect(kept !== undefined, OP, 'restore', 'a call of apply() before it', 'a call without one');
    for (const [i, weight] of this.#weights.entries()) {
      weight.assign(kept[i]!);
      kept[i]!.dispose();
    }
    this.#kept = undefined;
  }

  /** A callback of `model.fit` that updates the average after each batch. */
  callback(): { onBatchEnd(): Promise<void> } {
    return { onBatchEnd: async () => this.update() };
  }

  /** The averages, uncorrected, in the order of the weights. They belong to this object. */
  getWeights(): NamedWeight[] {
    return this.#averages.map((tensor, i) => ({ name: `${this.#weights[i]!.name}/average`, tensor }));
  }

  /** Goes on from what `getWeights` and `updates` gave, by order. */
  setWeights(weights: readonly NamedWeight[], updates: number): void {
    expect(Number.isSafeInteger(updates) && updates >= 0, OP, 'updates', 'an integer >= 0', updates);
    expect(weights.length === this.#averages.length, OP, 'weights', `${this.#averages.length} tensors`, weights.length);
    for (const [i, { name, tensor }] of weights.entries()) {
      const { shape } = this.#averages[i]!;
      if (tensor.shape.join() !== shape.join()) {
        const message = `${name} has shape [${tensor.shape.join(', ')}], expected [${shape.join(', ')}], that of ${this.#weights[i]!.name}`;
        throw new EvenkeelError('SHAPE', message, { op: OP, argument: 'weights' });
      }
    }
    for (const [i, { tensor }] of weights.entries()) this.#averages[i]!.assign(tensor);
    this.#updates = updates;
  }

  dispose(): void {
    for (const average of this.#averages) average.dispose();
    for (const kept of this.#kept ?? []) kept.dispose();
    this.#kept = undefined;
  }
}
