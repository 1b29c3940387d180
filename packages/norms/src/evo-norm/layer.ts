import { add, mul, tidy, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import { InputSpec } from '@tensorflow/tfjs-layers';
import { expect } from '@evenkeel/core';
import { AffineLayer, type AffineArgs } from '../affine.ts';
import { axesLast, knownLengths, positiveAxes } from '../axes-last.ts';
import { checkMovingStatistics, type MovingStatisticsOptions } from '../batch-norm/moving-statistics.ts';
import {
  oneShape,
  oneTensor,
  resolve,
  serialize,
  type Identifier,
  type Initializer,
  type Kwargs,
  type LayerVariable,
  type Shape,
} from '../keras.ts';
import type { EvoNormBVariant } from './b-attributes.ts';
import { EvoNormB, EvoNormBInference } from './b-op.ts';
import { checkGroups, evoNormGroups } from './groups.ts';
import { updateMovingVariance } from './moving-variance.ts';
import { EvoNormS } from './s-op.ts';

export type EvoNormVariant = EvoNormBVariant | 'S0' | 'S1' | 'S2';

const VARIANTS: readonly EvoNormVariant[] = ['B0', 'B1', 'B2', 'S0', 'S1', 'S2'];

export interface EvoNormalizationArgs extends AffineArgs, MovingStatisticsOptions {
  /** Which EvoNorm. S0, S1 and S2 are of a sample alone; B0, B1 and B2 use the batch's variance, and a moving one in inference. Default 'S0'. */
  variant?: EvoNormVariant;
  /** S0, S1, S2: how many groups of channels share a statistic; the next smaller divisor of the channels where it is none. Default 32. */
  groups?: number;
  /** The channel axis, negative counted from the end. Default -1. */
  axis?: number | [number];
  /** Default 1e-5, as in the paper. */
  epsilon?: number;
  /** B0, B1, B2: the share of the moving variance that is kept. Default 0.9. */
  momentum?: number;
  /** false: only gamma x + beta, without statistics, v or activation, for where a block ends without one. Default true. */
  nonlinearity?: boolean;
  /** Starts with a gamma of 0, as the last norm of a residual branch may. Default false. */
  initZero?: boolean;
  /** B0, S0: what v starts with. Default 'ones'. */
  vInitializer?: Identifier<Initializer>;
  /** B0, B1, B2. Default 'ones'. */
  movingVarianceInitializer?: Identifier<Initializer>;
}

/**
 * EvoNorm as a layer: normalization and activation in one, in place of a norm and its ReLU, before a convolution (in residual networks the
 * form with pre-activation). See `evoNormS0` and `evoNormB0` for what it computes and where it is at home.
 * The B variants move their variance in training and take the moving one in inference, or where the layer is frozen (`trainable = false`).
 *
 * @throws EvenkeelError INVALID_ARGUMENT for an unknown variant, epsilon <= 0, groups that are no integer > 0, momentum outside [0, 1], or
 * an axis that the input does not have; SHAPE where a statistic would be over one value; in training of a B variant NON_FINITE where
 * `onNonFinite` says so, before anything is written
 *
 * @example
 * const model = tf.sequential();
 * model.add(tf.layers.conv2d({ filters: 64, kernelSize: 3, useBias: false, inputShape: [28, 28, 1] }));
 * model.add(new EvoNormalization({ variant: 'S0' })); // no activation behind it
 * model.add(tf.layers.conv2d({ filters: 64, kernelSize: 3 }));
 */
export class EvoNormalization extends AffineLayer {
  static readonly className = 'EvoNormalization';
  private readonly variant: EvoNormVariant;
  private readonly groups: number;
  private readonly axis: number | [number];
  private readonly options: Required<MovingStatisticsOptions>;
  private readonly nonlinearity: boolean;
  private readonly initZero: boolean;
  private readonly vInitializer: Initializer;
  private readonly movingVarianceInitializer: Initializer;
  private axes: number[] = [];
  private used: number | undefined;
  private v: LayerVariable | undefined;
  private movingVariance: LayerVariable | undefined;

  constructor(args: EvoNormalizationArgs = {}) {
    const { groups = 32, axis = -1, nonlinearity = true, initZero = false } = args;
    super({ ...args, gammaInitializer: args.gammaInitializer ?? (initZero === true ? 'zeros' : 'ones') }, 1e-5);
    const layer = 'EvoNormalization';
    // Saved models have it in lower case: tfjs turns all strings of a configuration into Python's spelling.
    const variant = VARIANTS.find((each) => each === String(args.variant ?? 'S0').toUpperCase());
    expect(variant !== undefined, layer, 'variant', `one of ${VARIANTS.join(', ')}`, args.variant);
    checkGroups(layer, groups);
    expect(typeof nonlinearity === 'boolean', layer, 'nonlinearity', 'a boolean', nonlinearity);
    expect(typeof initZero === 'boolean', layer, 'initZero', 'a boolean', initZero);
    const { momentum = 0.9, movingVariance = 'biased', onNonFinite = 'throw' } = args;
    this.options = { momentum, movingVariance, onNonFinite };
    checkMovingStatistics(layer, this.options);
    this.variant = variant;
    this.groups = groups;
    this.axis = axis;
    this.nonlinearity = nonlinearity;
    this.initZero = initZero;
    this.vInitializer = resolve('vInitializer', args.vInitializer ?? 'ones')!;
    this.movingVarianceInitializer = resolve('movingVarianceInitializer', args.movingVarianceInitializer ?? 'ones')!;
  }

  /** How many groups it has made of its channels, once it is built: see {@link evoNormGroups}. Undefined for the B variants. */
  get numGroups(): number | undefined {
    return this.used;
  }

  private get ofBatch(): boolean {
    return this.variant.startsWith('B');
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = oneShape('EvoNormalization', inputShape);
    this.axes = positiveAxes('EvoNormalization', this.axis, shape.length, 1);
    const channels = knownLengths('EvoNormalization', shape, this.axes);
    this.inputSpec = [new InputSpec({ ndim: shape.length, axes: { [this.axes[0]!]: channels[0]! } })];
    this.addAffineWeights(channels);
    if (this.nonlinearity) {
      if (this.variant.endsWith('0')) this.v = this.addWeight('v', channels, 'float32', this.vInitializer);
      if (!this.ofBatch) this.used = evoNormGroups(channels[0]!, this.groups);
      else this.movingVariance = this.addWeight('moving_variance', channels, 'float32', this.movingVarianceInitializer, undefined, false);
    }
    super.build(inputShape);
  }

  override call(inputs: Tensor | Tensor[], kwargs: Kwargs): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const { x, back } = axesLast(oneTensor('EvoNormalization', inputs), this.axes);
      return back(this.normalize(x, kwargs?.['training'] === true));
    });
  }

  /** Of x with its channels last. */
  private normalize(x: Tensor, training: boolean): Tensor {
    const { variant, epsilon, gamma, beta } = this;
    if (!this.nonlinearity) {
      const scaled = gamma ? mul(x, gamma) : x;
      return beta ? add(scaled, beta) : scaled;
    }
    const v = this.v?.read();
    if (variant === 'S0' || variant === 'S1' || variant === 'S2') {
      return EvoNormS({ x, gamma, beta, v }, { numGroups: this.used!, epsilon, centred: variant !== 'S2' });
    }
    const moving = this.movingVariance!;
    if (!training || !this.trainable) return EvoNormBInference({ x, variance: moving.read(), gamma, beta, v }, { variant, epsilon });
    const { y, variance } = EvoNormB({ x, gamma, beta, v }, { variant, epsilon });
    moving.write(updateMovingVariance(moving.read(), variance, x.size / variance.size, this.options));
    return y;
  }

  override getConfig(): serialization.ConfigDict {
    return {
      ...super.getConfig(),
      ...this.options,
      variant: this.variant,
      groups: this.groups,
      axis: this.axis,
      nonlinearity: this.nonlinearity,
      initZero: this.initZero,
      vInitializer: serialize(this.vInitializer),
      movingVarianceInitializer: serialize(this.movingVarianceInitializer),
    };
  }
}
