import { add, clone, dispose, keep, mul, Optimizer, serialization, tidy, type NamedTensorMap, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError, expect, show } from '@evenkeel/core';

/** As tfjs has it, which does not export it. */
type NamedTensor = Awaited<ReturnType<Optimizer['getWeights']>>[number];

/** An optimizer as a saved model holds it. */
export interface SavedOptimizer {
  readonly className: string;
  readonly config: serialization.ConfigDict;
}

/** Options of {@link GradientAccumulation}. */
export interface GradientAccumulationOptions {
  /** What makes the steps: any optimizer of tfjs; or its saved form, whose class must be registered. */
  readonly optimizer: Optimizer | SavedOptimizer;
  /** Of how many batches a step takes the mean of the gradients. */
  readonly batches: number;
}

const OP = 'GradientAccumulation';
const SUFFIX = '/accumulated';

type Constructor = [serialization.SerializableConstructor<Optimizer>, serialization.FromConfigMethod<Optimizer>];

function load({ className, config }: SavedOptimizer): Optimizer {
  const known = serialization.SerializationMap.getMap().classNameMap as unknown as Record<string, Constructor | undefined>;
  const found = Object.hasOwn(known, className) ? known[className] : undefined;
  if (found === undefined) {
    const message = `optimizer is ${show(className)}, expected the name of a registered class; register those of this package by use(optim)`;
    throw new EvenkeelError('NOT_FOUND', message, { op: OP, argument: 'optimizer' });
  }
  return found[1](found[0], config);
}

/**
 * Steps on the mean gradient of several batches: what one batch of all their samples would give where the loss is a mean, in the memory of one.
 * Batch norm still sees small batches. Weights change at every `batches`-th call only.
 *
 * `iterations` counts batches, `optimizer.iterations` steps. `getWeights` holds a mean that has begun, so that a training that is resumed goes on in
 * the middle of it.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for batches < 1, SHAPE for a gradient that changed its shape, NOT_FOUND for a class that is not registered
 *
 * @example
 * const optimizer = new GradientAccumulation({ optimizer: new AdamW({ learningRate: 1e-3 }), batches: 4 });
 * model.compile({ optimizer, loss: 'meanSquaredError' });
 */
export class GradientAccumulation extends Optimizer {
  static get className(): string {
    return OP;
  }

  readonly optimizer: Optimizer;
  readonly batches: number;
  #begun: { name: string; sum: Tensor }[] = [];

  constructor({ optimizer, batches }: GradientAccumulationOptions) {
    super();
    expect(Number.isSafeInteger(batches) && batches > 0, OP, 'batches', 'an integer >= 1', batches);
    this.optimizer = optimizer instanceof Optimizer ? optimizer : load(optimizer);
    this.batches = batches;
  }

  applyGradients(variableGradients: NamedTensorMap | NamedTensor[]): void {
    const named = Array.isArray(variableGradients)
      ? variableGradients
      : Object.entries(variableGradients).map(([name, tensor]) => ({ name, tensor }));
    // A variable without a gradient is passed over.
    const given = named.filter(({ tensor }) => (tensor as Tensor | null | undefined) !== null && tensor !== undefined);
    const before = this.#begun;
    const matched = given.map(({ name }, i) => before.find((each) => each.name === name) ?? this.#unnamed(i, given));
    for (const [i, { name, tensor }] of given.entries()) {
      const sum = matched[i]?.sum;
      if (sum === undefined || sum.shape.join() === tensor.shape.join()) continue;
      const message = `the gradient of ${show(name)} has shape [${tensor.shape.join(', ')}], expected [${sum.shape.join(', ')}] as before`;
      throw new EvenkeelError('SHAPE', message, { op: OP, argument: 'variableGradients' });
    }
    const isLast = (this.iterations + 1) % this.batches === 0;
    const sums = tidy(() => given.map(({ tensor }, i) => keep(matched[i] === undefined ? clone(tensor) : add(matched[i].sum, tensor))));
    const used = new Set(matched);
    // A variable that has no gradient this time keeps what it had.
    const rest = before.filter((each) => !used.has(each));
    const begun = [...rest, ...given.map(({ name }, i) => ({ name, sum: sums[i]! }))];
    if (isLast) {
      try {
        tidy(() => this.optimizer.applyGradients(begun.map(({ name, sum }) => ({ name, tensor: mul(sum, 1 / this.batches) }))));
      } catch (error) {
        // As if this batch had not been.
        dispose(sums);
        throw error;
      }
    }
    dispose(before.filter((each) => used.has(each)).map(({ sum }) => sum));
    if (isLast) dispose(begun.map(({ sum }) => sum));
    this.#begun = isLast ? [] : begun;
    this.incrementIterations();
  }

  /** After a load variables may have other names, but they come in the same order. */
  #unnamed(i: number, given: readonly NamedTensor[]): { name: string; sum: Tensor } | undefined {
    const before = this.#begun[i];
    return before !== undefined && !given.some(({ name }) => name === before.name) ? before : undefined;
  }

  /** The batches so far, means that have begun, and what the optimizer itself holds. */
  override async getWeights(): Promise<NamedTensor[]> {
    const sums = this.#begun.map(({ name, sum }) => ({ name: `${name}${SUFFIX}`, tensor: sum }));
    return [await this.saveIterations(), ...sums, ...(await this.optimizer.getWeights())];
  }

  override async setWeights(weightValues: NamedTensor[]): Promise<void> {
    const rest = await this.extractIterations(weightValues);
    const sums = rest.filter(({ name }) => name.endsWith(SUFFIX));
    await this.optimizer.setWeights(rest.slice(sums.length));
    dispose(this.#begun.map(({ sum }) => sum));
    this.#begun = sums.map(({ name, tensor }) => ({ name: name.slice(0, -SUFFIX.length), sum: keep(clone(tensor)) }));
  }

  override getConfig(): serialization.ConfigDict {
    return { batches: this.batches, optimizer: { className: this.optimizer.getClassName(), config: this.optimizer.getConfig() } };
  }

  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    return new cls(config);
  }

  override dispose(): void {
    dispose(this.#begun.map(({ sum }) => sum));
    this.#begun = [];
    this.optimizer.dispose();
  }
}
