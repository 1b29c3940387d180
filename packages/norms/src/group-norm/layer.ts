import { tidy, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import { InputSpec } from '@tensorflow/tfjs-layers';
import { EvenkeelError, expect } from '@evenkeel/core';
import { ActivatedLayer, type ActivatedArgs } from '../affine.ts';
import { axesLast, knownLengths, positiveAxes } from '../axes-last.ts';
import { oneShape, oneTensor, type Kwargs, type Shape } from '../keras.ts';
import { groupNorm } from './op.ts';

export interface GroupNormalizationArgs extends ActivatedArgs {
  /** How many groups of contiguous channels share statistics; divides the number of channels. -1 is one channel a group. Default 32. */
  groups?: number;
  /** The channel axis, negative counted from the end. Default -1. */
  axis?: number | [number];
  /** Default 1e-3, as in Keras; the function {@link groupNorm} has 1e-5. */
  epsilon?: number;
}

/**
 * Group normalization as a layer: Keras' `GroupNormalization`, on {@link groupNorm}. With `groups: 1` it is not LayerNormalization over
 * the last axis: it also reduces over space.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for groups that do not divide the channels, epsilon <= 0, or an axis that the input does not
 * have; SHAPE for an input of rank < 2
 *
 * @example
 * const model = tf.sequential();
 * model.add(tf.layers.conv2d({ filters: 64, kernelSize: 3, inputShape: [28, 28, 1] }));
 * model.add(new GroupNormalization({ groups: 16 })); // [null, 26, 26, 64]
 */
export class GroupNormalization extends ActivatedLayer {
  static readonly className = 'GroupNormalization';
  private readonly groups: number;
  private readonly axis: number | [number];
  private axes: number[] = [];
  private numGroups = 0;

  constructor(args: GroupNormalizationArgs = {}) {
    super(args, 1e-3);
    this.groups = args.groups ?? 32;
    this.axis = args.axis ?? -1;
    const valid = Number.isInteger(this.groups) && (this.groups > 0 || this.groups === -1);
    expect(valid, 'GroupNormalization', 'groups', 'an integer > 0, or -1 for as many as there are channels', this.groups);
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = oneShape('GroupNormalization', inputShape);
    this.axes = positiveAxes('GroupNormalization', this.axis, shape.length, 1);
    const [channels] = knownLengths('GroupNormalization', shape, this.axes) as [number];
    this.numGroups = this.groups === -1 ? channels : this.groups;
    if (channels % this.numGroups !== 0) {
      throw new EvenkeelError('INVALID_ARGUMENT', `groups is ${this.groups}, expected a divisor of the ${channels} channels`, {
        op: 'GroupNormalization',
        argument: 'groups',
      });
    }
    this.inputSpec = [new InputSpec({ ndim: shape.length, axes: { [this.axes[0]!]: channels } })];
    this.addAffineWeights([channels]);
    super.build(inputShape);
  }

  override call(inputs: Tensor | Tensor[], kwargs: Kwargs): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const { x, back } = axesLast(oneTensor('GroupNormalization', inputs), this.axes);
      return back(groupNorm(x, this.gamma, this.beta, { numGroups: this.numGroups, epsilon: this.epsilon, activation: this.activation }));
    });
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), groups: this.groups, axis: this.axis };
  }
}
