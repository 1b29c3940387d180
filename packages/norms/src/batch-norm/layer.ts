import { tidy, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import { InputSpec } from '@tensorflow/tfjs-layers';
import { EvenkeelError } from '@evenkeel/core';
import { AffineLayer, type AffineArgs } from '../affine.ts';
import { knownLengths, positiveAxes } from '../axes-last.ts';
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
import { batchNorm, batchNormInference } from './batch-norm.ts';
import { checkMovingStatistics, updateMovingStatistics, type MovingStatisticsOptions } from './moving-statistics.ts';

export interface BatchNormalizationArgs extends AffineArgs, MovingStatisticsOptions {
  /** The channel axis, negative counted from the end. Default -1. */
  axis?: number | [number];
  /** Default 1e-3, as in Keras; PyTorch has 1e-5. */
  epsilon?: number;
  /** Default 'zeros'. */
  movingMeanInitializer?: Identifier<Initializer>;
  /** Default 'ones'. */
  movingVarianceInitializer?: Identifier<Initializer>;
}

/**
 * Batch normalization as a layer: Keras' `BatchNormalization`, on {@link batchNorm} and {@link batchNormInference}.
 * A training step normalizes by the batch's own statistics and moves the running ones; inference takes the running ones, and so does
 * training where the layer is frozen (`trainable = false`), as in Keras (tfjs-layers' own layer would still move them).
 * Padded positions count like others, as in tfjs-layers.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for epsilon <= 0, momentum outside [0, 1], or an axis that the input does not have; in training
 * SHAPE for a batch with one value per channel, and NON_FINITE where `onNonFinite` says so, before anything is written
 *
 * @example
 * const model = tf.sequential();
 * model.add(tf.layers.conv2d({ filters: 8, kernelSize: 3, useBias: false, inputShape: [28, 28, 1] }));
 * model.add(new BatchNormalization({ momentum: 0.9 })); // [null, 26, 26, 8]
 */
export class BatchNormalization extends AffineLayer {
  static readonly className = 'BatchNormalization';
  private readonly axis: number | [number];
  private channelAxis = -1;
  private readonly options: Required<MovingStatisticsOptions>;
  private readonly movingMeanInitializer: Initializer;
  private readonly movingVarianceInitializer: Initializer;
  private movingMean: LayerVariable | undefined;
  private movingVariance: LayerVariable | undefined;

  constructor(args: BatchNormalizationArgs & { renorm?: boolean; virtualBatchSize?: number | null } = {}) {
    super(args, 1e-3);
    const { axis = -1, momentum = 0.99, movingVariance = 'biased', onNonFinite = 'throw' } = args;
    for (const argument of ['renorm', 'virtualBatchSize'] as const) {
      if (!args[argument]) continue;
      throw new EvenkeelError('INVALID_ARGUMENT', `${argument} is not supported`, { op: 'BatchNormalization', argument });
    }
    this.axis = axis;
    this.options = { momentum, movingVariance, onNonFinite };
    checkMovingStatistics('BatchNormalization', this.options);
    this.movingMeanInitializer = resolve('movingMeanInitializer', args.movingMeanInitializer ?? 'zeros')!;
    this.movingVarianceInitializer = resolve('movingVarianceInitializer', args.movingVarianceInitializer ?? 'ones')!;
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = oneShape('BatchNormalization', inputShape);
    const axes = positiveAxes('BatchNormalization', this.axis, shape.length, 1);
    const channels = knownLengths('BatchNormalization', shape, axes);
    this.channelAxis = axes[0]!;
    this.inputSpec = [new InputSpec({ ndim: shape.length, axes: { [this.channelAxis]: channels[0]! } })];
    this.addAffineWeights(channels);
    this.movingMean = this.addWeight('moving_mean', channels, 'float32', this.movingMeanInitializer, undefined, false);
    this.movingVariance = this.addWeight('moving_variance', channels, 'float32', this.movingVarianceInitializer, undefined, false);
    super.build(inputShape);
  }

  override call(inputs: Tensor | Tensor[], kwargs: Kwargs): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const x = oneTensor('BatchNormalization', inputs);
      const { channelAxis: axis, epsilon, gamma, beta } = this;
      const movingMean = this.movingMean!;
      const movingVariance = this.movingVariance!;
      const moving = { mean: movingMean.read(), variance: movingVariance.read() };
      if (!kwargs?.['training'] || !this.trainable)
        return batchNormInference(x, moving.mean, moving.variance, gamma, beta, { axis, epsilon });
      const { y, mean, variance } = batchNorm(x, gamma, beta, { axis, epsilon });
      const next = updateMovingStatistics(moving, { mean, variance }, x.size / mean.size, this.options);
      movingMean.write(next.mean);
      movingVariance.write(next.variance);
      return y;
    });
  }

  override getConfig(): serialization.ConfigDict {
    return {
      ...super.getConfig(),
      ...this.options,
      axis: this.axis,
      movingMeanInitializer: serialize(this.movingMeanInitializer),
      movingVarianceInitializer: serialize(this.movingVarianceInitializer),
    };
  }
}
