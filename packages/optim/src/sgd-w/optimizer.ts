import type { serialization } from '@tensorflow/tfjs-core';
import { FusedOptimizer, type OptimizerOptions, type Update, type Updated } from '../optimizer/optimizer.ts';
import { checkSGD, sgdDefaults, type SGDAttributes } from './attributes.ts';
import { SGDWStep } from './op.ts';

/** Options of {@link SGDW}. */
export interface SGDWOptions extends OptimizerOptions {
  /** The share of the velocity that is kept. Default 0. */
  readonly momentum?: number | undefined;
  /** What of the gradient does not go into the velocity. Default 0. */
  readonly dampening?: number | undefined;
  /** Whether the step looks ahead along the velocity. Default false. */
  readonly nesterov?: boolean | undefined;
}

/**
 * SGDW: stochastic gradient descent with momentum, Nesterov's too, and decoupled weight decay (Loshchilov and Hutter, "Decoupled Weight Decay
 * Regularization", 2019).
 *
 * @example
 * model.compile({ optimizer: new SGDW({ learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 1e-4 }), loss: 'meanSquaredError' });
 */
export class SGDW extends FusedOptimizer {
  static get className(): string {
    return 'SGDW';
  }

  protected readonly slots = ['velocity'] as const;
  protected readonly sgd: Pick<SGDAttributes, 'momentum' | 'dampening' | 'nesterov'>;

  constructor(options: SGDWOptions = {}, op = 'SGDW') {
    super(op, options, sgdDefaults.learningRate);
    const { momentum = 0, dampening = 0, nesterov = false } = options;
    this.sgd = { momentum, dampening, nesterov };
    checkSGD(op, { ...sgdDefaults, ...this.sgd });
  }

  protected update({ value, gradient, state, scale, learningRate, settings: { weightDecay } }: Update): Updated {
    const inputs = { value, gradient, velocity: state['velocity']!, scale };
    const { nextValue, nextVelocity } = SGDWStep(inputs, { ...this.sgd, learningRate, weightDecay });
    return { value: nextValue, state: { velocity: nextVelocity } };
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), ...this.sgd };
  }
}
