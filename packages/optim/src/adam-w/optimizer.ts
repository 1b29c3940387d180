import type { serialization } from '@tensorflow/tfjs-core';
import { FusedOptimizer, type OptimizerOptions, type Update, type Updated } from '../optimizer/optimizer.ts';
import { adamDefaults, checkAdam, type AdamAttributes } from './attributes.ts';
import { AdamWStep } from './op.ts';

/** Options of {@link AdamW}. */
export interface AdamWOptions extends OptimizerOptions {
  /** The share of the first moment that is kept. Default 0.9. */
  readonly beta1?: number | undefined;
  /** The share of the second moment that is kept. Default 0.999. */
  readonly beta2?: number | undefined;
  /** Added to the root of the corrected second moment. Default 1e-8. */
  readonly epsilon?: number | undefined;
  /** Whether the step looks ahead along the first moment. Default false. */
  readonly nesterov?: boolean | undefined;
}

/**
 * AdamW: Adam with decoupled weight decay (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019). Without a decay it is Adam.
 *
 * @example
 * model.compile({ optimizer: new AdamW({ learningRate: 1e-3, weightDecay: 0.01 }), loss: 'meanSquaredError' });
 */
export class AdamW extends FusedOptimizer {
  static get className(): string {
    return 'AdamW';
  }

  protected readonly slots = ['m', 'v'] as const;
  protected readonly adam: Pick<AdamAttributes, 'beta1' | 'beta2' | 'epsilon' | 'nesterov'>;

  constructor(options: AdamWOptions = {}, op = 'AdamW') {
    super(op, options, adamDefaults.learningRate);
    const { beta1, beta2, epsilon, nesterov } = options;
    const given = Object.entries({ beta1, beta2, epsilon, nesterov }).filter(([, value]) => value !== undefined);
    const { learningRate: _rate, step: _step, weightDecay: _decay, ...defaults } = adamDefaults;
    this.adam = { ...defaults, ...Object.fromEntries(given) };
    checkAdam(op, { ...adamDefaults, ...this.adam });
  }

  protected update({ value, gradient, state, scale, learningRate, step, settings: { weightDecay } }: Update): Updated {
    const { nextValue, nextFirst, nextSecond } = AdamWStep(
      { value, gradient, first: state['m']!, second: state['v']!, scale },
      { ...this.adam, learningRate, step, weightDecay },
    );
    return { value: nextValue, state: { m: nextFirst, v: nextSecond } };
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), ...this.adam };
  }
}
