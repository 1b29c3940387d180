import type { serialization } from '@tensorflow/tfjs-core';
import { FusedOptimizer, type OptimizerOptions, type Update, type Updated } from '../optimizer/optimizer.ts';
import { checkLion, lionDefaults } from './attributes.ts';
import { LionStep } from './op.ts';

/** Options of {@link Lion}. */
export interface LionOptions extends OptimizerOptions {
  /** The share of the momentum in the step. Default 0.9. */
  readonly beta1?: number | undefined;
  /** The share of the momentum that is kept. Default 0.99. */
  readonly beta2?: number | undefined;
}

/**
 * Lion (Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023): every element moves by the learning rate, in the direction of a
 * momentum's sign. Rates are three to ten times smaller than Adam's, decays as much larger.
 *
 * @example
 * model.compile({ optimizer: new Lion({ learningRate: 1e-4, weightDecay: 0.1 }), loss: 'meanSquaredError' });
 */
export class Lion extends FusedOptimizer {
  static get className(): string {
    return 'Lion';
  }

  protected readonly slots = ['momentum'] as const;
  readonly #lion: { readonly beta1: number; readonly beta2: number };

  constructor(options: LionOptions = {}) {
    super('Lion', options, lionDefaults.learningRate);
    const { beta1 = lionDefaults.beta1, beta2 = lionDefaults.beta2 } = options;
    this.#lion = { beta1, beta2 };
    checkLion('Lion', { ...lionDefaults, ...this.#lion });
  }

  protected update({ value, gradient, state, scale, learningRate, settings: { weightDecay } }: Update): Updated {
    const inputs = { value, gradient, momentum: state['momentum']!, scale };
    const { nextValue, nextMomentum } = LionStep(inputs, { ...this.#lion, learningRate, weightDecay });
    return { value: nextValue, state: { momentum: nextMomentum } };
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), ...this.#lion };
  }
}
