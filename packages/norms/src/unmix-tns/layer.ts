import { add, clone, tidy, zeros, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import { initializers, InputSpec } from '@tensorflow/tfjs-layers';
import { EvenkeelError, expect } from '@evenkeel/core';
import { AffineLayer, type AffineArgs } from '../affine.ts';
import { axesLast, knownLengths, positiveAxes } from '../axes-last.ts';
import { batchNormInference } from '../batch-norm/batch-norm.ts';
import { checkShape } from '../checks.ts';
import { oneShape, oneTensor, type Kwargs, type LayerVariable, type Shape } from '../keras.ts';
import {
  checkUnMixTNS,
  checkUnMixTNSState,
  completeUnMixTNS,
  smallestDistance,
  unMixTNS,
  unMixTNSState,
  type UnMixTNSOptions,
  type UnMixTNSState,
  type UnMixTNSStateOptions,
} from './unmix-tns.ts';

export interface UnMixTNSArgs
  extends AffineArgs, Omit<UnMixTNSOptions, 'epsilon' | 'batchSize'>, Omit<UnMixTNSStateOptions, 'seed' | 'noise'> {
  /** The channel axis, negative counted from the end. Default -1. */
  axis?: number | [number];
  /** Default 1e-3, as in Keras' batch normalization; PyTorch has 1e-5. */
  epsilon?: number;
  /** How many images a batch has, for the momentum; it does not fix the input's shape. Default: as many as there are. */
  batchSize?: number;
  /** Of the components' first means. Default 0. */
  seed?: number;
  /** Whether a call moves the components. Default true. */
  adapt?: boolean;
}

/** What a layer has adapted: its components, and how many images it skipped. */
export interface AdaptationState extends UnMixTNSState {
  /** [1] */
  skipped: Tensor;
}

/** Components by the name of their weight, of inputs of rank 3 and more. */
interface Bank {
  means: LayerVariable;
  variances: LayerVariable;
  skipped: LayerVariable;
}

/**
 * UnMix-TNS as a layer, on {@link unMixTNS}, in the place of a trained batch normalization: `adaptModel` of `@evenkeel/norms/models` puts it there. It has that
 * layer's weights, and the components as more of them, which do not train; all are saved and loaded. **Every call moves the components**, in
 * inference as well as in training: that is the method. `freezeAdaptation` stops it. Inputs of rank 2 are normalized by the statistics of training, and have
 * no components, as in the official code.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for options out of range or an axis that the input does not have; in calls as {@link unMixTNS}
 *
 * @example
 * const layer = new UnMixTNS({ components: 8, momentum: 0.7 });
 * const y = layer.apply(x); // x [batch, height, width, channels]
 */
export class UnMixTNS extends AffineLayer {
  static readonly className = 'UnMixTNS';
  private readonly axis: number | [number];
  private readonly options: UnMixTNSOptions;
  private readonly start: Required<Omit<UnMixTNSStateOptions, 'noise' | 'seed'>> & { seed: number };
  private adapting: boolean;
  private axes: number[] = [];
  private movingMean: LayerVariable | undefined;
  private movingVariance: LayerVariable | undefined;
  private bank: Bank | undefined;

  constructor(args: UnMixTNSArgs = {}) {
    // tfjs-layers would take the batch size for the input's.
    const { batchSize: images, ...others } = args;
    super(others, 1e-3);
    const { axis = -1, adapt = true, seed = 0, components = 16, alpha = 0.5, init = 'centered' } = args;
    this.axis = axis;
    // Saved models have null where there is none.
    const batchSize = images ?? undefined;
    this.options = { ...completeUnMixTNS({ ...args, epsilon: this.epsilon }), batchSize };
    this.start = { components, alpha, init, seed };
    this.adapting = adapt;
    checkUnMixTNS('UnMixTNS', this.options);
    checkUnMixTNSState('UnMixTNS', this.start);
    expect(typeof adapt === 'boolean', 'UnMixTNS', 'adapt', 'a boolean', adapt);
    expect(Number.isSafeInteger(seed), 'UnMixTNS', 'seed', 'an integer', seed);
  }

  /** Whether calls leave the components as they are. */
  freezeAdaptation(frozen = true): void {
    this.adapting = !frozen;
  }

  /** Starts anew with components made of the statistics of training. */
  resetAdaptation(): void {
    tidy(() => {
      if (this.bank === undefined) return;
      const { means, variances } = unMixTNSState(this.movingMean!.read(), this.movingVariance!.read(), this.start);
      this.bank.means.write(means);
      this.bank.variances.write(variances);
      this.bank.skipped.write(zeros([1]));
    });
  }

  /** Whether there is something to adapt: not for inputs of rank 2. */
  get hasComponents(): boolean {
    return this.bank !== undefined;
  }

  /** A copy of the components, which the caller disposes; undefined for inputs of rank 2. */
  getAdaptationState(): AdaptationState | undefined {
    if (this.bank === undefined) return undefined;
    const { means, variances, skipped } = this.bank;
    return { means: clone(means.read()), variances: clone(variances.read()), skipped: clone(skipped.read()) };
  }

  /** Throws unless the layer could take this state. */
  checkAdaptationState(state: AdaptationState): void {
    if (this.bank === undefined) {
      throw new EvenkeelError('INVALID_ARGUMENT', `layer ${this.name} has no components, expected one with an input of rank 3 or more`, {
        op: 'setAdaptationState',
        argument: 'state',
      });
    }
    for (const name of ['means', 'variances', 'skipped'] as const) {
      checkShape('setAdaptationState', `${this.name}.${name}`, state[name], this.bank[name].read().shape, 'as the layer has it');
    }
  }

  /** Takes components that {@link getAdaptationState} gave. */
  setAdaptationState(state: AdaptationState): void {
    this.checkAdaptationState(state);
    this.bank!.means.write(state.means);
    this.bank!.variances.write(state.variances);
    this.bank!.skipped.write(state.skipped);
  }

  /** How many images were skipped for statistics that are not finite, since the last reset. */
  async skipCount(): Promise<number> {
    return this.bank ? (await this.bank.skipped.read().data())[0]! : 0;
  }

  /** {@link smallestDistance} of its components: near 0 they have merged. */
  async smallestDistance(): Promise<number> {
    if (this.bank === undefined) return Infinity;
    const distance = smallestDistance(this.bank.means.read(), this.movingVariance!.read());
    try {
      return (await distance.data())[0]!;
    } finally {
      distance.dispose();
    }
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = oneShape('UnMixTNS', inputShape);
    this.axes = positiveAxes('UnMixTNS', this.axis, shape.length, 1);
    const channels = knownLengths('UnMixTNS', shape, this.axes);
    this.inputSpec = [new InputSpec({ ndim: shape.length, axes: { [this.axes[0]!]: channels[0]! } })];
    this.addAffineWeights(channels);
    const weight = (name: string, size: number[], initializer = initializers.zeros()): LayerVariable =>
      this.addWeight(name, size, 'float32', initializer, undefined, false);
    this.movingMean = weight('moving_mean', channels);
    this.movingVariance = weight('moving_variance', channels, initializers.ones());
    if (shape.length > 2) {
      const size = [this.start.components, ...channels];
      this.bank = {
        means: weight('component_means', size),
        variances: weight('component_variances', size),
        skipped: weight('skipped', [1]),
      };
      this.resetAdaptation();
    }
    super.build(inputShape);
  }

  override call(inputs: Tensor | Tensor[], kwargs: Kwargs): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const { x, back } = axesLast(oneTensor('UnMixTNS', inputs), this.axes);
      const { gamma, beta, bank, options } = this;
      if (bank === undefined)
        return back(batchNormInference(x, this.movingMean!.read(), this.movingVariance!.read(), gamma, beta, options));
      const found = unMixTNS(x, gamma, beta, { means: bank.means.read(), variances: bank.variances.read() }, options);
      if (this.adapting) {
        bank.means.write(found.means);
        bank.variances.write(found.variances);
        bank.skipped.write(add(bank.skipped.read(), found.skipped));
      }
      return back(found.y);
    });
  }

  override getConfig(): serialization.ConfigDict {
    const { batchSize = null, ...options } = this.options;
    return { ...super.getConfig(), ...options, ...this.start, batchSize, axis: this.axis, adapt: this.adapting };
  }
}
