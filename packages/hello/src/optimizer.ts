import {
  add,
  div,
  engine,
  mean,
  mul,
  Optimizer,
  sqrt,
  square,
  sub,
  tidy,
  variable,
  zerosLike,
  type NamedTensorMap,
  type serialization,
  type Variable,
} from '@tensorflow/tfjs-core';
import { EvenkeelError, expect } from '@evenkeel/core';

/** A weight with its name, as tfjs' optimizers hand them over; tfjs-core does not export the type. */
export type NamedTensor = Awaited<ReturnType<Optimizer['getWeights']>>[number];

export interface HelloOptimizerArgs {
  /** The size of a step. Default 0.01. */
  learningRate?: number;
  /** The share of the velocity that is kept. Default 0.9. */
  momentum?: number;
}

const EPSILON = 1e-8;

/**
 * Gradient descent with momentum, every gradient divided by its root mean square: v = momentum v + g / rms(g), w = w - learningRate v.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for a learning rate <= 0, a momentum outside [0, 1), or weights of another optimizer
 *
 * @example
 * model.compile({ optimizer: new HelloOptimizer({ learningRate: 0.01 }), loss: 'meanSquaredError' });
 */
export class HelloOptimizer extends Optimizer {
  static readonly className = 'HelloOptimizer';
  private readonly learningRate: number;
  private readonly momentum: number;
  private readonly velocities = new Map<string, Variable>();

  constructor({ learningRate = 0.01, momentum = 0.9 }: HelloOptimizerArgs = {}) {
    super();
    expect(Number.isFinite(learningRate) && learningRate > 0, 'HelloOptimizer', 'learningRate', 'a finite number > 0', learningRate);
    expect(momentum >= 0 && momentum < 1, 'HelloOptimizer', 'momentum', 'a number in [0, 1)', momentum);
    this.learningRate = learningRate;
    this.momentum = momentum;
  }

  // #region step
  override applyGradients(gradients: NamedTensorMap | NamedTensor[]): void {
    const named = Array.isArray(gradients) ? gradients : Object.entries(gradients).map(([name, tensor]) => ({ name, tensor }));
    tidy(() => {
      for (const { name, tensor: gradient } of named) {
        const value = engine().registeredVariables[name];
        if (value === undefined || gradient === null || gradient === undefined) continue;
        const velocity = this.velocityOf(name, value);
        const scaled = div(gradient, sqrt(add(mean(square(gradient)), EPSILON)));
        velocity.assign(add(mul(velocity, this.momentum), scaled));
        value.assign(sub(value, mul(velocity, this.learningRate)));
      }
    });
    this.incrementIterations();
  }
  // #endregion step

  private velocityOf(name: string, value: Variable): Variable {
    const known = this.velocities.get(name);
    if (known !== undefined) return known;
    const made = tidy(() => variable(zerosLike(value), false));
    this.velocities.set(name, made);
    return made;
  }

  override async getWeights(): Promise<NamedTensor[]> {
    const slots = [...this.velocities].map(([name, tensor]) => ({ name: `${name}/velocity`, tensor }));
    return [await this.saveIterations(), ...slots];
  }

  override async setWeights(weights: NamedTensor[]): Promise<void> {
    const slots = await this.extractIterations(weights);
    const strange = slots.find(({ name }) => !name.endsWith('/velocity'));
    if (strange !== undefined) {
      throw new EvenkeelError('INVALID_ARGUMENT', `weights holds ${strange.name}, expected names that end in /velocity`, {
        op: 'HelloOptimizer',
        argument: 'weights',
      });
    }
    this.disposeVelocities();
    for (const { name, tensor } of slots) this.velocities.set(name.slice(0, -'/velocity'.length), variable(tensor, false));
  }

  private disposeVelocities(): void {
    for (const velocity of this.velocities.values()) velocity.dispose();
    this.velocities.clear();
  }

  override dispose(): void {
    this.disposeVelocities();
    super.dispose();
  }

  override getConfig(): serialization.ConfigDict {
    return { learningRate: this.learningRate, momentum: this.momentum };
  }
}
