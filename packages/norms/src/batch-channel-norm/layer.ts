import type { serialization, Tensor } from '@tensorflow/tfjs-core';
import { initializers } from '@tensorflow/tfjs-layers';
import { batchNormInference } from '../batch-norm/batch-norm.ts';
import type { Statistics } from '../batch-norm/moving-statistics.ts';
import type { LayerVariable } from '../keras.ts';
import {
  batchChannelNorm,
  batchChannelNormInference,
  checkChannelAffine,
  checkMode,
  estimatedBatchNorm,
  type BatchChannelNormParameters,
  type Estimated,
} from './batch-channel-norm.ts';
import { EstimatedLayer, type EstimatedArgs } from './estimated-layer.ts';
import { checkGroups } from './op.ts';

export interface BatchChannelNormalizationArgs extends EstimatedArgs {
  /** How many groups of contiguous channels share statistics in the channel part; divides the number of channels. Default 32. */
  groups?: number;
  /** Whether training normalizes by the running statistics or by the batch's own, for large batches. Default 'estimate'. */
  mode?: 'estimate' | 'batch';
  /** Whether the channel part has a gamma and a beta for each group, or for each channel. Default 'perGroup'. */
  channelAffine?: 'perGroup' | 'perChannel';
}

/**
 * Batch-channel normalization as a layer, on {@link batchChannelNorm} and {@link batchChannelNormInference}, for steps of one or two
 * samples; with {@link WSConv2D}. `gamma` and `beta` are of the batch part, `channel_gamma` and `channel_beta` of the channel part.
 *
 * A training step moves the statistics; inference takes them as they are, and so does training where the layer is frozen (`trainable = false`) or
 * told to by `freezeStatistics`. They are weights that do not train, as is the count of steps that the warm start needs. A training step whose
 * rate is 0 prints a warning. In mode 'batch' the rate is 0.1 by default, without warm start.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for groups that do not divide the channels (it suggests some that do), options out of range, or an axis
 * that the input does not have; in calls as {@link batchChannelNorm}, before anything is written
 *
 * @example
 * const model = tf.sequential();
 * model.add(new WSConv2D({ filters: 64, kernelSize: 3, useBias: false, inputShape: [28, 28, 1] }));
 * model.add(new BatchChannelNormalization({ groups: 16 }));
 * model.add(tf.layers.reLU());
 */
export class BatchChannelNormalization extends EstimatedLayer {
  static readonly className = 'BatchChannelNormalization';
  private readonly groups: number;
  private readonly mode: 'estimate' | 'batch';
  private readonly channelAffine: 'perGroup' | 'perChannel';
  private channelGamma: LayerVariable | undefined;
  private channelBeta: LayerVariable | undefined;

  constructor(args: BatchChannelNormalizationArgs = {}) {
    const { groups = 32, mode = 'estimate', channelAffine = 'perGroup' } = args;
    super(args, mode === 'batch' ? 0.1 : 0.01, mode !== 'batch');
    this.groups = groups;
    this.mode = mode;
    this.channelAffine = channelAffine;
    checkMode('BatchChannelNormalization', mode);
    checkChannelAffine('BatchChannelNormalization', channelAffine);
    checkGroups('BatchChannelNormalization', 'groups', groups, 0);
  }

  protected override addOwnWeights(channels: number): void {
    checkGroups('BatchChannelNormalization', 'groups', this.groups, channels);
    const shape = [this.channelAffine === 'perChannel' ? channels : this.groups];
    this.channelGamma = this.addWeight('channel_gamma', shape, 'float32', initializers.ones());
    this.channelBeta = this.addWeight('channel_beta', shape, 'float32', initializers.zeros());
  }

  private get parameters(): BatchChannelNormParameters {
    const { gamma, beta } = this;
    return { gamma, beta, channelGamma: this.channelGamma!.read(), channelBeta: this.channelBeta!.read() };
  }

  protected override step(x: Tensor, state: Statistics, updateRate: number): Estimated {
    const { groups, epsilon, channelAffine, mode, onNonFinite } = this;
    return batchChannelNorm(x, state, this.parameters, { groups, epsilon, channelAffine, mode, updateRate, onNonFinite });
  }

  protected override infer(x: Tensor, state: Statistics): Tensor {
    const { groups, epsilon, channelAffine } = this;
    return batchChannelNormInference(x, state, this.parameters, { groups, epsilon, channelAffine });
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), groups: this.groups, mode: this.mode, channelAffine: this.channelAffine };
  }
}

/**
 * Batch norm with estimated statistics as a layer, on {@link estimatedBatchNorm}: the batch part of {@link BatchChannelNormalization}
 * alone, with its statistics, rates and warnings. Inference is that of batch norm.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for options out of range or an axis that the input does not have; in calls as
 * {@link estimatedBatchNorm}, before anything is written
 *
 * @example
 * const layer = new EstimatedBatchNormalization({ updateRate: (step) => 1 / (step + 10) });
 */
export class EstimatedBatchNormalization extends EstimatedLayer {
  static readonly className = 'EstimatedBatchNormalization';

  constructor(args: EstimatedArgs = {}) {
    super(args);
  }

  protected override addOwnWeights(): void {}

  protected override step(x: Tensor, state: Statistics, updateRate: number): Estimated {
    const { gamma, beta, epsilon, onNonFinite } = this;
    return estimatedBatchNorm(x, state, gamma, beta, { epsilon, updateRate, onNonFinite });
  }

  protected override infer(x: Tensor, { mean, variance }: Statistics): Tensor {
    const { gamma, beta, epsilon } = this;
    return batchNormInference(x, mean, variance, gamma, beta, { epsilon });
  }
}
