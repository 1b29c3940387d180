import { tidy, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import { InputSpec } from '@tensorflow/tfjs-layers';
import { AffineLayer, type AffineArgs } from '../affine.ts';
import { knownLengths, positiveAxes } from '../axes-last.ts';
import { checkMovingStatistics } from '../batch-norm/moving-statistics.ts';
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
import { checkL1, type L1NormOptions } from '../l1.ts';
import { l1BatchNorm, l1BatchNormInference } from './l1-batch-norm.ts';
import { updateMovingDeviations, type MovingDeviationsOptions } from './moving-deviations.ts';

export interface L1BatchNormalizationArgs extends AffineArgs, L1NormOptions, MovingDeviationsOptions {
  /** The channel axis, negative counted from the end. Default -1. */
  axis?: number | [number];
  /** Added to the mean absolute deviation. Default 1e-5. */
  epsilon?: number;
  /** The share of the old averages that is kept. Default 0.9. */
  momentum?: number;
  /** Default 'zeros'. */
  movingMeanInitializer?: Identifier<Initializer>;
  /** Default 'ones'. */
  movingDeviationInitializer?: Identifier<Initializer>;
}

/**
 * Batch normalization by the mean absolute deviation as a layer, on {@link l1BatchNorm} and {@link l1BatchNormInference}, with the
 * arguments of `BatchNormalization`. A training step normalizes by the batch's own statistics and moves the running ones; inference takes
 * the running ones, and so does training where the layer is frozen (`trainable = false`).
 *
 * @throws EvenkeelError INVALID_ARGUMENT for epsilon <= 0, gradFloor < 0, momentum outside [0, 1], or an axis that the input does not
 * have; in training SHAPE for a batch with one value per channel, and NON_FINITE where `onNonFinite` says so, before anything is written
 *
 * @example
 * const model = tf.sequential();
 * model.add(tf.layers.conv2d({ filters: 8, kernelSize: 3, useBias: false, inputShape: [28, 28, 1] }));
 * model.add(new L1BatchNormalization()); // [null, 26, 26, 8]
 */
export class L1BatchNormalization extends AffineLayer {
  static readonly className = 'L1BatchNormalization';
  private readonly axis: number | [number];
  private channelAxis = -1;
  private readonly options: Required<Pick<L1NormOptions, 'gaussianScale' | 'gradFloor'>>;
  private readonly moves: Required<MovingDeviationsOptions>;
  private readonly movingMeanInitializer: Initializer;
  private readonly movingDeviationInitializer: Initializer;
  private movingMean: LayerVariable | undefined;
  private movingDeviation: LayerVariable | undefined;

  constructor(args: L1BatchNormalizationArgs = {}) {
    super(args, 1e-5);
    const { axis = -1, gaussianScale = false, gradFloor = 0, momentum = 0.9, onNonFinite = 'throw' } = args;
    checkL1('L1BatchNormalization', { epsilon: this.epsilon, gradFloor });
    this.axis = axis;
    this.options = { gaussianScale, gradFloor };
    this.moves = { momentum, onNonFinite };
    checkMovingStatistics('L1BatchNormalization', { ...this.moves, movingVariance: 'biased' });
    this.movingMeanInitializer = resolve('movingMeanInitializer', args.movingMeanInitializer ?? 'zeros')!;
    this.movingDeviationInitializer = resolve('movingDeviationInitializer', args.movingDeviationInitializer ?? 'ones')!;
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = oneShape('L1BatchNormalization', inputShape);
    const axes = positiveAxes('L1BatchNormalization', this.axis, shape.length, 1);
    const channels = knownLengths('L1BatchNormalization', shape, axes);
    this.channelAxis = axes[0]!;
    this.inputSpec = [new InputSpec({ ndim: shape.length, axes: { [this.channelAxis]: channels[0]! } })];
    this.addAffineWeights(channels);
    this.movingMean = this.addWeight('moving_mean', channels, 'float32', this.movingMeanInitializer, undefined, false);
    this.movingDeviation = this.addWeight('moving_deviation', channels, 'float32', this.movingDeviationInitializer, undefined, false);
    super.build(inputShape);
  }

  override call(inputs: Tensor | Tensor[], kwargs: Kwargs): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const x = oneTensor('L1BatchNormalization', inputs);
      const { epsilon, gamma, beta } = this;
      const options = { axis: this.channelAxis, epsilon, ...this.options };
      const movingMean = this.movingMean!;
      const movingDeviation = this.movingDeviation!;
      const moving = { mean: movingMean.read(), deviation: movingDeviation.read() };
      if (!kwargs?.['training'] || !this.trainable) return l1BatchNormInference(x, moving.mean, moving.deviation, gamma, beta, options);
      const { y, mean, deviation } = l1BatchNorm(x, gamma, beta, options);
      const next = updateMovingDeviations(moving, { mean, deviation }, x.size / mean.size, this.moves);
      movingMean.write(next.mean);
      movingDeviation.write(next.deviation);
      return y;
    });
  }

  override getConfig(): serialization.ConfigDict {
    return {
      ...super.getConfig(),
      ...this.options,
      ...this.moves,
      axis: this.axis,
      movingMeanInitializer: serialize(this.movingMeanInitializer),
      movingDeviationInitializer: serialize(this.movingDeviationInitializer),
    };
  }
}
